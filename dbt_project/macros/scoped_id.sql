{#- Ids that a person can read: `github:acme/web`, `github:acme/web#41`, `linear:ENG-12`. -#}
{% macro scoped_id(host, name, number=none) -%}
    '{{ host }}:' || {{ name }}{% if number %} || '#' || {{ number }}{% endif %}
{%- endmacro %}
