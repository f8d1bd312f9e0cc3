with settings as (
    select login from {{ source('config', 'bots') }}
    union
    select login from {{ source('config', 'people_aliases') }}
    union
    select also from {{ source('config', 'people_aliases') }}
    union
    select login from {{ source('config', 'team_members') }}
),

observed as (
    select handle, login, account_type, name, email, avatar_url, source, connection
    from {{ ref('int_accounts_unioned') }}
    union
    select {{ handle('login') }}, login, null, null, null, null, 'settings', null
    from settings
)

select * from observed
where handle is not null
