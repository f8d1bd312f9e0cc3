{{ union_conformed('issue_attachments') }}
