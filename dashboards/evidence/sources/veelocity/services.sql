-- Each service's last successful production deployment.
select
    scope_key('service', deployed.service) as scope_key,
    short_name(deployed.repository_id) as repository,
    short_name(deployed.service) as service,
    time_text(deployed.finished_at) as last_deployed,
    date_diff('day', deployed.finished_at, (select max(as_of) from marts.dora_scorecard)) as days_ago,
    coalesce(left(deployed.sha, 7), deployed.ref) as deployed,
    deployed.change_count,
    web_address(deployed.url) as url
from (select 1) as always
left join (
    select *
    from marts.fct_deployments
    where is_production and status = 'success'
    qualify row_number() over (partition by service order by finished_at desc, deployment_id) = 1
) as deployed on true
order by days_ago desc, service
