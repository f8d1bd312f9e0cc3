"""The marts that the report reads: their columns, as far as it does."""

from __future__ import annotations

MEANS = {"lead_time": 5.5, "deployment_frequency": 4.8, "recovery": 7.4, "change_fail_rate": 8.1, "rework_rate": 7.8}

TABLES = {
    "fct_deployments": (
        "deployment_id varchar, repository_id varchar, service varchar, environment varchar, is_production boolean, "
        "source varchar, rule varchar, status varchar, sha varchar, ref varchar, url varchar, started_at timestamp, "
        "finished_at timestamp, previous_deployment_id varchar, is_baseline boolean, is_redeploy boolean, "
        "is_rollback boolean, is_failed boolean, is_rework boolean, recovered_at timestamp, recovery_hours double, "
        "change_count bigint"
    ),
    "metric_measurements": (
        "metric varchar, scope_type varchar, scope varchar, entity_id varchar, measured_at timestamp, "
        "measured_on date, value double, excluded_because varchar"
    ),
    "fct_deployment_failures": (
        "deployment_id varchar, evidence varchar, evidence_id varchar, evidence_url varchar, occurred_at timestamp, "
        "resolved_at timestamp, counts boolean, reason varchar, fix_deployment_id varchar"
    ),
    "fct_incidents": "incident_id varchar, url varchar, created_at timestamp, fix_deployment_id varchar",
    "fct_pull_requests": (
        "pull_request_id varchar, repository_id varchar, title varchar, url varchar, is_bot boolean, state varchar, "
        "is_draft boolean, created_at timestamp, first_response_at timestamp, first_approval_at timestamp, "
        "merged_at timestamp, closed_at timestamp, coding_hours double, draft_hours double, pickup_hours double, "
        "review_hours double, unreviewed_hours double, deploy_hours double"
    ),
    "fct_issues": (
        "issue_id varchar, key varchar, title varchar, url varchar, team varchar, state_category varchar, "
        "is_archived boolean, started_at timestamp, completed_at timestamp, canceled_at timestamp"
    ),
    "dim_teams": "team varchar, linear_teams varchar",
    "metric_entities": ("entity_id varchar, entity_type varchar, repository_id varchar, title varchar, url varchar"),
    "metric_coverage": (
        "metric varchar, scope_type varchar, scope varchar, eligible bigint, measured bigint, excluded bigint"
    ),
    "dora_metrics": (
        "period varchar, period_start date, scope_type varchar, scope varchar, deployment_count bigint, "
        "deployment_day_count bigint, redeploy_count bigint, lead_time_hours_median double, "
        "lead_time_hours_p75 double, lead_time_hours_p90 double, lead_time_sample bigint, "
        "failed_deployment_count bigint, change_fail_rate double, change_fail_rate_sample bigint, "
        "recovery_hours_median double, recovery_hours_p75 double, recovery_hours_p90 double, recovery_sample bigint, "
        "time_to_restore_hours_median double, time_to_restore_hours_p75 double, time_to_restore_hours_p90 double, "
        "time_to_restore_sample bigint, rework_deployment_count bigint, rework_rate double, rework_rate_sample bigint, "
        "metric_version integer, is_complete boolean"
    ),
    "dev_metrics": (
        "period varchar, period_start date, scope_type varchar, scope varchar, pull_requests_merged bigint, "
        "issues_completed bigint, "
        + ", ".join(
            f"{name}_hours_median double, {name}_hours_p75 double, {name}_hours_p90 double, {name}_sample bigint"
            for name in ("time_to_first_review", "pickup", "review", "merge_time", "cycle_time", "started_to_completed")
        )
        + ", metric_version integer, is_complete boolean"
    ),
    "dim_metrics": (
        'id varchar, title varchar, kind varchar, direction varchar, "table" varchar, definition varchar, '
        "topic varchar, is_key boolean, sample_noun varchar, value_column varchar, sample_column varchar, "
        'part_column varchar, part_phrase varchar, minimum_sample integer, "order" integer, stage integer'
    ),
    "metric_windows": (
        "window_days integer, scope_type varchar, scope varchar, metric varchar, value double, sample bigint, "
        "part bigint, excluded bigint, days double, has_previous boolean, previous_value double, "
        "previous_sample bigint, is_clear_change boolean"
    ),
    "work_in_progress": (
        "period varchar, period_start date, scope_type varchar, scope varchar, pull_requests_open bigint, "
        "issues_in_progress bigint, open_hours_median double, open_under_1_day bigint, open_1_to_3_days bigint, "
        "open_3_to_7_days bigint, open_1_to_4_weeks bigint, open_over_4_weeks bigint, is_complete boolean"
    ),
    "lead_time_stages": (
        "window_days integer, scope_type varchar, scope varchar, stage varchar, stage_hours double, "
        "hours_share double, stage_hours_median double, stage_hours_p75 double, stage_hours_p90 double, "
        "sample bigint, pull_request_count bigint"
    ),
    "dora_scorecard": (
        "window_days integer, scope_type varchar, scope varchar, as_of timestamp, deployment_count bigint, "
        "deployment_day_count bigint, deployment_frequency_score double, lead_time_hours_median double, "
        "lead_time_sample bigint, commit_lead_time_hours_median double, commit_lead_time_sample bigint, "
        "is_lead_time_of_commits boolean, lead_time_score double, failed_deployment_count bigint, "
        "change_fail_rate double, change_fail_rate_sample bigint, change_fail_rate_score double, "
        "recovery_hours_median double, recovery_sample bigint, recovery_score double, "
        "rework_deployment_count bigint, rework_rate double, rework_rate_sample bigint, rework_rate_score double, "
        "throughput_score double, stability_score double, overall_score double, "
        "lead_time_level_2023 varchar, deployment_frequency_level_2023 varchar, change_fail_rate_level_2023 varchar, "
        "recovery_level_2023 varchar, " + ", ".join(f"{key}_industry_mean_2025 double" for key in MEANS)
    ),
    "sync_status": (
        "source varchar, table_name varchar, repository varchar, attempted_at timestamp, succeeded_at timestamp, "
        "read_at timestamp, rows bigint, watermark timestamp, error varchar"
    ),
}
