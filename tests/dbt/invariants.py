"""What holds of the marts of any rows."""

from __future__ import annotations

from typing import Any

import duckdb

from .project import DATABASE

INVARIANTS = {
    "measured + excluded = eligible": """
        select * from marts.metric_coverage where measured + excluded <> eligible""",
    "every exclusion is named": """
        select metric, sum(excluded) from marts.metric_coverage
        where scope_type = 'all' and excluded > 0 group by metric
        except select metric, count(*) from marts.metric_exclusions group by metric""",
    "a rate is within 0 and 1": """
        select period_start, scope, change_fail_rate, rework_rate from marts.dora_metrics
        where change_fail_rate not between 0 and 1 or rework_rate not between 0 and 1""",
    "a shipped change has one deployment of a service": """
        select change_id, service from marts.fct_deployed_changes group by all having count(*) > 1""",
    "the parts of lead time add up": """
        select pull_request_id, coding_hours, merge_time_hours, deploy_hours, lead_time_hours
        from marts.fct_pull_requests
        where abs(coding_hours + merge_time_hours + deploy_hours - lead_time_hours) > 1e-6""",
    "the stages of lead time add up": """
        select pull_request_id, coding_hours, draft_hours, pickup_hours, review_hours, unreviewed_hours, deploy_hours,
            lead_time_hours
        from marts.fct_pull_requests
        where abs(coding_hours + draft_hours + coalesce(unreviewed_hours, pickup_hours + review_hours) + deploy_hours
            - lead_time_hours) > 1e-6""",
    "a merge was answered or not": """
        select pull_request_id, pickup_hours, review_hours, unreviewed_hours
        from marts.fct_pull_requests
        where (pickup_hours is not null) = (unreviewed_hours is not null) and ready_at < merged_at""",
    "counts of the repositories are the total's": """
        select period, period_start, deployment_count, redeploy_count, failed_deployment_count,
            rework_deployment_count
        from marts.dora_metrics where scope_type = 'all'
        except
        select period, period_start, sum(deployment_count), sum(redeploy_count), sum(failed_deployment_count),
            sum(rework_deployment_count)
        from marts.dora_metrics where scope_type = 'repository' group by all""",
    "samples of the repositories are the total's": """
        select period, period_start, lead_time_sample, recovery_sample, commit_lead_time_sample
        from marts.dora_metrics where scope_type = 'all'
        except
        select period, period_start, sum(lead_time_sample), sum(recovery_sample), sum(commit_lead_time_sample)
        from marts.dora_metrics where scope_type = 'repository' group by all""",
    "pull requests of the repositories are the total's": """
        select period, period_start, pull_requests_opened, pull_requests_merged, pull_requests_merged_by_bots
        from marts.dev_metrics where scope_type = 'all'
        except
        select period, period_start, sum(pull_requests_opened), sum(pull_requests_merged),
            sum(pull_requests_merged_by_bots)
        from marts.dev_metrics where scope_type = 'repository' group by all""",
    "the days of a month are the month": """
        select date_trunc('month', period_start)::date as month, scope_type, scope, sum(deployment_count),
            sum(failed_deployment_count), sum(lead_time_sample)
        from marts.dora_metrics where period = 'day' group by all
        except
        select period_start, scope_type, scope, deployment_count, failed_deployment_count, lead_time_sample
        from marts.dora_metrics where period = 'month'""",
    "nobody reviews himself": """
        select pull_requests.pull_request_id
        from marts.fct_pull_requests as pull_requests
        where first_review_at is not null and not exists (
            from marts.fct_reviews as reviews
            where reviews.pull_request_id = pull_requests.pull_request_id
              and not is_author and not is_bot and submitted_at = first_review_at)""",
    "a median is not above the 75th percentile, nor that above the 90th": """
        select * from marts.dora_metrics
        where lead_time_hours_median > lead_time_hours_p75 or lead_time_hours_p75 > lead_time_hours_p90
           or recovery_hours_median > recovery_hours_p75 or recovery_hours_p75 > recovery_hours_p90""",
    "no sample, no duration": """
        select * from marts.dora_metrics
        where (lead_time_sample = 0) <> (lead_time_hours_median is null)
           or (recovery_sample = 0) <> (recovery_hours_median is null)""",
}
"""Queries that find what may not be."""


def broken(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """Return what may not be, and is: the rows by the name of the invariant."""
    found = {
        name: connection.execute(query.replace("marts.", f"{DATABASE}.marts.")).fetchall()
        for name, query in INVARIANTS.items()
    }
    return {name: rows for name, rows in found.items() if rows}
