select
    connection,
    'github' as source,
    issue_key,
    label
from {{ ref('stg_github__issue_labels') }}
