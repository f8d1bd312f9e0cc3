{{ union_conformed('issue_labels') }}
