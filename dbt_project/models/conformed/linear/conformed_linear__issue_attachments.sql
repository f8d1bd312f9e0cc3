select
    connection,
    'linear' as source,
    issue_key,
    url
from {{ ref('stg_linear__attachments') }}
