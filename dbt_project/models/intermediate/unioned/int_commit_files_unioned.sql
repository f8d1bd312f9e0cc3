{{ union_conformed('commit_files') }}
