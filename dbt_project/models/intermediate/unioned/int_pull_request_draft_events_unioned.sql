{{ union_conformed('pull_request_draft_events') }}
