{%- set spans = issue_spans() -%}

with moments as (
    select
        issues.issue_id,
        issues.created_at,
        issues.started_at,
        issues.completed_at,
        linked.last_merged_at
    from {{ ref('int_issues') }} as issues
    left join {{ ref('int_issues_with_pull_requests') }} as linked using (issue_id)
)

select
    issue_id,
    {% for name, start, finish, _ in spans -%}
    {{ hours_between(start, finish) }} as {{ name }}_hours,
    {{ finish }} < {{ start }} as is_{{ name }}_negative{{ ',' if not loop.last }}
    {% endfor %}
from moments
