{{ union_conformed('deployment_records') }}
