select
    repository_id || '@' || sha as commit_id,
    {{ connection_in('repository_id') }} as connection,
    repository_id,
    sha,
    split_part(message, chr(10), 1) as title,
    url,
    {{ public_person('author', 'is_bot') }} as author,
    is_bot,
    lines_added,
    lines_deleted,
    authored_at,
    committed_at
from {{ ref('int_commits') }}
