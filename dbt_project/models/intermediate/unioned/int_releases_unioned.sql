{{ union_conformed('releases') }}
