{#-
    The rows of all vendors that have such a thing, in the neutral columns; NULL where a vendor has no such column. Which
    vendor has which noun stands in `conformed` of dbt_project.yml, and nowhere else.
-#}
{% macro union_conformed(noun) -%}
    {%- for vendor in vendors_with(noun) -%}
select * from {{ ref('conformed_' ~ vendor ~ '__' ~ noun) }}
        {%- if not loop.last %}
union all by name
{% endif %}
    {%- endfor %}
{%- endmacro %}

{#- The vendors' names, quoted, for `in (…)`. -#}
{% macro sources_with(noun) -%}
    '{{ vendors_with(noun) | join("', '") }}'
{%- endmacro %}

{% macro vendors_with(noun) -%}
    {%- set found = [] -%}
    {%- for vendor, nouns in var('conformed').items() if noun in nouns -%}
        {%- do found.append(vendor) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
