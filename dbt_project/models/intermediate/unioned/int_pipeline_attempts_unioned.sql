{{ union_conformed('pipeline_attempts') }}
