-- One row: what the data stand for, and what is missing in them.
select
    time_text((select min(as_of) from marts.dora_scorecard)) as as_of,
    (select count(*) from marts.dora_metrics) > 0 as has_metrics,
    (select count(*) from marts.fct_deployments where is_counted) > 0 as has_deployments,
    (select count(*) from marts.sync_status where source = 'linear' and read_at is not null) > 0 as has_linear,
    (select count(distinct (source, repository)) from marts.sync_status where error is not null) as failing,
    (select count(distinct (source, repository)) from marts.sync_status where read_at is null) as never_read,
    (
        select string_agg(source_title(source), ', ' order by source)
        from (
            select source
            from marts.sync_status
            group by source
            having min(read_at) < (select max(read_at) - interval 24 hour from marts.sync_status)
        )
    ) as stale_sources,
    (select max(metric_version) from marts.dora_metrics) as metric_version
