{%- for metric in metric_list() %}
{%- set is_duration = metric.kind == 'duration' %}
select
    '{{ metric.id }}' as id,
    {{ text_literal(metric.title) }} as title,
    {{ text_literal({'duration': 'hours', 'rate': 'share'}.get(metric.kind, metric.noun)) }} as unit,
    '{{ metric.kind }}' as kind,
    '{{ metric.direction }}' as direction,
    '{{ metric.entity }}' as entity,
    '{{ metric.table }}' as "table",
    {{ text_literal(metric.definition) }} as definition,
    {{ loop.index }}::integer as "order",
    {{ text_literal(metric.topic) }} as topic,
    {{ metric.is_key | default(false) }} as is_key,
    {{ text_literal(metric.noun) }} as sample_noun,
    {{ text_literal(metric.column | default(metric.id ~ ('_hours_median' if is_duration else ''))) }} as value_column,
    {{ text_literal(metric.id ~ '_sample' if metric.kind != 'count' and metric.table in ('dora_metrics', 'dev_metrics') else none) }} as sample_column,
    {{ text_literal(metric.part | default(none)) }} as part_column,
    {{ text_literal(metric.phrase | default(none)) }} as part_phrase,
    {{ 'null' if metric.kind == 'count' else sample_minimum() }}::integer as minimum_sample,
    {{ metric.stage | default('null') }}::integer as stage
{{ 'union all' if not loop.last }}
{%- endfor %}
