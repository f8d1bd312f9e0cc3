select
    connection,
    'github' as source,
    repository_key,
    tag,
    sha
from {{ ref('stg_github__tags') }}
