with pull_requests as (select * from {{ ref('int_pull_requests') }}),

rules as (select * from {{ ref('int_repository_failure_rules') }}),

hotfixes as (
    select pull_requests.pull_request_id, rules.rule
    from pull_requests
    inner join {{ ref('int_pull_request_labels') }} as labels using (pull_request_id)
    inner join rules
        on rules.repository_id = pull_requests.repository_id
        and rules.kind = 'hotfix_label'
        and {{ found_by('labels.label', 'rules') }}
    union all
    select pull_requests.pull_request_id, rules.rule
    from pull_requests
    inner join rules
        on rules.repository_id = pull_requests.repository_id
        and rules.kind = 'hotfix_branch'
        and {{ found_by('pull_requests.head_branch', 'rules') }}
),

hotfix_rules as (select pull_request_id, min(rule) as hotfix_rule from hotfixes group by pull_request_id),

reverts as (
    select
        change_id as pull_request_id,
        min(reverted_change_id) filter (where not contains(reverted_change_id, '@')) as reverts_pull_request_id,
        min(reverted_sha) as reverts_commit_sha
    from {{ ref('int_reverts') }}
    group by change_id
),

carriers as (
    select distinct carrier_pull_request_id from {{ ref('int_pull_request_carriers') }} where is_nothing_else
)

select
    pull_requests.pull_request_id,
    reverts.pull_request_id is not null as is_revert,
    reverts.reverts_pull_request_id,
    reverts.reverts_commit_sha,
    hotfix_rules.hotfix_rule is not null as is_hotfix,
    hotfix_rules.hotfix_rule,
    carriers.carrier_pull_request_id is not null as is_carrier
from pull_requests
left join reverts using (pull_request_id)
left join hotfix_rules using (pull_request_id)
left join carriers on carriers.carrier_pull_request_id = pull_requests.pull_request_id
