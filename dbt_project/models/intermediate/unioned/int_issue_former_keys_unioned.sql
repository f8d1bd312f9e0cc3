{{ union_conformed('issue_former_keys') }}
