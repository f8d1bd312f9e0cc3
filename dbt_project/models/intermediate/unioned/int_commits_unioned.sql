{{ union_conformed('commits') }}
