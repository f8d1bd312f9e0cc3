{{ union_conformed('pipeline_jobs') }}
