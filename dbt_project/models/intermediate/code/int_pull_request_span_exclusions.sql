{% for name, _, _, reason in pull_request_spans() if reason -%}
select
    '{{ name }}' as metric,
    pull_request_id as entity_id,
    'negative span: {{ reason }}' as reason
from {{ ref('int_pull_request_spans') }}
where is_{{ name }}_negative
{{ 'union all' if not loop.last }}
{% endfor %}
