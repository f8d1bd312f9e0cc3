{#- Whether a text is found by a rule's pattern; NULL, which a condition takes for no, where there is no text. -#}
{% macro found_by(text, rule) -%}
    regexp_matches({{ text }}, {{ rule }}.pattern_regex, 'i')
{%- endmacro %}

{#- The rung of `auto` that a run is on, by what deploys in it. -#}
{% macro kind_of_run(name) -%}
    case when contains(lower({{ name }}), 'deploy') then 'named_runs' else 'other_runs' end
{%- endmacro %}

{#- Whether a workflow or job calls itself a rollback. -#}
{% macro says_rollback(text) -%}
    regexp_matches({{ text }}, 'roll[ _-]?back', 'i')
{%- endmacro %}

{#- One column that orders finished deployments: by finish, then start, then id, so that no tie is left to chance. -#}
{% macro order_of_finish(alias='') -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {{ prefix }}finished_at, {{ prefix }}started_at, {{ prefix }}deployment_id
{%- endmacro %}
