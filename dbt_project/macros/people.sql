{#-
  The handle that an account, commit or user goes by: a login in lower case (a bot's ends in `[bot]`, as REST shows it
  and GraphQL does not, so that a person of the same name is another), else the login in GitHub's noreply address, else
  the e-mail. NULL where nothing is known: the account was deleted.
-#}
{% macro handle(login, account_type='null', name='null', email='null') -%}
    case
        when {{ login }} is not null and ({{ account_type }} = 'Bot' or lower({{ login }}) like '%[bot]')
            then regexp_replace(lower({{ login }}), '\[bot\]$', '') || '[bot]'
        when {{ login }} is not null then lower({{ login }})
        when lower({{ name }}) like '%[bot]' then lower({{ name }})
        when lower({{ email }}) like '%@users.noreply.github.com'
            then regexp_extract(lower({{ email }}), '^(?:[0-9]+\+)?(.+)@', 1)
        else lower({{ email }})
    end
{%- endmacro %}

{#- A person as the marts name him: a pseudonym that stays the same, if the settings ask for one. Bots keep their names. -#}
{% macro public_person(person, is_bot) -%}
    case
        when not coalesce({{ is_bot }}, false) and (select has_pseudonyms from {{ ref('int_settings') }})
            then 'person-' || left(sha256({{ person }}), 12)
        else {{ person }}
    end
{%- endmacro %}
