{#- A raw TIMESTAMPTZ as a TIMESTAMP in UTC. -#}
{% macro utc(column) -%}
    ({{ column }} at time zone 'UTC')
{%- endmacro %}

{#- Elapsed hours; NULL where an end is missing or comes before its start (rule 5 of the metrics). -#}
{% macro hours_between(start, finish) -%}
    case when {{ finish }} >= {{ start }} then date_diff('microsecond', {{ start }}, {{ finish }}) / 3600000000.0::double end
{%- endmacro %}
