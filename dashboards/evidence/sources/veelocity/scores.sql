-- The mean scores of each window and scope, and which keys they have.
select
    scope_key(cards.scope_type, cards.scope) as scope_key,
    cards.*
from (select 1) as always
left join (
    select
        window_days, scope_type, scope, time_text(as_of) as as_of,
        throughput_score, throughput_keys, stability_score, stability_keys, overall_score, overall_keys
    from marts.dora_scorecard
) as cards on true
order by window_days, scope_key
