with people as (
    select *, not is_bot and (select has_pseudonyms from {{ ref('int_settings') }}) as is_hidden
    from {{ ref('int_people') }}
)

select
    {{ public_person('person', 'is_bot') }} as person,
    is_bot,
    -- a pseudonym beside a name or a face would be none
    case when not is_hidden then name end as name,
    case when not is_hidden then avatar_url end as avatar_url
from people
