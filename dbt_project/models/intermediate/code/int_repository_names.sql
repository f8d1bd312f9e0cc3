-- a name that another repository bears now is that one's alone
with repositories as (select * from {{ ref('int_repositories') }})

select
    lower(name) as name,
    connection,
    repository_id,
    lower(regexp_extract(url, '^https?://([^/]+)', 1)) as host
from repositories
union all
select
    lower(former.configured_as),
    former.connection,
    min(former.repository_id),
    min(lower(regexp_extract(former.url, '^https?://([^/]+)', 1)))
from repositories as former
anti join repositories as present
    on former.connection = present.connection and lower(former.configured_as) = lower(present.name)
where former.configured_as not like '%/*'
group by lower(former.configured_as), former.connection
