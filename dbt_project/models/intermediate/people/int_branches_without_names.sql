-- With pseudonyms a branch must not tell the login that the marts hide: ada/eng-1 is person-…/eng-1. One row per branch
-- that names somebody at the beginning of one of its parts, by login or by display name; none otherwise.
with names as (
    select handle as name, person, is_bot from {{ ref('int_people_handles') }}
    union
    select lower(accounts.display_name), handles.person, handles.is_bot
    from {{ ref('int_accounts_unioned') }} as accounts
    inner join {{ ref('int_people_handles') }} as handles on handles.handle = lower(accounts.email)
    where accounts.display_name is not null
),

humans as (
    select name, min({{ pseudonym('person') }}) as pseudonym
    from names
    where not is_bot and regexp_matches(name, '^[a-z0-9-]+$')
    group by name
),

branches as (
    select distinct branch
    from (
        select unnest([head_branch, base_branch]) as branch from {{ ref('int_pull_requests') }}
        union all
        select ref as branch from {{ ref('int_deployments') }}
        union all
        select ref as branch from {{ ref('int_deployments_left_out') }}
    )
    where
        (select has_pseudonyms from {{ ref('int_settings') }})
        and branch not in (select branch from {{ ref('int_default_branches') }})
),

parts as (
    select branch, unnest(parts) as part, unnest(range(len(parts))) as place
    from (select branch, regexp_extract_all(branch, '(?i)^revert-[0-9]+-|[/_.@]|[^/_.@]+') as parts from branches)
),

beginnings as (
    -- a login may have hyphens itself: ada-lovelace-eng-1
    select branch, place, array_to_string(words[1:word_count], '-') as name
    from (
        select branch, place, string_split(lower(part), '-') as words, unnest(range(1, len(words) + 1)) as word_count
        from parts
    )
),

found as (
    select
        beginnings.branch,
        beginnings.place,
        max(length(humans.name)) as name_length,
        arg_max(humans.pseudonym, length(humans.name)) as pseudonym
    from beginnings
    inner join humans using (name)
    group by beginnings.branch, beginnings.place
)

select
    parts.branch,
    string_agg(
        coalesce(found.pseudonym || substr(parts.part, found.name_length + 1), parts.part), '' order by parts.place
    ) as public_branch
from parts
left join found using (branch, place)
group by parts.branch
having count(found.place) > 0
