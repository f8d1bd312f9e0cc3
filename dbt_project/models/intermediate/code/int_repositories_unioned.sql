with github as (
    select *, case when connection = 'github' then '' else connection || ':' end as prefix
    from {{ ref('stg_github__repositories') }}
),

wanted as (select lower(name) as name from {{ source('config', 'repositories') }})

-- distinct: a row that was loaded twice is one
select distinct
    {{ scoped_id('github.connection', 'github.name') }} as repository_id,
    github.repository_key as source_key,
    github.connection,
    'github' as source,
    github.name,
    github.url,
    github.description,
    github.default_branch,
    github.default_branch_head_sha,
    github.is_archived,
    github.is_fork,
    github.is_private,
    -- a renamed repository is found by the name that the settings have; !owner/name leaves one of owner/* out
    '!' || github.prefix || lower(github.name) in (select name from wanted)
    or not exists (
        select 1
        from wanted
        where
            wanted.name in (
                github.prefix || lower(github.name),
                github.prefix || lower(github.configured_as),
                github.prefix || lower(split_part(github.name, '/', 1)) || '/*'
            )
    ) as is_removed,
    github.configured_as,
    github.created_at
from github
