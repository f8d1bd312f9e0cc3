with issues as (select * from {{ ref('int_issues') }}),

labels as (select * from {{ ref('int_issue_labels') }}),

incident_labels as (
    select
        labels.issue_id,
        min(labels.label) as incident_label,
        arg_min(rules.rule, (labels.label, rules.rule)) as incident_rule
    from labels
    inner join issues using (issue_id)
    inner join {{ ref('int_repository_failure_rules') }} as rules
        on
            rules.kind = 'incident_label'
            and rules.repository_id is not distinct from issues.repository_id
            and regexp_matches(labels.label, rules.pattern_regex, 'i')
    group by labels.issue_id
),

types as (
    select labels.issue_id, min(types.type) as type
    from labels
    inner join {{ ref('issue_types') }} as types on lower(labels.label) = types.label
    group by labels.issue_id
)

select
    issues.issue_id,
    -- a canceled or duplicate one was no incident of its own
    incident_labels.issue_id is not null and issues.state_category <> 'canceled' as is_incident,
    incident_labels.incident_label,
    incident_labels.incident_rule,
    case when incident_labels.issue_id is not null then 'incident' else coalesce(types.type, 'issue') end as type
from issues
left join incident_labels using (issue_id)
left join types using (issue_id)
