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
        -- what a baseline contains was shipped at a time unknown
        case when not deployments.deployed_in_baseline then deployments.deployed_at end as deployed_at
    from {{ ref('int_pull_requests_unioned') }} as pull_requests
    inner join {{ ref('int_pull_request_milestones') }} as milestones using (pull_request_id)
    left join {{ ref('int_pull_request_deployments') }} as deployments using (pull_request_id)
)

select
    pull_request_id,
    {% for name, start, finish, _ in spans -%}
    {{ hours_between(start, finish) }} as {{ name }}_hours,
    {{ finish }} < {{ start }} as is_{{ name }}_negative{{ ',' if not loop.last }}
    {% endfor %}
from moments
