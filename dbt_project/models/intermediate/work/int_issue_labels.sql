select distinct
    issues.issue_id,
    labels.label
from {{ ref('int_issue_labels_unioned') }} as labels
inner join {{ ref('int_issues') }} as issues
    on labels.connection = issues.connection and labels.issue_key = issues.source_key
