select * from {{ ref('int_deployments_from_records') }}
union all by name
select * from {{ ref('int_deployments_from_runs') }}
union all by name
select * from {{ ref('int_deployments_from_releases') }}
union all by name
select * from {{ ref('int_deployments_from_tags') }}
union all by name
select * from {{ ref('int_deployments_from_merges') }}
