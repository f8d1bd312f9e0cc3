{{ union_conformed('reviews') }}
