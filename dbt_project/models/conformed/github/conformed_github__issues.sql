select
    issues.connection,
    'github' as source,
    issues.issue_key as source_key,
    repositories.name || '#' || issues.number as key,
    issues.number,
    issues.title,
    issues.description,
    issues.url,
    issues.repository_key,
    lower(issues.vendor_state) as state,
    case
        when issues.vendor_state = 'OPEN' then 'unstarted'
        when issues.state_reason in ('NOT_PLANNED', 'DUPLICATE') then 'canceled'
        else 'completed'
    end as state_category,
    {{ handle('issues.assignee_login') }} as assignee_handle,
    false as is_archived,
    coalesce(issues.state_reason = 'DUPLICATE', false) as is_duplicate,
    issues.created_at,
    issues.updated_at,
    issues.closed_at as completed_at,
    issues.closed_at as canceled_at
from {{ ref('stg_github__issues') }} as issues
left join {{ ref('stg_github__repositories') }} as repositories using (repository_key)
