{{ union_conformed('deployed_commits') }}
