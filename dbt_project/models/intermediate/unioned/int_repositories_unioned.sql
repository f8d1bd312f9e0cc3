{{ union_conformed('repositories') }}
