select
    issues.issue_id,
    {{ provider_key('issues.source_key', 'issues.issue_id') }} as source_key,
    {{ connection_in('issues.issue_id') }} as connection,
    issues.key,
    issues.source,
    issues.repository_id,
    issues.title,
    issues.url,
    issues.team,
    classified.type,
    issues.state,
    issues.state_category,
    issues.priority,
    issues.estimate,
    {{ public_person('issues.assignee', 'issues.is_assigned_to_bot') }} as assignee,
    classified.is_incident,
    issues.is_archived,
    issues.is_duplicate,
    issues.created_at,
    issues.started_at,
    issues.completed_at,
    issues.canceled_at,
    coalesce(linked.linked_pull_request_count, 0) as linked_pull_request_count,
    linked.linked_pull_request_id,
    spans.cycle_time_hours,
    spans.started_to_completed_hours
from {{ ref('int_issues') }} as issues
inner join {{ ref('int_issues_classified') }} as classified using (issue_id)
inner join {{ ref('int_issue_spans') }} as spans using (issue_id)
left join {{ ref('int_issues_with_pull_requests') }} as linked using (issue_id)
