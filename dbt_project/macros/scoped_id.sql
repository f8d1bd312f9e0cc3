{#- Ids that a person can read: `github:acme/web`, `github:acme/web#41`, `linear:ENG-12`; they begin with the connection. -#}
{% macro scoped_id(connection, name, number=none) -%}
    {{ connection }} || ':' || {{ name }}{% if number %} || '#' || {{ number }}{% endif %}
{%- endmacro %}

{#- The name of the connection that a raw row comes from; the vendor's own is not written into it. -#}
{% macro connection_of(vendor) -%}
    coalesce(connection, '{{ vendor }}')
{%- endmacro %}

{#- A login as it is told from the same one on another connection; that of the vendor's own stands as it is. -#}
{% macro account(login) -%}
    coalesce(connection || ':', '') || {{ login }}
{%- endmacro %}

{#-
  Whether an entry of the settings names a repository: by its name, or the one it was configured as, with or without its
  connection in front. `repository` has the columns connection, name and configured_as.
-#}
{% macro names_repository(entry, repository) -%}
    lower({{ entry }}) in (
        lower({{ repository }}.name),
        lower({{ repository }}.configured_as),
        {{ repository }}.connection || ':' || lower({{ repository }}.name),
        {{ repository }}.connection || ':' || lower({{ repository }}.configured_as)
    )
{%- endmacro %}

{#- An id out of a key, which begins with the connection only where that is not the vendor's own. -#}
{% macro readable_key(key, connection) -%}
    case when starts_with({{ key }}, {{ connection }} || ':') then {{ key }} else {{ connection }} || ':' || {{ key }} end
{%- endmacro %}

{#- The connection that an id begins with. -#}
{% macro connection_in(id) -%}
    split_part({{ id }}, ':', 1)
{%- endmacro %}

{#- The provider's own id in a key: without the connection of the row's id, where that is in front. -#}
{% macro provider_key(key, id) -%}
    case
        when starts_with({{ key }}, {{ connection_in(id) }} || ':') then substr({{ key }}, length({{ connection_in(id) }}) + 2)
        else {{ key }}
    end
{%- endmacro %}
