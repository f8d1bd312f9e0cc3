-- Every eligible thing of every metric once: with its value, or with the reason why it has none. All that the metrics,
-- the scorecard, the coverage and the exclusions say is an aggregate of this table.
with now as (select * from {{ ref('int_now') }}),

deployments as (select * from {{ ref('fct_deployments') }}),

changes as (
    select
        changes.*,
        change_services.service,
        shipped.deployed_at,
        shipped.in_baseline,
        shipped.lead_time_hours
    from {{ ref('int_changes') }} as changes
    left join {{ ref('int_change_services') }} as change_services using (change_id)
    left join {{ ref('fct_deployed_changes') }} as shipped
        on shipped.change_id = changes.change_id and shipped.service = change_services.service
),

of_deployments as (
    select
        unnest(['deployment_frequency', 'change_fail_rate', 'rework_rate']) as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        coalesce(finished_at, started_at) as measured_at,
        unnest([1.0, is_failed::integer, is_rework::integer]) as value,
        case
            when finished_at is null then 'when it ended is not known'
            when not is_counted then 'redeploys what ran already: see deployments.count_redeploys'
        end as excluded_because
    from deployments
    where status = 'success' and is_production

    union all by name

    select
        unnest(['deployment_frequency', 'change_fail_rate', 'rework_rate']) as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        finished_at as measured_at,
        reason as excluded_because
    from {{ ref('int_deployments_left_out') }}

    union all by name

    select
        'deployed_changes' as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        finished_at as measured_at,
        change_count as value,
        case when not is_sha_known then 'its sha is not in the known history: it ships nothing' end as excluded_because
    from deployments
    where is_counted

    union all by name

    -- failed attempts, where deployment_status is evidence
    select
        'change_fail_rate' as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        finished_at as measured_at,
        1.0 as value
    from deployments
    where is_failed and status = 'failure'

    union all by name

    select
        'redeployments' as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        finished_at as measured_at,
        1.0 as value
    from deployments
    where is_redeploy and is_production

    union all by name

    select
        'recovery' as metric,
        deployment_id as entity_id,
        repository_id,
        service,
        coalesce(recovered_at, finished_at) as measured_at,
        recovery_hours as value,
        case
            when recovered_at is null then 'not recovered yet'
            when recovery_hours is null then 'recovered before it was deployed'
        end as excluded_because
    from deployments
    where is_failed

    union all by name

    select
        'time_to_restore' as metric,
        incident_id as entity_id,
        repository_id,
        service,
        team,
        coalesce(resolved_at, created_at) as measured_at,
        time_to_restore_hours as value,
        case
            when resolved_at is null then 'not resolved yet'
            when time_to_restore_hours is null then 'resolved before it was created'
        end as excluded_because
    from {{ ref('fct_incidents') }}
),

of_changes as (
    select
        case change_type when 'commit' then 'commit_lead_time' else 'lead_time' end as metric,
        change_id as entity_id,
        repository_id,
        service,
        coalesce(deployed_at, merged_at) as measured_at,
        lead_time_hours as value,
        case
            when is_carrier then 'only carries other pull requests'
            when is_bot then 'by a bot'
            when deployed_at is null then 'not known to be deployed'
            when in_baseline then 'deployed in a baseline: its true date is not known'
            when first_commit_at is null then 'its first commit is not known'
            when lead_time_hours is null then 'deployed before its first commit'
        end as excluded_because
    from changes
),

pull_requests as (
    select pull_requests.*, change_services.service
    from {{ ref('fct_pull_requests') }} as pull_requests
    left join {{ ref('int_change_services') }} as change_services
        on change_services.change_id = pull_requests.pull_request_id
),

authors as (
    -- by the person's own name: the published one may be a pseudonym
    select pull_request_id, author as person from {{ ref('int_pull_requests') }}
),

of_pull_requests as (
    select
        unnest(['pull_requests_opened', 'coding']) as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        created_at as measured_at,
        unnest([1.0, coding_hours]) as value,
        unnest([
            case when is_bot then 'by a bot' end,
            case
                when carries_pull_requests then 'only carries other pull requests'
                when is_bot then 'by a bot'
                when first_commit_at is null then 'its first commit is not known'
            end
        ]) as excluded_because
    from pull_requests

    union all by name

    select
        unnest(['pull_requests_merged', 'pull_requests_merged_by_bots']) as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        merged_at as measured_at,
        1.0 as value,
        unnest([case when is_bot then 'by a bot' end, case when not is_bot then 'not by a bot' end]) as excluded_because
    from pull_requests
    where merged_at is not null

    union all by name

    select
        'time_to_first_review' as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        coalesce(first_review_at, created_at) as measured_at,
        time_to_first_review_hours as value,
        case
            when is_bot then 'by a bot'
            when first_review_at is null then 'no review by another human'
        end as excluded_because
    from pull_requests

    union all by name

    select
        'pickup' as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        coalesce(first_response_at, created_at) as measured_at,
        pickup_hours as value,
        case
            when is_bot then 'by a bot'
            when ready_at is null then 'still a draft'
            when first_response_at is null and merged_at is not null then 'no response by another human before the merge'
            when first_response_at is null then 'no response by another human'
        end as excluded_because
    from pull_requests

    union all by name

    select
        'draft' as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        coalesce(ready_at, created_at) as measured_at,
        draft_hours as value,
        case
            when is_bot then 'by a bot'
            when ready_at is null then 'still a draft'
        end as excluded_because
    from pull_requests

    union all by name

    select
        unnest(['review', 'unreviewed', 'merge_time', 'deploy']) as metric,
        pull_request_id as entity_id,
        repository_id,
        service,
        unnest([merged_at, merged_at, merged_at, coalesce(deployed_at, merged_at)]) as measured_at,
        unnest([review_hours, unreviewed_hours, merge_time_hours, deploy_hours]) as value,
        unnest([
            case
                when is_bot then 'by a bot'
                when first_response_at is null then 'no response by another human before the merge'
            end,
            case
                when is_bot then 'by a bot'
                when first_response_at is not null then 'answered by another human before the merge'
                when ready_at is null then 'merged as a draft'
            end,
            case when is_bot then 'by a bot' end,
            case
                when carries_pull_requests then 'only carries other pull requests'
                when is_bot then 'by a bot'
                when deployed_at is null then 'not known to be deployed'
                when deployed_in_baseline then 'deployed in a baseline: its true date is not known'
            end
        ]) as excluded_because
    from pull_requests
    where merged_at is not null
),

issues as (
    -- an issue is its repository's, or that of the pull request which ended it
    select
        issues.* exclude (repository_id),
        coalesce(issues.repository_id, pull_requests.repository_id) as repository_id,
        pull_requests.merged_at as linked_merged_at
    from {{ ref('fct_issues') }} as issues
    left join {{ ref('fct_pull_requests') }} as pull_requests
        on pull_requests.pull_request_id = issues.linked_pull_request_id
),

of_issues as (
    select
        'issues_completed' as metric,
        issue_id as entity_id,
        repository_id,
        linked_pull_request_id,
        team,
        completed_at as measured_at,
        1.0 as value
    from issues
    where completed_at is not null

    union all by name

    select
        'cycle_time' as metric,
        issue_id as entity_id,
        repository_id,
        linked_pull_request_id,
        team,
        coalesce(linked_merged_at, completed_at) as measured_at,
        cycle_time_hours as value,
        case
            when state_category = 'canceled' then 'canceled or a duplicate'
            when linked_merged_at is null then 'no merged pull request is linked to it'
        end as excluded_because
    from issues
    where completed_at is not null or linked_merged_at is not null

    union all by name

    select
        'started_to_completed' as metric,
        issue_id as entity_id,
        repository_id,
        linked_pull_request_id,
        team,
        completed_at as measured_at,
        started_to_completed_hours as value,
        case
            when started_at is null then 'never in a started state'
        end as excluded_because
    from issues
    where completed_at is not null
),

negative_spans as (
    select * from {{ ref('int_pull_request_span_exclusions') }}
    union all
    select * from {{ ref('int_issue_span_exclusions') }}
),

-- A team has deployments by its services, pull requests by its members, issues by its trackers.
by_service as (
    select *, 'deployments' as owned_by from of_deployments
    union all by name
    select *, 'deployments' as owned_by from of_changes
    union all by name
    select *, 'author' as owned_by from of_pull_requests
    union all by name
    select of_issues.*, change_services.service, 'tracker' as owned_by
    from of_issues
    left join {{ ref('int_change_services') }} as change_services
        on change_services.change_id = of_issues.linked_pull_request_id
),

-- What is half known would make rates wrong: failures without their remedies, changes without their deployments.
unread as (select kind, part from {{ ref('int_as_of') }} where is_unread),

explained as (
    select
        by_service.* exclude (excluded_because),
        case
            when unread_repositories.part is not null then 'its repository was never read completely'
            when unread_trackers.part is not null then 'its team was never read completely'
            else by_service.excluded_because
        end as excluded_because
    from by_service
    left join unread as unread_repositories
        on unread_repositories.kind = 'repository' and unread_repositories.part = by_service.repository_id
    left join unread as unread_trackers
        on unread_trackers.kind = 'tracker' and unread_trackers.part = lower(by_service.team)
),

measured as (
    select
        explained.* exclude (value, excluded_because),
        {{ local_date('explained.measured_at', 'now.timezone') }} as measured_on,
        case when explained.excluded_because is null then explained.value::double end as value,
        coalesce(explained.excluded_because, negative_spans.reason) as excluded_because
    from explained
    cross join now
    left join negative_spans using (metric, entity_id)
),

coded as (select *, {{ exclusion_code('excluded_because') }} as exclusion_code from measured),

{%- set first = "row_number() over (partition by metric, entity_id, {}
        order by coalesce(excluded_because = 'not known to be deployed', false), measured_at, service) = 1" %}

ranked as (
    -- what belongs to several services of a scope counts in it once, with the first of them
    select *, {{ first.format('true') }} as is_first, {{ first.format('repository_id') }} as is_first_of_repository
    from coded
),

of_teams as (
    select teams.team as scope, coded.*
    from coded
    inner join {{ ref('int_team_services') }} as teams using (service)
    where coded.owned_by = 'deployments'
    union all by name
    select members.team as scope, coded.*
    from coded
    inner join authors on authors.pull_request_id = coded.entity_id
    inner join {{ ref('int_team_members') }} as members
        on members.person = authors.person
        and coded.measured_on >= coalesce(members.valid_from, '-infinity'::date)
        and coded.measured_on <= coalesce(members.valid_until, 'infinity'::date)
    where coded.owned_by = 'author'
    union all by name
    select trackers.team as scope, coded.*
    from coded
    inner join {{ ref('int_team_trackers') }} as trackers on lower(trackers.team_key) = lower(coded.team)
    where coded.owned_by = 'tracker' or coded.metric = 'time_to_restore'
),

scoped as (
    select 'all' as scope_type, 'all' as scope, ranked.* from ranked where is_first
    union all by name
    select 'repository' as scope_type, repository_id as scope, ranked.*
    from ranked
    where repository_id is not null and is_first_of_repository
    union all by name
    select 'service' as scope_type, service as scope, ranked.* from ranked where service is not null
    union all by name
    select 'team' as scope_type, of_teams.* from of_teams qualify {{ first.format('scope') }}
)

select metric, scope_type, scope, entity_id, measured_at, measured_on, value, excluded_because, exclusion_code
from scoped
