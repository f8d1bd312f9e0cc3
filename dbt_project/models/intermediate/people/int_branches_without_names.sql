-- With pseudonyms a branch must not tell the login that the marts hide: ada/eng-1 is person-…/eng-1. One row per branch
-- that names somebody at the beginning of one of its parts, by login or by Linear's display name; none otherwise.
with names as (
    select handle as name, person, is_bot from {{ ref('int_people_handles') }}
    union
    select lower(users.display_name), handles.person, handles.is_bot
    from {{ ref('stg_linear__users') }} as users
    inner join {{ ref('int_people_handles') }} as handles on handles.handle = lower(users.email)
),

humans as (
    select name, min({{ public_person('person', 'is_bot') }}) as pseudonym
    from names
    where not is_bot and regexp_matches(name, '^[a-z0-9-]+$')
    group by name
),

branches as (
    select distinct branch
    from (
        select unnest([head_branch, base_branch]) as branch from {{ ref('int_pull_requests_unioned') }}
        union all
        select ref as branch from {{ ref('int_deployments') }}
        union all
        select ref as branch from {{ ref('int_deployments_of_no_service') }}
    )
    where
        branch is not null
        and (select has_pseudonyms from {{ ref('int_settings') }})
        and branch not in (select branch from {{ ref('int_default_branches') }})
),

words as (
    select branch, string_split(unnest(string_split_regex(lower(branch), '[/_.@]|^revert-[0-9]+-')), '-') as words
    from branches
),

beginnings as (
    -- a login may have hyphens itself: ada-lovelace-eng-1
    select branch, array_to_string(words[1:word_count], '-') as name
    from (select branch, words, unnest(range(1, len(words) + 1)) as word_count from words)
),

found as (
    select distinct beginnings.branch, humans.name, humans.pseudonym
    from beginnings
    inner join humans using (name)
)

select
    branch,
    list_reduce(
        list_prepend(
            {'name': '', 'text': branch},
            list({'name': name, 'text': pseudonym} order by length(name) desc, name)
        ),
        lambda done, one: {
            'name': '',
            'text': regexp_replace(
                done.text, '(^|[/_.@]|^revert-[0-9]+-)' || one.name || '($|[/_.@-])', '\1' || one.text || '\2', 'gi'
            )
        }
    ).text as public_branch
from found
group by branch
