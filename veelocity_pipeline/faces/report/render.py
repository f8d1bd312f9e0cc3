"""One self-contained HTML file out of what the published marts say."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import os
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from veelocity_pipeline.published.metrics import TOPICS
from veelocity_pipeline.published.rows import AGES
from veelocity_pipeline.published.series import (
    ALL_HISTORY,
    LAG,
    ReportData,
    ReportError,
    read_report,
    scope_label,
)
from veelocity_pipeline.published.sources import SourceState
from veelocity_pipeline.published.spreadsheet import GUARDS
from veelocity_pipeline.safety.files import make_folder

#: The window, and the period of the charts, that the report opens with.
FIRST_WINDOW, FIRST_PERIOD = 90, "week"

#: After so many days without a successful refresh the page says that it is old, each time it is opened.
STALE_DAYS = 2

#: Failures of one source that are named one by one.
ERRORS_SHOWN = 5


#: What the page of a demo says first.
DEMO_NOTICE = {
    "kind": "note",
    "title": "Demo data.",
    "text": "This organization is simulated. The README says how to connect your own.",
}


def render_report(published: Path, target: Path, *, is_demo: bool = False) -> Path:
    """Write the report about the published file to `target` and return it.

    The file needs no network and no other file. It replaces an older one in a single step, so a reader never meets half
    of it. Raises WarehouseError (one sentence) when it cannot be made; `target` is then left as it was.
    """
    page = render_page(read_report(published), is_demo=is_demo)
    try:
        _write_in_one_step(target, page.encode())
    except OSError as error:
        raise ReportError(f"the report cannot be written to {target}: {error.strerror or error}") from error
    return target


def _write_in_one_step(target: Path, content: bytes) -> None:
    make_folder(target.parent)
    handle, staged = tempfile.mkstemp(dir=target.parent, prefix=".report-", suffix=".html")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(staged).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(staged).unlink()
        raise


def render_page(data: ReportData, *, is_demo: bool = False) -> str:
    """Return the whole page as text; that of a demo says that its data is simulated."""
    environment = Environment(
        loader=PackageLoader("veelocity_pipeline.faces.report", "."), autoescape=True, undefined=StrictUndefined
    )
    plotly = _plotly()
    script = _asset("report.js")
    as_of = _moment(data.as_of)
    return environment.get_template("template.html.j2").render(
        title="Veelocity",
        policy=content_policy(script, plotly),
        style=Markup(_asset("report.css")),
        script=Markup(script),
        data=embedded_json(page_data(data)),
        packed={name: pack(text) for name, text in {**_texts(data), "plotly": plotly}.items()},
        sources=[_source(source, _newest(data)) for source in data.sources],
        notices=[*(DEMO_NOTICE,) * is_demo, *notices(data)],
        definitions=_definitions(data),
        minimum_sample=_minimum_sample(data),
        is_empty=not data.scopes,
        footer=f"Veelocity · {f'data to {as_of}' if data.as_of else 'no data yet'}"
        + (f" · metric version {data.metric_version}" if data.metric_version else "")
        + " · times in UTC. Nothing on this page ranks people.",
    )


def embedded_json(value: Any) -> Markup:
    """JSON that is safe inside a script element: nothing in it can end the element or open a comment."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    for character in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def pack(text: str) -> Markup:
    """Text as the page holds it until it is needed: gzip in base64, in which nothing is markup."""
    return Markup(base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode())


def _texts(data: ReportData) -> dict[str, str]:
    """Everything that is packed, by name."""
    return {
        **data.texts,
        "failures": orjson.dumps(data.failures).decode(),
        "repairs": orjson.dumps(data.repairs).decode(),
        "freshness": orjson.dumps(data.freshness).decode(),
        "coverage": orjson.dumps(data.coverage).decode(),
    }


def content_policy(*scripts: str) -> str:
    """A policy under which the page can reach no network and run no script but the given ones."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def page_data(data: ReportData) -> dict[str, Any]:
    """What the page's script draws from."""
    refreshed = max((source.succeeded_at for source in data.sources if source.succeeded_at), default=None)
    return {
        "metrics": {metric.id: asdict(metric) for metric in data.metrics.values()},
        "charts": [asdict(chart) for chart in data.charts],
        "topics": TOPICS,
        "first_window": str(FIRST_WINDOW),
        "first_period": FIRST_PERIOD,
        "windows": [{"id": str(days), "days": days} for days in data.windows] + [{"id": ALL_HISTORY, "days": None}],
        "minimum": _minimum_sample(data),
        "stale_days": STALE_DAYS,
        "guards": [(pattern, replacement.replace("\\1", "$1").replace("\\2", "$2")) for pattern, replacement in GUARDS],
        "as_of": data.as_of.isoformat() if data.as_of else None,
        "refreshed": refreshed.isoformat() if refreshed else None,
        "linear": data.has_linear,
        "sources": [_source(source, _newest(data)) for source in data.sources],
        "scopes": [(scope[0], scope_label(scope)) for scope in data.scopes],
        "deployed": data.deployed,
        "history_days": data.history_days,
        "starts": data.starts,
        "cards": data.cards,
        "totals": data.totals,
        "stages": data.stages,
        "ages": list(AGES.items()),
        "open_work": data.open_work,
    }


def notices(data: ReportData) -> list[dict[str, str]]:
    """What is missing or stale, most urgent first, each with what to do about it."""
    found = []
    if not data.scopes:
        found.append(
            _notice(
                "warn",
                "Nothing has been loaded yet.",
                "Set GITHUB_TOKEN and GITHUB_REPOSITORIES, then run veelocity refresh; "
                "veelocity check tells whether they work.",
            )
        )
    newest = _newest(data)
    for source in data.sources:
        if source.failed:
            names = list(dict.fromkeys(name for name, _ in source.failed))
            more = f" and {len(names) - ERRORS_SHOWN} more" if len(names) > ERRORS_SHOWN else ""
            found.append(
                _notice(
                    "warn",
                    f"{source.title}: the last refresh failed for {', '.join(names[:ERRORS_SHOWN])}{more}.",
                    "The data shown is older; veelocity check lists what can be read. Reason: " + source.failed[0][1],
                )
            )
        if source.as_of and newest and _lags(source, newest):
            days = (newest - source.as_of).total_seconds() / 86400
            found.append(
                _notice(
                    "warn",
                    f"{source.title} is {days:.0f} days behind the other sources.",
                    "Numbers that need it end there. Run veelocity refresh; veelocity status shows what went wrong.",
                )
            )
    missing = {source.name: source for source in data.sources if source.missing}
    if "linear" in missing and data.scopes:
        found.append(
            _notice(
                "note",
                "Linear is not connected.",
                "Issue cycle time and completed issues need it: set LINEAR_API_KEY and refresh. "
                "Everything else works without it.",
            )
        )
    if data.scopes and not any(data.deployed):
        found.append(
            _notice(
                "note",
                "No production deployment was found.",
                "Name the workflows that deploy in DEPLOYMENT_PATTERNS, or choose deployments.source in "
                "veelocity.toml; veelocity check shows what was found for each repository.",
            )
        )
    return found


def _notice(kind: str, title: str, text: str) -> dict[str, str]:
    return {"kind": kind, "title": title, "text": text}


def _newest(data: ReportData) -> datetime | None:
    return max((source.as_of for source in data.sources if source.as_of), default=None)


def _lags(source: SourceState, newest: datetime | None) -> bool:
    return bool(source.as_of and newest and newest - source.as_of > LAG)


def _source(source: SourceState, newest: datetime | None) -> dict[str, Any]:
    return {
        "title": source.title,
        "as_of": source.as_of.isoformat() if source.as_of else None,
        "as_of_text": "not connected" if source.missing else _moment(source.as_of),
        "succeeded_at": source.succeeded_at.isoformat() if source.succeeded_at else None,
        "is_fresh": bool(source.as_of) and not source.failed and not _lags(source, newest),
        "scopes": source.scopes,
        "failed": source.failed,
        "missing": source.missing,
    }


def _definitions(data: ReportData) -> list[dict[str, str]]:
    """Each definition once: of all metrics that the page shows, then of what it counts itself."""
    shown = [metric for metric in data.metrics.values() if metric.topic]
    metrics = {metric.id for metric in shown}
    others = [chart for chart in data.charts if not metrics.intersection(chart.rows)]
    found = [(metric.title, metric.definition) for metric in shown]
    found += [(chart.title, chart.definition) for chart in others]
    return [{"title": title, "definition": definition} for title, definition in found]


def _minimum_sample(data: ReportData) -> int:
    """The smallest sample that a key is scored and compared with."""
    return max((metric.minimum_sample or 0 for metric in data.metrics.values() if metric.is_key), default=0)


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return "never read completely"
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def _asset(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _plotly() -> str:
    """Plotly's own bundle. Imported late: the package takes longer to import than everything else here together."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script
