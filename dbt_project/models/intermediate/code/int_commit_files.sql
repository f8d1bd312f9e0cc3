select distinct
    repositories.repository_id,
    files.sha,
    files.path
from {{ ref('int_commit_files_unioned') }} as files
inner join {{ ref('int_repositories') }} as repositories
    on files.connection = repositories.connection and files.repository_key = repositories.source_key
