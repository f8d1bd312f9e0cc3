{#- Why something is left out of a metric: its code, and what the sentence is like that people read. -#}
{% macro exclusion_list() -%}
    {{ return([
        ('unread', 'its repository was never read completely%'),
        ('unread', 'its team was never read completely%'),
        ('redeployed', 'redeploys what ran already%'),
        ('unknown_end', 'when it ended is not known%'),
        ('no_service', 'of none of the services of its repository%'),
        ('no_service', 'ships or takes back no change of a service%'),
        ('other_branch', '% on branch %: see deployments.branches'),
        ('other_tag', '% match%no pattern: see deployments.tag_patterns'),
        ('unknown_commit', 'its sha is not in the known history%'),
        ('not_recovered', 'not recovered yet%'),
        ('not_resolved', 'not resolved yet%'),
        ('carrier', 'only carries other pull requests%'),
        ('bot', 'by a bot%'),
        ('not_a_bot', 'not by a bot%'),
        ('not_deployed', 'not known to be deployed%'),
        ('baseline', 'deployed in a baseline%'),
        ('unknown_first_commit', 'its first commit is not known%'),
        ('no_review', 'no review by another human%'),
        ('no_response', 'no response by another human%'),
        ('response', 'answered by another human before the merge%'),
        ('draft', 'still a draft%'),
        ('draft', 'merged as a draft%'),
        ('canceled', 'canceled or a duplicate%'),
        ('no_pull_request', 'no merged pull request is linked to it%'),
        ('never_started', 'never in a started state%'),
        ('negative_span', 'negative span%'),
        ('negative_span', 'recovered before it was deployed%'),
        ('negative_span', 'resolved before it was created%'),
        ('negative_span', 'deployed before its first commit%'),
    ]) }}
{%- endmacro %}

{#- The code of a sentence; NULL of none. -#}
{% macro exclusion_code(sentence) -%}
    case
        {%- for code, pattern in exclusion_list() %}
        when {{ sentence }} like '{{ pattern }}' then '{{ code }}'
        {%- endfor %}
    end
{%- endmacro %}
