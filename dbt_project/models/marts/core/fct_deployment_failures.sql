select
    deployment_id,
    repository_id,
    service,
    evidence,
    evidence_id,
    evidence_url,
    occurred_at,
    resolved_at,
    fix_deployment_id,
    counts,
    reason
from {{ ref('int_deployment_failures') }}
