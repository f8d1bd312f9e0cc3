{{ union_conformed('commit_pull_requests') }}
