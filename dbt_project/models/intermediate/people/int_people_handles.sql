with observed as (select * from {{ ref('int_handles_observed') }}),

handles as (
    select handle, bool_or(account_type is not null) as is_account
    from observed
    group by handle
),

-- the settings, and an issue's assignees, name a bot without saying that it is one
typed as (
    select
        handles.handle,
        case when bots.handle is not null and not handles.is_account then bots.handle else handles.handle end as typed_handle
    from handles
    left join handles as bots on bots.handle = handles.handle || '[bot]'
),

aliases as (
    select
        also.typed_handle as handle,
        min(login.typed_handle) as alias_of
    from {{ source('config', 'people_aliases') }} as people
    inner join typed as also on also.handle = {{ handle('people.also') }}
    inner join typed as login on login.handle = {{ handle('people.login') }}
    group by also.typed_handle
),

aliased as (
    select
        typed.handle,
        coalesce(aliases.alias_of, typed.typed_handle) as person_handle,
        aliases.alias_of is not null as is_alias
    from typed
    left join aliases on typed.typed_handle = aliases.handle
),

-- The host itself says whose address it is: the author of a commit has both, and verified it there. Two accounts of one
-- connection with one address tell nothing; one of each connection is one person.
owners as (
    select
        lower(observed.email) as handle,
        observed.connection,
        any_value(aliased.person_handle) as person_handle,
        count(distinct aliased.person_handle) as account_count
    from observed
    inner join aliased using (handle)
    where observed.login is not null
    group by lower(observed.email), observed.connection
),

addresses as (
    select
        handle,
        -- a login of the vendor's own connection stands without one, and names the person
        arg_min(person_handle, (contains(person_handle, ':'), person_handle)) as person_handle,
        list(distinct person_handle) as accounts
    from owners
    group by handle
    having max(account_count) = 1
),

joined as (
    select
        account as handle,
        arg_min(person_handle, (contains(person_handle, ':'), person_handle)) as person_handle
    from (select person_handle, unnest(accounts) as account from addresses)
    group by account
),

resolved as (
    select
        aliased.handle,
        case
            when aliased.is_alias then aliased.person_handle
            -- twice: an account may share one address with a second, and another one with a third
            else coalesce(further.person_handle, joined.person_handle, addresses.person_handle, aliased.person_handle)
        end as person_handle
    from aliased
    left join addresses on aliased.handle = addresses.handle
    left join joined on joined.handle = coalesce(addresses.person_handle, aliased.person_handle)
    left join joined as further on further.handle = joined.person_handle
),

spelled as (
    select
        handle,
        -- as its host writes the login; as the settings do where no host ever did
        coalesce(
            min(login) filter (where source in ({{ sources_with('repositories') }}) and account_type is not null),
            min(login) filter (where source in ({{ sources_with('repositories') }})),
            min(login)
        ) as login
    from observed
    group by handle
),

configured_bots as (
    select regexp_replace({{ handle('login') }}, '\[bot\]$', '') as name
    from {{ source('config', 'bots') }}
)

select
    resolved.handle,
    case
        when namesake.person_handle is not null then resolved.person_handle
        else regexp_replace(coalesce(spelled.login, resolved.person_handle), '(?i)\[bot\]$', '')
    end as person,
    (
        resolved.person_handle like '%[bot]'
        or regexp_replace(resolved.person_handle, '\[bot\]$', '') in (select name from configured_bots)
        or regexp_replace(resolved.handle, '\[bot\]$', '') in (select name from configured_bots)
    ) as is_bot
from resolved
left join spelled on resolved.person_handle = spelled.handle
-- a bot whose name a person has too keeps the ending, so that they stay two
left join (select distinct person_handle from resolved) as namesake
    on resolved.person_handle = namesake.person_handle || '[bot]'
