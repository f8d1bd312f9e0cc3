{#- The program's own, as pyproject.toml has it; a test compares them. -#}
{% macro program_version() -%}
    '0.1.0'
{%- endmacro %}

{#-
  Counts changes of the published tables that can break a query: a column that was removed, renamed or given another
  type. A new table or column is none. A column is removed only after a release whose description of it says so.
-#}
{% macro schema_version() -%}
    1::integer
{%- endmacro %}
