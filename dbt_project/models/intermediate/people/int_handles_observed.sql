{%- set accounts = [
    ('stg_github__pull_requests', 'author_name', 'null'),
    ('stg_github__pull_request_reviews', 'author_name', 'null'),
    ('stg_github__pull_request_review_comments', 'author_name', 'null'),
    ('stg_github__pull_request_comments', 'author_name', 'null'),
    ('stg_github__issues', 'author_name', 'null'),
    ('stg_github__pull_request_commits', 'author_name', 'author_email'),
    ('stg_github__commits', 'author_name', 'author_email'),
] -%}

with observed as (
    {% for model, name, email in accounts -%}
    select
        author_login as login,
        author_type as account_type,
        {{ name }} as name,
        {{ email }} as email,
        {{ 'null' if email != 'null' else 'author_avatar_url' }} as avatar_url,
        'github' as source,
        connection
    from {{ ref(model) }}
    union
    {% endfor -%}
    select assignee_login, null, null, null, null, 'github', connection
    from {{ ref('stg_github__issues') }}
    union
    select
        case when email is null then connection || ':' || display_name end,
        case when is_app then 'Bot' end,
        name,
        email,
        avatar_url,
        'linear',
        connection
    from {{ ref('stg_linear__users') }}
    union
    select login, null, null, null, null, 'settings', null
    from {{ source('config', 'bots') }}
    union
    select login, null, null, null, null, 'settings', null
    from {{ source('config', 'people_aliases') }}
    union
    select also, null, null, null, null, 'settings', null
    from {{ source('config', 'people_aliases') }}
    union
    select login, null, null, null, null, 'settings', null
    from {{ source('config', 'team_members') }}
),

named as (
    select {{ handle('login', 'account_type', 'name', 'email') }} as handle, *
    from observed
)

select * from named
where handle is not null
