{{ union_conformed('pull_request_labels') }}
