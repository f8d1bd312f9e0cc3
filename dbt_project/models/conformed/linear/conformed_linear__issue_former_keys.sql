select
    connection,
    'linear' as source,
    issue_key,
    identifier as key
from {{ ref('stg_linear__issue_previous_identifiers') }}
