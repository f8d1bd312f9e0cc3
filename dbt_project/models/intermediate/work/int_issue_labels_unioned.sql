with labels as (
    select issue_key, label, 'linear' as source from {{ ref('stg_linear__issue_labels') }}
    union
    select issue_key, label, 'github' from {{ ref('stg_github__issue_labels') }}
)

select
    issues.issue_id,
    labels.label
from labels
inner join {{ ref('int_issues_unioned') }} as issues
    on labels.issue_key = issues.source_key and labels.source = issues.source
