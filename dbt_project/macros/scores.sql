{#- A key with fewer than this many measurements has no score and no level. -#}
{% macro sample_minimum() -%}
    5
{%- endmacro %}

{#- Why a key has no score; NULL where it has one. -#}
{% macro missing_because(sample) -%}
    case
        when {{ sample }} = 0 then 'nothing measured'
        when {{ sample }} < {{ sample_minimum() }} then 'only ' || {{ sample }} || ' measured, {{ sample_minimum() }} are needed'
    end
{%- endmacro %}

{#- Score of a duration: the best of the six answers that it satisfies. -#}
{% macro duration_score(metric, hours, sample) -%}
    case when {{ sample }} >= {{ sample_minimum() }} then (
        select max(bins.score)::double
        from {{ ref('dora_score_bins') }} as bins
        where bins.metric = '{{ metric }}' and (bins.upper_bound is null or {{ hours }} < bins.upper_bound)
    ) end
{%- endmacro %}

{#- Score of a rate p: 10 - p/10, p in per cent. -#}
{% macro rate_score(rate, sample) -%}
    case when {{ sample }} >= {{ sample_minimum() }} then 10 - {{ rate }} * 10 end
{%- endmacro %}

{#- Days between deployments that an answer to the frequency stands for; unknown where it is rarer than all bounds. -#}
{% macro days_between(score) -%}
    case when {{ score }} >= 8 then 1 when {{ score }} >= 6 then 7 when {{ score }} >= 4 then 30 else 182 end
{%- endmacro %}

{#- Level in a report's year: the best whose bound holds. -#}
{% macro level_in(report_year, metric, value) -%}
    (
        select arg_min(levels.level, levels.rank)
        from {{ ref('dora_levels') }} as levels
        where
            levels.report_year = {{ report_year }}
            and levels.metric = '{{ metric }}'
            and (
                levels.upper_bound is null
                or {{ value }} < levels.upper_bound
                or (levels.is_inclusive and {{ value }} = levels.upper_bound)
            )
    )
{%- endmacro %}

{#- Mean score of all industries, as the report of that year gives it. -#}
{% macro industry_mean(report_year, metric) -%}
    (
        select any_value(means.mean_score)
        from {{ ref('dora_industry_means') }} as means
        where means.report_year = {{ report_year }} and means.metric = '{{ metric }}'
    )
{%- endmacro %}

{#- Mean of the scores there are, if there are enough of them. -#}
{% macro mean_score(scores, at_least) -%}
    case when len(list_filter([{{ scores | join(', ') }}], lambda score: score is not null)) >= {{ at_least }}
        then list_avg([{{ scores | join(', ') }}]) end
{%- endmacro %}

{#- Which of the keys have a score. -#}
{% macro scored_keys(scores) -%}
    concat_ws(', ' {%- for score in scores %}, case when {{ score }} is not null then '{{ score | replace('_score', '') }}' end {%- endfor %})
{%- endmacro %}
