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
        connection,
        author_login as login,
        author_type as account_type,
        {{ name }} as name,
        {{ email }} as email,
        {{ 'null' if email != 'null' else 'author_avatar_url' }} as avatar_url
    from {{ ref(model) }}
    union
    {% endfor -%}
    select connection, assignee_login, null, null, null, null
    from {{ ref('stg_github__issues') }}
)

select
    connection,
    'github' as source,
    {{ handle('login', 'account_type', 'name', 'email') }} as handle,
    login,
    account_type,
    name,
    email,
    avatar_url
from observed
