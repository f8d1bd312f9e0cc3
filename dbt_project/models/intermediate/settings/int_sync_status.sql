select * from {{ ref('stg_operations__sync_status') }}
