{#-
  The handle that an account, commit or user goes by: a login in lower case (a bot's ends in `[bot]`, as REST shows it
  and GraphQL does not, so that a person of the same name is another), else the login in GitHub's noreply address, else
  the e-mail. NULL where nothing is known: the account was deleted.
-#}
{% macro handle(login, account_type=none, name=none, email=none) -%}
    {%- set of_login -%}
    case
        when {% if account_type %}{{ account_type }} = 'Bot' or {% endif %}lower({{ login }}) like '%[bot]'
            then regexp_replace(lower({{ login }}), '\[bot\]$', '') || '[bot]'
        else lower({{ login }})
    end
    {%- endset -%}
    {%- if email -%}
    coalesce(
        {{ of_login }},
        case when lower({{ name }}) like '%[bot]' then lower({{ name }}) end,
        nullif(regexp_extract(lower({{ email }}), '^(?:[0-9]+\+)?(.+)@users\.noreply\.github\.com$', 1), ''),
        lower({{ email }})
    )
    {%- else -%}
    {{ of_login }}
    {%- endif -%}
{%- endmacro %}

{% macro pseudonym(person) -%}
    'person-' || left(sha256({{ person }}), 12)
{%- endmacro %}

{#- A person as the marts name him: a pseudonym that stays the same, if the settings ask for one. Bots keep their names. -#}
{% macro public_person(person, is_bot) -%}
    case
        when not coalesce({{ is_bot }}, false) and (select has_pseudonyms from {{ ref('int_settings') }})
            then {{ pseudonym(person) }}
        else {{ person }}
    end
{%- endmacro %}
