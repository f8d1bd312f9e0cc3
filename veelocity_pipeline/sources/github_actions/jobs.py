"""Rows of runs, with their jobs and earlier attempts where a rule needs them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from veelocity_pipeline.config.patterns import contains_regex
from veelocity_pipeline.sources.github.queries import TAGS_BY_NAME_PER_REQUEST, tags_named
from veelocity_pipeline.sources.github_actions import asking, shape
from veelocity_pipeline.sources.github_actions.asking import Asking, sql_list
from veelocity_pipeline.sources.github_actions.tables import TABLES
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, OverloadedError
from veelocity_pipeline.sources.kit.skips import UNEXPECTED
from veelocity_pipeline.sources.kit.tables import Row

MOST_TRIES = 1_000
"""Attempts of a run; GitHub allows fifty."""

NEVER_DEPLOYS = frozenset(
    {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "merge_group"}
    | {"issue_comment"}
)
"""Events whose runs are no deployments, whatever they are called."""


class Rows:
    """Makes rows of a repository's runs."""

    def __init__(self, asked: Asking) -> None:
        self.asking = asked
        # By name, whether what runs on it may be shipped: the default branch, and tags.
        self.ships: dict[str | None, bool] = {None: False}
        if asked.default_branch:
            self.ships[asked.default_branch] = True
        self.jobs_of: set[int] | None = None
        self.tried: set[int] = set()

    def chunk(self, nodes: Sequence[shape.Node]) -> Chunk:
        """Runs that are new or changed, with their jobs and earlier attempts where a rule needs them."""
        rows = {}
        for row in self.asking.skips.shaped("runs", nodes, self._run_row):
            self.asking.listed[row["id"]] = row["created_at"]
            if self._is_before_start(row):
                continue
            rows[row["id"]] = row
            if row["status"] == "completed":
                self.asking.unfinished.pop(str(row["id"]), None)
            else:
                self.asking.unfinished[str(row["id"])] = row["created_at"].isoformat()
            self.asking.newest = max(self.asking.newest or row["updated_at"], row["updated_at"])
        whole: set[int] = set()
        if rows:
            for row in self.asking.known.rows(
                "runs", TABLES["runs"].columns, self.asking.scope.id, f"id in ({sql_list(rows)})"
            ):
                _keep_plausible_end(rows[row["id"]], row)
                if rows.get(row["id"]) != row:
                    continue
                if not self.asking.all_again:
                    del rows[row["id"]]
                elif row["status"] == "completed" and row["id"] in self._with_jobs():
                    whole.add(row["id"])
        chunk = Chunk()
        chunk.add("runs", rows.values())
        self._add_jobs(chunk, [row for row in rows.values() if row["id"] not in whole])
        self._add_attempts(chunk, list(rows.values()))
        return chunk

    def _run_row(self, node: shape.Node) -> Row:
        row = shape.run_row(node, self.asking.scope.id)
        if row["created_at"] is None or row["updated_at"] is None:
            raise ValueError("a time that no calendar has")
        return row

    def again(self) -> Iterator[Chunk]:
        """What could not be read of runs that are loaded, and runs that could not be."""
        skips = self.asking.skips
        for run in sorted(skips.of("runs")):
            try:
                answer = self.asking.client.get(
                    f"{self.asking.path}/runs/{run}", {"exclude_pull_requests": "true"}, about=self.asking.about
                )
            except NotFoundError:
                skips.done("runs", [run])
            except OverloadedError as error:
                skips.fail("runs", run, error)
            else:
                yield self.chunk([answer.json])
        wanted = {int(run) for table in ("jobs", "run_attempts") for run in skips.of(table)} - self.tried
        for start in range(0, len(wanted), asking.PER_PAGE):
            some = sql_list(sorted(wanted)[start : start + asking.PER_PAGE])
            where = f"deleted_at is null and id in ({some})"
            rows = self.asking.known.rows("runs", TABLES["runs"].columns, self.asking.scope.id, where)
            chunk = Chunk()
            self._add_jobs(chunk, rows)
            self._add_attempts(chunk, rows)
            yield chunk

    def complete(self) -> Iterator[Chunk]:
        """Jobs and earlier attempts that rules have come to need, of runs that are loaded."""
        rows = self.asking.known.rows("runs", TABLES["runs"].columns, self.asking.scope.id, "deleted_at is null")
        with_jobs = self._with_jobs()
        for start in range(0, len(rows), asking.PER_PAGE):
            batch = rows[start : start + asking.PER_PAGE]
            chunk = Chunk()
            self._add_jobs(chunk, [row for row in batch if row["id"] not in with_jobs])
            self._add_attempts(chunk, batch)
            if chunk.size:
                yield chunk

    def _add_jobs(self, chunk: Chunk, runs: Iterable[Row]) -> None:
        """All jobs of all attempts of those runs whose jobs tell something: one request each.

        These are runs on the default branch, a tag or a branch of the settings; whether a name is a tag's is asked,
        many in a request.
        """
        wanted = [run for run in runs if self._needs_jobs(run)]
        self._learn_tags({run["head_branch"] for run in wanted})
        for run in wanted:
            if not self._ships(run["head_branch"]):
                continue
            pages = self.asking.client.pages(
                f"{self.asking.path}/runs/{run['id']}/jobs",
                {"filter": "all", "per_page": asking.PER_PAGE},
                "jobs",
                about=self.asking.about,
            )
            skips, key = self.asking.skips, str(run["id"])
            self.tried.add(run["id"])
            try:
                chunk.add("jobs", [shape.job_row(node, self.asking.scope.id) for nodes in pages for node in nodes])
            except NotFoundError:
                self.asking.confirm_access()
                # Deleted since it was listed.
                skips.done("jobs", [key])
                continue
            except (OverloadedError, BadAnswerError, *UNEXPECTED) as error:
                skips.fail("jobs", key, OverloadedError(str(error)))
                continue
            skips.done("jobs", [key])

    def _ships(self, ref: str | None) -> bool:
        """Whether runs on this ref may be deployments: the default branch, a tag, or a branch of the settings."""
        return bool(self.ships.get(ref)) or any(
            self.asking.settings.is_deployment_branch(name, ref) for name in self.asking.names if ref
        )

    def _with_jobs(self) -> set[int]:
        """Runs whose jobs were loaded before this refresh."""
        if self.jobs_of is None:
            self.jobs_of = self.asking.known.values("jobs", "run_id", self.asking.scope.id)
        return self.jobs_of

    def _learn_tags(self, names: set[str | None]) -> None:
        """Find out which of these names of branches or tags are tags."""
        unknown = sorted(name for name in names if name and name not in self.ships)
        owner, repository = self.asking.scope.name.split("/", 1)
        for start in range(0, len(unknown), TAGS_BY_NAME_PER_REQUEST):
            some = unknown[start : start + TAGS_BY_NAME_PER_REQUEST]
            variables = {f"q{number}": f"refs/tags/{name}" for number, name in enumerate(some)}
            data = self.asking.client.graphql(
                tags_named(len(some)), {"owner": owner, "name": repository, **variables}, about=self.asking.about
            )
            found = data.get("repository") or {}
            self.ships.update((name, found.get(f"t{number}") is not None) for number, name in enumerate(some))

    def _add_attempts(self, chunk: Chunk, runs: Sequence[Row]) -> None:
        """The earlier attempts of those runs that deploy; one that is loaded has ended and does not change."""
        deploying = {job["run_id"] for job in chunk.rows.get("jobs", ()) if self._is_deploying_job(job)}
        again = {
            run["id"]: run["run_attempt"]
            for run in runs
            if run["run_attempt"] > 1 and (run["id"] in deploying or self._deploys(run))
        }
        if not again:
            return
        columns, where = TABLES["run_attempts"].columns, f"deleted_at is null and run_id in ({sql_list(again)})"
        stored = self.asking.known.rows("run_attempts", columns, self.asking.scope.id, where)
        ends = {(row["run_id"], row["run_attempt"]): row for row in stored}
        known = set() if self.asking.all_again else set(ends)
        for run, last in again.items():
            if last > MOST_TRIES:
                raise BadAnswerError(
                    f"GitHub says of the run {run} of {self.asking.scope.name} that it is its attempt {last:,}."
                )
            for number in range(1, last):
                if (run, number) in known:
                    continue
                self.tried.add(run)
                try:
                    answer = self.asking.client.get(
                        f"{self.asking.path}/runs/{run}/attempts/{number}",
                        {"exclude_pull_requests": "true"},
                        about=self.asking.about,
                    )
                except NotFoundError:
                    self.asking.confirm_access()
                    # Attempts can be deleted, and expire before their run does.
                    continue
                except OverloadedError as error:
                    self.asking.skips.fail("run_attempts", str(run), error)
                    continue
                try:
                    row = shape.attempt_row(answer.json, self.asking.scope.id)
                except UNEXPECTED as error:
                    self.asking.skips.add("run_attempts", str(run), f"attempt {number}: {error}")
                    continue
                self.asking.skips.done("run_attempts", [str(run)])
                if (run, number) in ends:
                    _keep_plausible_end(row, ends[run, number])
                if not self._is_before_start(row):
                    chunk.add("run_attempts", [row])

    def _is_before_start(self, row: Row) -> bool:
        """Whether this ended before the day that history begins."""
        return self.asking.start is not None and row["status"] == "completed" and row["updated_at"] < self.asking.start

    def _may_deploy(self, run: Row) -> bool:
        """Whether a run may be a deployment by its event and its repository: a fork's is not, nor a check's."""
        return run["event"] not in NEVER_DEPLOYS and run["head_repository_id"] == self.asking.scope.id

    def _deploys(self, run: Row) -> bool:
        return self._may_deploy(run) and any(
            self.asking.settings.deploys(name, run["name"], run["path"]) for name in self.asking.names
        )

    def _needs_jobs(self, run: Row) -> bool:
        """Whether a rule looks at jobs; or whether only they tell which attempt of this run deployed, or its end."""
        if not self._may_deploy(run):
            return False
        if any(self.asking.settings.needs_jobs(name) for name in self.asking.names):
            return True
        return (run["run_attempt"] > 1 or not _has_plausible_end(run)) and self._deploys(run)

    def _job_patterns(self) -> list[str]:
        patterns: list[str] = []
        for name in self.asking.names:
            rules, _ = self.asking.settings.rules_for(name)
            patterns += rules.job_patterns
            for service in self.asking.settings.services_of(name):
                patterns += service.job_patterns
        return patterns

    def _is_deploying_job(self, job: Row) -> bool:
        return any(re.search(contains_regex(each), job["name"], re.IGNORECASE) for each in self._job_patterns())

    def rules(self) -> str:
        """A fingerprint of what says which attempts and jobs are read: settings, and the default branch."""
        rules: list[Any] = [self.asking.default_branch]
        for name in self.asking.names:
            general, _ = self.asking.settings.rules_for(name)
            rules.append(
                [
                    list(patterns)
                    for patterns in (
                        general.workflow_patterns,
                        general.exclude_patterns,
                        general.job_patterns,
                        general.branches,
                    )
                ]
            )
            rules += [
                [list(service.workflow_patterns), list(service.job_patterns)]
                for service in self.asking.settings.services_of(name)
            ]
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]


def _has_plausible_end(run: Row) -> bool:
    """Whether ``updated_at`` may be when a run ended: GitHub touches runs again long after that."""
    return bool(run["status"] != "completed" or run["updated_at"] - run["run_started_at"] <= asking.LOOK_BACK)


def _keep_plausible_end(run: Row, stored: Row) -> None:
    """Keep the end that was stored of the same attempt, if that was plausible and this one is not."""
    same = ("run_attempt", "run_started_at", "status", "conclusion")
    if not _has_plausible_end(run) and _has_plausible_end(stored) and all(run[key] == stored[key] for key in same):
        run["updated_at"] = stored["updated_at"]
