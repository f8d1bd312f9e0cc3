with users as (
    select
        *,
        case when email is null then connection || ':' || display_name end as login,
        case when is_app then 'Bot' end as account_type
    from {{ ref('stg_linear__users') }}
)

select
    connection,
    'linear' as source,
    {{ handle('login', 'account_type', 'name', 'email') }} as handle,
    login,
    account_type,
    name,
    display_name,
    email,
    avatar_url
from users
