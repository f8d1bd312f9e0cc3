select
    connection,
    'linear' as source,
    issue_key,
    label
from {{ ref('stg_linear__issue_labels') }}
