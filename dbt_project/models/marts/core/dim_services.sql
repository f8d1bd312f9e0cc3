select
    service,
    connection,
    repository_id,
    coalesce(service_name, repository_name) as name,
    service_name is not null as is_configured
from {{ ref('int_services') }}
