{{ union_conformed('pull_request_closing_references') }}
