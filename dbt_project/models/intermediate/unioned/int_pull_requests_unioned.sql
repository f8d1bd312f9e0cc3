{{ union_conformed('pull_requests') }}
