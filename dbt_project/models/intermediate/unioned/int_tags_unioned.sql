{{ union_conformed('tags') }}
