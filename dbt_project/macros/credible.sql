{#- The time of a commit, if it may be one: 1970 is what a clock says that was never set, and git takes any number. -#}
{% macro credible(time) -%}
    case when {{ time }} >= timestamp '1980-01-01' then {{ time }} end
{%- endmacro %}
