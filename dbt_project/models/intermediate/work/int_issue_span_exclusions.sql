{% for name, _, _, reason in issue_spans() -%}
select
    '{{ name }}' as metric,
    issue_id as entity_id,
    'negative span: {{ reason }}' as reason
from {{ ref('int_issue_spans') }}
where is_{{ name }}_negative
{{ 'union all' if not loop.last }}
{% endfor %}
