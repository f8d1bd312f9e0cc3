"""The metrics that there are, as `dim_metrics` of the published file lists them, and the charts that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import duckdb

Kind = Literal["count", "duration", "rate"]

PERIODS = ("day", "week", "month", "quarter")

#: The table of work in progress.
WORK = "work_in_progress"

#: What charts are grouped by, in the order of the page.
TOPICS = ("delivery", "flow", "reliability")


@dataclass(frozen=True)
class Metric:
    """A row of `dim_metrics`; see there."""

    id: str
    title: str
    kind: Kind
    direction: str
    table: str
    definition: str
    topic: str | None
    is_key: bool
    sample_noun: str
    value_column: str
    sample_column: str | None
    part_column: str | None
    part_phrase: str | None
    minimum_sample: int | None
    stage: int | None

    @property
    def is_by_period(self) -> bool:
        """Whether a period table has its numbers."""
        return self.table in {"dora_metrics", "dev_metrics"}

    @property
    def is_measured(self) -> bool:
        """Whether `metric_measurements` has its rows: work in progress is counted from what is open."""
        return self.table != WORK

    @property
    def names(self) -> Iterator[str]:
        """What it can be asked for by: its id, and the columns that tell it."""
        yield self.id
        yield from filter(None, (self.value_column, self.sample_column, self.part_column))
        if self.kind == "duration":
            yield from (f"{self.id}_hours{suffix}" for suffix in ("", "_median", "_p75", "_p90"))


def read_metrics(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Metric]:
    """Every metric by its id, in the order in which people are shown them."""
    rows = connection.execute(
        """
        select
            id, title, kind, direction, "table", definition, topic, is_key, sample_noun, value_column, sample_column,
            part_column, part_phrase, minimum_sample, stage
        from marts.dim_metrics
        order by "order"
        """
    ).fetchall()
    return {row[0]: Metric(*row) for row in rows}


@dataclass(frozen=True)
class Chart:
    """One chart: a metric by period, or all counts of a topic together.

    A duration is drawn from `<metric>_median` and `<metric>_p75` (hours) with its sample size in `sample`; a rate from
    `metric`, with the counts it divides in `parts`; a count as bars, one per entry of `series` (column, label). A
    column is of the table of the chart's metrics. The rows behind a point are those of `rows`: metrics
    of `metric_measurements`, or `work`.
    """

    id: str
    section: str
    title: str
    kind: Kind
    metric: str
    table: str
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


def charts(metrics: Mapping[str, Metric]) -> tuple[Chart, ...]:
    """The charts of all metrics that have a topic; the counts of a topic and table share one, which comes last."""
    found: list[Chart] = []
    for topic in TOPICS:
        shown = [metric for metric in metrics.values() if metric.topic == topic]
        counts: dict[str, list[Metric]] = {}
        for metric in shown:
            if metric.kind == "count":
                counts.setdefault(metric.table, []).append(metric)
        found += [_chart(metric) for metric in shown if metric.kind != "count" or len(counts[metric.table]) == 1]
        found += [_throughput(topic, of_table) for of_table in counts.values() if len(of_table) > 1]
    return tuple(found)


def _chart(metric: Metric) -> Chart:
    is_rate, is_count = metric.kind == "rate", metric.kind == "count"
    return Chart(
        metric.id,
        metric.topic or "",
        metric.title,
        metric.kind,
        metric.value_column.removesuffix("_median"),
        metric.table,
        sample="" if is_count or is_rate else metric.sample_column or "",
        sample_noun="" if is_count else f"{metric.sample_noun} {metric.part_phrase or ''}".strip(),
        parts=(metric.part_column or "", metric.sample_column or "") if is_rate else ("", ""),
        series=((metric.value_column, metric.sample_noun.capitalize()),) if is_count else (),
        rows=(metric.id,),
        definition=metric.definition,
    )


def _throughput(topic: str, counts: list[Metric]) -> Chart:
    is_work = counts[0].table == WORK
    return Chart(
        WORK if is_work else "throughput",
        topic,
        "Work in progress" if is_work else "Throughput",
        "count",
        counts[0].value_column,
        counts[0].table,
        series=tuple((metric.value_column, metric.title) for metric in counts),
        rows=("work",) if is_work else tuple(metric.id for metric in counts),
        definition=" ".join(metric.definition for metric in counts),
    )
