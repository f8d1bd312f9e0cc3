-- Four ways to find a change in a deployment: its merge commit; what carries it; its branch's commits or their
-- cherry-picks; the date, only for deployments that do not say their sha. The earliest deployment that has it shipped
-- it, whichever way finds it there; the date says something only where no other way does.
with recursive deployments as (select * from {{ ref('int_deployments') }} where is_delivered),

changes as (
    select changes.*, change_services.service
    from {{ ref('int_changes') }} as changes
    inner join {{ ref('int_change_services') }} as change_services using (change_id)
),

shipped_commits as (
    select deployments.repository_id, deployments.service, deployments.environment, traced.deployment_id, traced.sha
    from (
        select deployment_id, unnest(shipped_shas) as sha from {{ ref('int_deployments_traced') }}
    ) as traced
    inner join deployments using (deployment_id)
),

by_graph as (
    select changes.change_id, changes.service, shipped.environment, shipped.deployment_id, 'commit_graph' as match_method, 1 as step
    from changes
    inner join shipped_commits as shipped
        on shipped.service = changes.service and shipped.sha = changes.commit_sha
),

of_branch as (
    select pull_requests.pull_request_id as change_id, pull_requests.repository_id, pull_requests.head_sha as sha
    from {{ ref('int_pull_requests') }} as pull_requests
    union
    select shas.pull_request_id, shas.repository_id, cherry_picks.sha
    from {{ ref('int_pull_request_shas') }} as shas
    inner join {{ ref('int_cherry_picks') }} as cherry_picks
        on cherry_picks.repository_id = shas.repository_id and cherry_picks.original_sha = shas.sha
),

by_sha as (
    select changes.change_id, changes.service, shipped.environment, shipped.deployment_id, 'sha' as match_method, 3 as step
    from changes
    inner join of_branch using (change_id)
    inner join shipped_commits as shipped
        on shipped.service = changes.service and shipped.sha = of_branch.sha
),

carriers as (
    select pull_request_id, carrier_pull_request_id from {{ ref('int_pull_request_carriers') }} where is_whole
),

by_carrier as (
    select
        carriers.pull_request_id as change_id,
        carrier.service,
        carrier.environment,
        carrier.deployment_id,
        carrier.match_method,
        2 as step
    from (select * from by_graph union all select * from by_sha) as carrier
    inner join carriers on carriers.carrier_pull_request_id = carrier.change_id

    union

    -- what a carrier carried goes on with it
    select
        carriers.pull_request_id as change_id,
        carrier.service,
        carrier.environment,
        carrier.deployment_id,
        carrier.match_method,
        carrier.step
    from by_carrier as carrier
    inner join carriers on carriers.carrier_pull_request_id = carrier.change_id
),

without_sha as (select * from deployments where sha is null),

by_date as (
    select due.change_id, due.service, due.environment, without_sha.deployment_id, 'date' as match_method, 4 as step
    from (
        select changes.change_id, changes.service, changes.merged_at, lanes.environment
        from changes
        inner join (select distinct service, environment from without_sha) as lanes using (service)
        where changes.targets_default_branch
    ) as due
    asof join without_sha
        on without_sha.service = due.service
        and without_sha.environment = due.environment
        and without_sha.started_at >= due.merged_at
),

found as (
    select * from by_graph
    union all by name
    select * from by_carrier
    union all by name
    select * from by_sha
    union all by name
    select * from by_date
),

first_of_lane as (
    select
        found.change_id,
        found.service,
        found.environment,
        found.match_method,
        deployments.deployment_id,
        deployments.is_baseline,
        deployments.started_at,
        deployments.finished_at
    from found
    inner join deployments using (deployment_id)
    qualify row_number() over (
        partition by found.change_id, found.service, found.environment
        order by found.step = 4, {{ order_of_finish('deployments') }}, found.step, found.match_method
    ) = 1
)

select
    shipped.deployment_id,
    changes.repository_id,
    shipped.service,
    shipped.environment,
    changes.change_id,
    changes.change_type,
    changes.pull_request_id,
    changes.commit_sha,
    shipped.match_method,
    shipped.is_baseline as in_baseline,
    changes.is_bot,
    changes.is_carrier,
    changes.first_commit_at,
    changes.merged_at,
    shipped.finished_at as deployed_at,
    row_number() over (
        partition by changes.change_id, shipped.service order by {{ order_of_finish('shipped') }}
    ) = 1 as is_first_of_service,
    row_number() over (
        partition by changes.change_id order by {{ order_of_finish('shipped') }}
    ) = 1 as is_first
from first_of_lane as shipped
inner join changes on changes.change_id = shipped.change_id and changes.service = shipped.service
