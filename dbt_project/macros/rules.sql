{#- Whether a text is found by a rule's pattern; NULL, which a condition takes for no, where there is no text. -#}
{% macro found_by(text, rule) -%}
    regexp_matches({{ text }}, {{ rule }}.pattern_regex, 'i')
{%- endmacro %}

{#- One column that orders finished deployments: by finish, then start, then id, so that no tie is left to chance. -#}
{% macro order_of_finish(alias='') -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {{ prefix }}finished_at, {{ prefix }}started_at, {{ prefix }}deployment_id
{%- endmacro %}
