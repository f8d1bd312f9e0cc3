"""What is shown, in words: the five keys, the flow metrics and one short definition of each.

The rules themselves live in the dbt models; these sentences are their summary for a reader of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "duration", "rate"]

Section = Literal["delivery", "flow", "reliability"]

#: A duration or a rate with fewer observations than this has no score, no level and no trend.
MINIMUM_SAMPLE = 5

#: Length in days of the windows of `dora_scorecard` that the report offers.
WINDOWS = (30, 90, 180, 365)

#: The window that the report opens with.
FIRST_WINDOW = 90

#: What the longest window is called; it reaches from the first activity to the last load.
ALL_HISTORY = "all"

PERIODS = ("day", "week", "month", "quarter")

#: The period that the charts of the report open with.
FIRST_PERIOD = "week"

SCOPE_TYPES = ("all", "repository", "service", "team")


@dataclass(frozen=True)
class Key:
    """One of DORA's five keys.

    `value`, `sample`, `score`, `level` (empty where no report drew levels) and `mean` (of all industries) are columns
    of `dora_scorecard`; `sample_noun` is the plural of what is counted. `higher_is_better` gives a trend its sign.
    """

    id: str
    title: str
    kind: Kind
    value: str
    sample: str
    score: str
    level: str
    sample_noun: str
    higher_is_better: bool
    mean: str
    definition: str


KEYS = (
    Key(
        "deployment_frequency",
        "Deployment frequency",
        "count",
        "deployment_count",
        "deployment_count",
        "deployment_frequency_score",
        "deployment_frequency_level_2023",
        "deployments",
        True,
        "deployment_frequency_industry_mean_2025",
        "Successful production deployments. Deploying again what already runs there is not counted; a rollback is.",
    ),
    Key(
        "lead_time",
        "Lead time for changes",
        "duration",
        "lead_time_hours_median",
        "lead_time_sample",
        "lead_time_score",
        "lead_time_level_2023",
        "changes",
        False,
        "lead_time_industry_mean_2025",
        "From the first commit of a pull request to the finish of the first production deployment that shipped it. "
        "Median; bots and the first known deployment of a repository are left out.",
    ),
    Key(
        "change_fail_rate",
        "Change fail rate",
        "rate",
        "change_fail_rate",
        "change_fail_rate_sample",
        "change_fail_rate_score",
        "change_fail_rate_level_2023",
        "deployments",
        False,
        "change_fail_rate_industry_mean_2025",
        "Share of production deployments that a rollback, a revert, a hotfix or an incident shows to have failed.",
    ),
    Key(
        "recovery",
        "Recovery time",
        "duration",
        "recovery_hours_median",
        "recovery_sample",
        "recovery_score",
        "recovery_level_2023",
        "recoveries",
        False,
        "recovery_industry_mean_2025",
        "Failed deployment recovery time: from the finish of a failed deployment to its earliest recovery, when the "
        "rollback, revert or hotfix was live or the incident was closed. Median.",
    ),
    Key(
        "rework_rate",
        "Rework rate",
        "rate",
        "rework_rate",
        "rework_rate_sample",
        "rework_rate_score",
        "",
        "deployments",
        False,
        "rework_rate_industry_mean_2025",
        "Share of production deployments that nobody planned: made to fix something that users saw.",
    ),
)


@dataclass(frozen=True)
class Chart:
    """One chart: a metric of `dora_metrics` or `dev_metrics` by period.

    A duration is drawn from `<metric>_median` and `<metric>_p75` (hours) with its sample size in `sample`; a rate from
    `metric`, with the counts it divides in `parts`; a count as bars, one per metric of `series` (column, label). A
    column is of `dora_metrics`, of `dev_metrics` (the section `flow`) or of `WORK`. The rows behind a point are those
    of `rows`: metrics of `metric_measurements`, or `work`.
    """

    id: str
    section: Section
    title: str
    kind: Kind
    metric: str
    sample: str = ""
    sample_noun: str = ""
    parts: tuple[str, str] = ("", "")
    series: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()
    definition: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the chart, its tooltip and its table use."""
        if self.kind == "duration":
            return (*(f"{self.metric}_{suffix}" for suffix in ("median", "p75", "p90")), self.sample)
        if self.kind == "rate":
            return (self.metric, *self.parts)
        return tuple(name for name, _ in self.series)


_KEY = {key.id: key for key in KEYS}

#: Work in progress at the end of a period: counted for the report, no column of a mart.
WORK = (("pull_requests_open", "Pull requests open"), ("issues_in_progress", "Issues in progress"))

CHARTS = (
    Chart(
        "deployment_frequency",
        "delivery",
        "Deployment frequency",
        "count",
        "deployment_count",
        series=(("deployment_count", "Deployments"),),
        rows=("deployment_frequency",),
        definition=_KEY["deployment_frequency"].definition,
    ),
    Chart(
        "lead_time",
        "delivery",
        "Lead time for changes",
        "duration",
        "lead_time_hours",
        "lead_time_sample",
        "changes",
        rows=("lead_time",),
        definition=_KEY["lead_time"].definition,
    ),
    Chart(
        "change_fail_rate",
        "reliability",
        "Change fail rate",
        "rate",
        "change_fail_rate",
        parts=("failed_deployment_count", "deployment_count"),
        sample_noun="deployments failed",
        rows=("change_fail_rate",),
        definition=_KEY["change_fail_rate"].definition,
    ),
    Chart(
        "recovery",
        "reliability",
        "Recovery time",
        "duration",
        "recovery_hours",
        "recovery_sample",
        "recoveries",
        rows=("recovery",),
        definition=_KEY["recovery"].definition,
    ),
    Chart(
        "rework_rate",
        "reliability",
        "Rework rate",
        "rate",
        "rework_rate",
        parts=("rework_deployment_count", "deployment_count"),
        sample_noun="deployments were rework",
        rows=("rework_rate",),
        definition=_KEY["rework_rate"].definition,
    ),
    Chart(
        "time_to_restore",
        "reliability",
        "Time to restore",
        "duration",
        "time_to_restore_hours",
        "time_to_restore_sample",
        "incidents",
        rows=("time_to_restore",),
        definition="From the creation of an incident to its completion, whatever caused it. Median.",
    ),
    Chart(
        "time_to_first_review",
        "flow",
        "Review time",
        "duration",
        "time_to_first_review_hours",
        "time_to_first_review_sample",
        "pull requests",
        rows=("time_to_first_review",),
        definition="From the creation of a pull request to the first review by another person. Median.",
    ),
    Chart(
        "pickup",
        "flow",
        "Pickup time",
        "duration",
        "pickup_hours",
        "pickup_sample",
        "pull requests",
        rows=("pickup",),
        definition="From ready for review to the first review or comment by another person. Median.",
    ),
    Chart(
        "merge_time",
        "flow",
        "Merge time",
        "duration",
        "merge_time_hours",
        "merge_time_sample",
        "pull requests",
        rows=("merge_time",),
        definition="From the creation of a pull request to its merge. Median.",
    ),
    Chart(
        "review",
        "flow",
        "First response to merge",
        "duration",
        "review_hours",
        "review_sample",
        "pull requests",
        rows=("review",),
        definition="From the first review or comment by another person to the merge. Median.",
    ),
    Chart(
        "cycle_time",
        "flow",
        "Cycle time",
        "duration",
        "cycle_time_hours",
        "cycle_time_sample",
        "issues",
        rows=("cycle_time",),
        definition="From the creation of an issue to the merge of its last linked pull request. Median.",
    ),
    Chart(
        "started_to_completed",
        "flow",
        "Time in progress",
        "duration",
        "started_to_completed_hours",
        "started_to_completed_sample",
        "issues",
        rows=("started_to_completed",),
        definition="From the first time that an issue was started to its completion. Median.",
    ),
    Chart(
        "throughput",
        "flow",
        "Throughput",
        "count",
        "pull_requests_merged",
        series=(("pull_requests_merged", "Pull requests merged"), ("issues_completed", "Issues completed")),
        rows=("pull_requests_merged", "issues_completed"),
        definition="Pull requests merged by people, and issues completed, each in the period in which it happened.",
    ),
    Chart(
        "work_in_progress",
        "flow",
        "Work in progress",
        "count",
        "pull_requests_open",
        series=WORK,
        rows=("work",),
        definition="Pull requests of people that were open, and issues that were started and neither completed nor "
        "canceled, when the period ended (at midnight UTC) or at the last load.",
    ),
)


def metric_title(metric: str) -> str:
    """A metric of `metric_measurements` as people call it."""
    titles = {each.id: each.title for each in (*CHARTS, *KEYS)}
    return titles.get(metric) or metric.replace("_", " ").capitalize()
