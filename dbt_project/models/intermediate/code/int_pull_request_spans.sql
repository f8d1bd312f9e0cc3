{%- set spans = pull_request_spans() -%}

with moments as (
    select
        pull_requests.pull_request_id,
        pull_requests.created_at,
        pull_requests.merged_at,
        milestones.first_commit_at,
        milestones.ready_at,
        milestones.first_review_at,
        milestones.first_response_at,
        case when milestones.first_response_at is null then milestones.ready_at end as unanswered_since,
        -- what a baseline contains was shipped at a time unknown
        case when not deployments.deployed_in_baseline then deployments.deployed_at end as deployed_at
    from {{ ref('int_pull_requests') }} as pull_requests
    inner join {{ ref('int_pull_request_milestones') }} as milestones using (pull_request_id)
    left join {{ ref('int_pull_request_deployments') }} as deployments using (pull_request_id)
)

select
    {% for name, start, finish, reason in spans -%}
    {{ hours_between(start, finish) }} as {{ name }}_hours,
    {% if reason -%}
    {{ finish }} < {{ start }} as is_{{ name }}_negative,
    {% endif -%}
    {% endfor -%}
    pull_request_id
from moments
