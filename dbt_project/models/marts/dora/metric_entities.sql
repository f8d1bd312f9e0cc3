-- Whatever a metric measures, under the id that metric_measurements uses: what it is, and where to look at it.
select
    deployment_id as entity_id,
    'deployment' as entity_type,
    repository_id,
    coalesce(ref, left(sha, 7)) as title,
    url
from {{ ref('fct_deployments') }}

union all

select distinct
    deployment_id as entity_id,
    'deployment' as entity_type,
    repository_id,
    coalesce(branches.public_branch, deployments.ref) as title,
    url
from {{ ref('int_deployments_left_out') }} as deployments
left join {{ ref('int_branches_without_names') }} as branches on branches.branch = deployments.ref

union all

select
    pull_request_id as entity_id,
    'pull_request' as entity_type,
    repository_id,
    title,
    url
from {{ ref('fct_pull_requests') }}

union all

select
    issue_id as entity_id,
    'issue' as entity_type,
    repository_id,
    title,
    url
from {{ ref('fct_issues') }}

union all

select
    changes.change_id as entity_id,
    'commit' as entity_type,
    changes.repository_id,
    changes.title,
    changes.url
from {{ ref('int_changes') }} as changes
where changes.change_type = 'commit'
