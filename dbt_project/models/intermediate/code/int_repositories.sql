with repositories as (
    select *, case when connection = source then '' else connection || ':' end as prefix
    from {{ ref('int_repositories_unioned') }}
),

wanted as (select lower(name) as name from {{ source('config', 'repositories') }})

-- distinct: a row that was loaded twice is one
select distinct
    {{ scoped_id('repositories.connection', 'repositories.name') }} as repository_id,
    repositories.source_key,
    repositories.connection,
    repositories.source,
    repositories.name,
    repositories.url,
    repositories.description,
    repositories.default_branch,
    repositories.default_branch_head_sha,
    repositories.is_archived,
    repositories.is_fork,
    repositories.is_private,
    -- a renamed repository is found by the name that the settings have; !owner/name leaves one of owner/* out
    '!' || repositories.prefix || lower(repositories.name) in (select name from wanted)
    or not exists (
        select 1
        from wanted
        where
            wanted.name in (
                repositories.prefix || lower(repositories.name),
                repositories.prefix || lower(repositories.configured_as),
                repositories.prefix || lower(split_part(repositories.name, '/', 1)) || '/*'
            )
    ) as is_removed,
    repositories.configured_as,
    repositories.created_at
from repositories
