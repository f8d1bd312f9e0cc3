select
    connection,
    'linear' as source,
    team_key as source_key,
    key
from {{ ref('stg_linear__teams') }}
