{#-
    What always holds of a model or raw table: one test that says which condition failed, and for which row.

    Arguments, all optional:
        one_row: it is one row, whatever the data.
        unique: keys; each is a column, or a list of columns that identify a row together. NULLs are equal here.
        not_null: columns.
        accepted_values: by column, the values that it may have; NULL may be.
        relationships: {column, to, field}: each value of the column is one of the field of the other model; NULL may be.
        expressions: by name, an expression that is never false; NULL may be.

    Gives a row per failure: condition, and the key of the row that failed (without a key, the whole row).
-#}
{% test conditions(model, one_row=false, unique=[], not_null=[], accepted_values={}, relationships=[], expressions={}) %}
    {%- set keys = [] -%}
    {%- for key in unique -%}
        {%- do keys.append([key] if key is string else key) -%}
    {%- endfor -%}

    {%- set key = keys | first | default([]) -%}
    {#- (named in each part: DuckDB would copy a common table expression that is read more than once) -#}
    {%- set rows = ' from ' ~ model ~ ' as checked ' -%}
    {%- set parts = [] -%}
    {%- if one_row -%}
        {%- do parts.append("select 'one row', count(*) || ' rows'" ~ rows ~ "having count(*) <> 1") -%}
    {%- endif -%}
    {%- for columns in keys -%}
        {%- set listed = columns | join(', ') -%}
        {%- do parts.append(
            "select 'unique: " ~ listed ~ "', " ~ failing_row(columns) ~ rows ~ "group by " ~ listed
            ~ " having count(*) > 1"
        ) -%}
    {%- endfor -%}
    {%- for column in not_null -%}
        {%- do parts.append(failures(rows, 'not null: ' ~ column, column ~ ' is null', key + [column])) -%}
    {%- endfor -%}
    {%- for column, values in accepted_values.items() -%}
        {%- set listed = "'" ~ values | join("', '") ~ "'" -%}
        {%- do parts.append(failures(rows, 'accepted values: ' ~ column, column ~ ' not in (' ~ listed ~ ')', key + [column])) -%}
    {%- endfor -%}
    {%- for each in relationships -%}
        {%- set found = 'select ' ~ each.field ~ ' from ' ~ each.to ~ ' where ' ~ each.field ~ ' is not null' -%}
        {%- set predicate = each.column ~ ' is not null and ' ~ each.column ~ ' not in (' ~ found ~ ')' -%}
        {%- do parts.append(failures(rows, 'relationship: ' ~ each.column, predicate, key + [each.column])) -%}
    {%- endfor -%}
    {%- for name, expression in expressions.items() -%}
        {%- do parts.append(failures(rows, 'expression: ' ~ name, 'not (' ~ expression ~ ')', key)) -%}
    {%- endfor %}

select condition, failing_row
from (
    {{ parts | join('\n    union all\n    ') }}
) as failed (condition, failing_row)
{% endtest %}

{#- The rows of which a predicate holds, as failures of a condition. -#}
{% macro failures(rows, condition, predicate, columns) -%}
    select '{{ condition | replace("'", "''") }}', {{ failing_row(columns) }}{{ rows }}where {{ predicate }}
{%- endmacro %}

{#- Columns of a row as text that tells the row; without any the whole row. -#}
{% macro failing_row(columns) -%}
    {%- if columns -%}
        {%- set named = [] -%}
        {%- for column in columns | unique -%}
            {%- do named.append("'" ~ column ~ "': " ~ column) -%}
        {%- endfor -%}
        cast({{ '{' ~ named | join(', ') ~ '}' }} as varchar)
    {%- else -%}
        cast(checked as varchar)
    {%- endif -%}
{%- endmacro %}
