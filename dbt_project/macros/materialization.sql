{#-
    A table, made in one transaction: the old one is dropped and the new one created under its name. The adapter's own
    materialization makes it under a second name and renames twice, with queries for indexes and foreign keys between,
    which no model here has: three times as many statements, each of which costs dbt more than DuckDB.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing is not none -%}
        {%- do drop_in_transaction(existing) -%}
        {%- if model['language'] == 'python' -%} {#- it writes through a connection of its own -#}
            {%- do adapter.commit() -%}
        {%- endif -%}
    {%- endif -%}
    {% call statement('main', language=model['language']) -%}
        {{- create_table_as(False, target, compiled_code, model['language']) -}}
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(target, model) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro drop_in_transaction(relation) -%}
    {%- call statement('drop', auto_begin=True) -%}
        drop {{ relation.type }} if exists {{ relation }}
    {%- endcall -%}
{%- endmacro %}

{#- The adapter asks for the columns first, which a contract has already settled. -#}
{% macro duckdb__alter_column_comment(relation, column_dict) -%}
    {%- for name, column in column_dict.items() %}
    comment on column {{ relation }}.{{ adapter.quote(name) }} is {{ duckdb_escape_comment(column.description) }};
    {%- endfor %}
{%- endmacro %}
