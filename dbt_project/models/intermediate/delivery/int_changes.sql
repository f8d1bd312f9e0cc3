-- What can be shipped: a merged pull request, or a commit that went to the default branch without one.
with pull_requests as (
    select * from {{ ref('int_pull_requests') }} where merged_at is not null
),

cherry_picks as (select * from {{ ref('int_cherry_picks') }}),

of_pull_requests as (
    select repository_id, sha from {{ ref('int_pull_request_shas') }}
    union
    select repository_id, sha from {{ ref('int_commit_pull_requests') }}
)

select
    pull_requests.pull_request_id as change_id,
    'pull_request' as change_type,
    pull_requests.repository_id,
    pull_requests.pull_request_id,
    pull_requests.merge_commit_sha as commit_sha,
    pull_requests.author,
    pull_requests.is_bot,
    pull_requests.targets_default_branch,
    carriers.carrier_pull_request_id is not null as is_carrier,
    pull_requests.title,
    pull_requests.url,
    milestones.first_commit_at,
    pull_requests.merged_at
from pull_requests
left join {{ ref('int_pull_request_milestones') }} as milestones using (pull_request_id)
left join (
    select distinct carrier_pull_request_id from {{ ref('int_pull_request_carriers') }} where is_nothing_else
) as carriers on carriers.carrier_pull_request_id = pull_requests.pull_request_id

union all by name

select
    commits.repository_id || '@' || commits.sha as change_id,
    'commit' as change_type,
    commits.repository_id,
    null as pull_request_id,
    commits.sha as commit_sha,
    commits.author,
    commits.is_bot,
    true as targets_default_branch,
    false as is_carrier,
    split_part(commits.message, chr(10), 1) as title,
    commits.url,
    commits.committed_at as first_commit_at,
    commits.committed_at as merged_at
from {{ ref('int_commits') }} as commits
anti join of_pull_requests using (repository_id, sha)
anti join cherry_picks using (repository_id, sha)
cross join {{ ref('int_settings') }} as settings
where
    not contains(trim(coalesce(commits.parent_shas, '')), ' ')
    -- the last page that was read reaches back over the start date
    and (settings.started_at is null or commits.committed_at >= settings.started_at)
