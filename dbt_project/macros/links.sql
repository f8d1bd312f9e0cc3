{#-
  How a text names issues. All of it is RE2, which has no look-around: what precedes a name is matched with it, what
  follows is a word boundary.
-#}

{% macro closing_words() -%}
clos(?:e|es|ed|ing)|fix(?:es|ed|ing)?|resolv(?:e|es|ed|ing)|complet(?:e|es|ed|ing)|implement(?:s|ed|ing)?
{%- endmacro %}

{% macro mentioning_words() -%}
refs?|references?|referencing|part of|relate[sd]? to|contributes? to|towards?|see also|follow[- ]up (?:to|of|on|for)
{%- endmacro %}

{% macro magic_words() -%}
{{ closing_words() }}|{{ mentioning_words() }}
{%- endmacro %}

{#- One name of an issue: an address, owner/name#7, #7 or KEY-7, with the marks that Markdown puts around it. -#}
{% macro issue_name() -%}
[\[(<*_"]*(?:https?://[^\s)\]>,]+|[\w.-]+/[\w.-]+#[0-9]+|#[0-9]+|[a-z][a-z0-9]*-[0-9]+(?:\.[0-9]+)*)\b[\])>*_"]*(?:\(https?://[^\s)]*\))?
{%- endmacro %}

{#- What follows a magic word: the list of issues in "Fixes ENG-1, ENG-2 and #7", "Closes:\n- ENG-1\n- ENG-2". -#}
{% macro issue_list() -%}
(?:\s*:\s*|[ \t]+)(?:[-*][ \t]+)?(?:(?:the|issues?|bugs?|tickets?|tasks?)[ \t]+)*{{ issue_name() }}(?:(?:\s*[,&+]\s*(?:and\s+)?|\s+and\s+|\s*\n\s*[-*][ \t]+){{ issue_name() }})*
{%- endmacro %}

{% macro magic_phrase() -%}
(?:{{ magic_words() }}){{ issue_list() }}
{%- endmacro %}

{#-
  A text as it is searched for links, in lower case: without comments and code, and without what it says it does not
  do: "do not close #99" names nothing. "Not only fixes …" does fix it. The negated words are marked first, and
  what the mark stands before is taken out then.
-#}
{% macro linkable_text(text) -%}
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(lower({{ text }}), '(?s)<!--.*?-->|```.*?```|~~~.*?~~~|`[^`\n]*`', ' ', 'g'),
                '\bnot only\b', 'only', 'g'
            ),
            '\b(?:[a-z]+n[\x27\x{2019}]t|dont|wont|cannot|not|never|without|no longer)[ \t]+(?:[a-z]+[ \t]+){0,2}?(?:{{ magic_words() }})(?:[ \t]+(?:or|and|nor)[ \t]+(?:{{ magic_words() }}))*\b',
            chr(1), 'g'
        ),
        '\x01{{ issue_list() }}', ' ', 'g'
    )
{%- endmacro %}

{#-
  The issues that a text in lower case names, as a list of references: `eng-12`, `acme/web#7` or, for an address,
  `github.com/acme/web#7`. `repository` is where a bare #7 is at home. Whether there is such an issue is not asked here.
  A key that a dot and a digit follow is a version: `node-20.11.5`.
-#}
{% macro issue_references(text, repository) -%}
    list_distinct(list_concat(
        regexp_extract_all(
            regexp_replace(replace({{ text }}, '_', ' '), '[a-z][a-z0-9]*-[0-9]+\.[0-9]', ' ', 'g'),
            '(?:^|[^\pL\pN])([a-z][a-z0-9]*-[0-9]+)\b', 1
        ),
        regexp_extract_all({{ text }}, '(?:^|[^\w./-])([\w.-]+/[\w.-]+#[0-9]+)\b', 1),
        list_transform(
            regexp_extract_all({{ text }}, '(?:^|[^\pL\pN_/#&.-])(#[0-9]+)\b', 1), lambda number: {{ repository }} || number
        ),
        list_transform(
            regexp_extract_all({{ text }}, 'https?://([^\s/]+/[\w.-]+/[\w.-]+/issues/[0-9]+)\b', 1),
            lambda address: replace(address, '/issues/', '#')
        )
    ))
{%- endmacro %}

{#- What an incident says of the pull request that caused it, and of the one that fixed it. -#}
{% macro causing_words() -%}
(?:caused|introduced|broken|triggered) (?:by|in|with)|regress(?:ion|ed) (?:from|in|of|since|with)|due to|because of
{%- endmacro %}

{% macro fixing_words() -%}
(?:fixed|resolved|closed|mitigated|solved|repaired) (?:by|in|with)
{%- endmacro %}

{#- A text as it is searched for pull requests, in lower case: without comments and code, and without what it denies. -#}
{% macro pull_request_text(text) -%}
    regexp_replace(
        regexp_replace(lower({{ text }}), '(?s)<!--.*?-->|```.*?```|~~~.*?~~~|`[^`\n]*`', ' ', 'g'),
        '\b(?:[a-z]+n[\x27\x{2019}]t|not|never|cannot|no longer)[ \t]+(?:[a-z]+[ \t]+){0,2}?(?:{{ causing_words() }}|{{ fixing_words() }})\b[^.\n]*', ' ', 'g'
    )
{%- endmacro %}

{#- Pull requests by their addresses in a text in lower case, as `github.com/acme/web#41`. -#}
{% macro pull_request_addresses(text) -%}
    list_transform(
        regexp_extract_all({{ text }}, 'https?://([^\s/]+/[\w.-]+/[\w.-]+/pull/[0-9]+)\b', 1),
        lambda address: replace(address, '/pull/', '#')
    )
{%- endmacro %}

{#- Pull requests that a text in lower case names after such words: `#41`, `acme/web#41`, `github.com/acme/web#41`. -#}
{% macro pull_requests_after(text, words) -%}
    list_transform(
        regexp_extract_all(
            {{ text }},
            '(?:^|[^\pL\pN])(?:{{ words }})[:\s]+(?:(?:the|prs?|pull requests?|merge requests?|changes?|commits?)\s+)*[\[(<]*((?:https?://[^\s/]+/)?[\w.-]+/[\w.-]+/pull/[0-9]+|(?:[\w.-]+/[\w.-]+)?#[0-9]+)\b',
            1
        ),
        lambda reference: replace(regexp_replace(reference, '^https?://', ''), '/pull/', '#')
    )
{%- endmacro %}
