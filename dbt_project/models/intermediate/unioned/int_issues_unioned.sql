{{ union_conformed('issues') }}
