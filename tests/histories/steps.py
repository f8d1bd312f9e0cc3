"""Random histories, of what can happen to one source; each shrinks to the few steps that matter."""

from __future__ import annotations

from itertools import chain

from hypothesis import strategies as st

from veelocity_pipeline.simulator.organization.changes.shown import SHOWN

from .world import Change, Configure, History, Refresh, Step, Wait

_ALL = list(SHOWN)
_ACTIONS = _ALL.index("start a run")
_LINEAR = _ALL.index("create a Linear issue")

CHANGES: dict[str, list[str]] = {
    "github": _ALL[:_ACTIONS],
    "github_actions": [
        *_ALL[_ACTIONS:_LINEAR],
        # what happens most, more often
        "start a run",
        "start a run",
        "go on with a run",
        "go on with a run",
        "run again",
        # and what happens to repositories and people, and shows in runs
        "open a pull request from a fork",
        "push to the default branch",
        "rename a repository",
        "transfer a repository",
        "archive a repository",
        "rename the default branch",
        "delete a fork",
        "delete an account",
    ],
    "linear": [
        *_ALL[_LINEAR:],
        "create a Linear issue",
        "edit a Linear issue",
        "move a Linear issue",
        "move a Linear issue to another team",
        "move a Linear issue to another team",
        "comment on a Linear issue",
        "attach to a Linear issue",
    ],
}
"""What can happen to what each source reads."""

SECONDS = (1, 2, 30, 59, 61, 299, 301, 599, 601, 3_600, 86_400)
DAYS = (6, 8, 29, 31, 34, 36, 64, 66, 95, 401)


def changes(source: str) -> st.SearchStrategy[Change]:
    picks = st.lists(st.integers(0, 5), max_size=6).map(tuple)
    return st.builds(Change, st.sampled_from(CHANGES[source]), picks)


def waits(*seconds: int) -> st.SearchStrategy[Wait]:
    return st.builds(Wait, st.sampled_from(seconds))


def refreshes(source: str) -> st.SearchStrategy[Refresh]:
    meanwhile = st.tuples(st.integers(0, 25), changes(source) | waits(1, 40))
    ends = st.one_of(
        st.none(),
        st.none(),
        st.none(),
        st.tuples(st.sampled_from(("kill", "interrupt")), st.just("request"), st.integers(0, 40)),
        st.tuples(st.just("kill"), st.just("statement"), st.integers(0, 150)),
    )
    faults = st.lists(
        st.tuples(st.sampled_from(("502", "drop", "partial", "not_json")), st.integers(0, 30)), max_size=2
    )
    return st.builds(
        Refresh,
        full=st.integers(0, 3).map(lambda number: number == 3),
        scope=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 3)),
        during=st.lists(meanwhile, max_size=3).map(tuple),
        ends=ends,
        faults=faults.map(tuple),
        lost=st.one_of(st.none(), st.none(), st.none(), st.tuples(st.integers(0, 2), st.integers(0, 25))),
    )


def configurations() -> st.SearchStrategy[Configure]:
    return st.builds(Configure, st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(tuple))


def histories(source: str) -> st.SearchStrategy[History]:
    """Up to four stretches of changes, each with a refresh at its end."""
    happening = st.lists(
        st.one_of(
            changes(source),
            changes(source),
            changes(source),
            changes(source),
            waits(*SECONDS),
            waits(*(days * 86_400 for days in DAYS)),
        ),
        max_size=9,
    )
    configured = st.lists(configurations(), max_size=1) if source != "linear" else st.just([])
    stretch = st.tuples(happening, configured, refreshes(source).map(lambda each: [each]))
    return st.builds(
        History,
        st.just(source),
        st.lists(stretch, min_size=1, max_size=4).map(_flat),
        page=st.sampled_from((2, 1, 3, 10)),
        batch=st.sampled_from((1_000, 30, 8)),
        threads=st.sampled_from((1, 1, 3)),
    )


def _flat(stretches: list[tuple[list[Step], ...]]) -> tuple[Step, ...]:
    return tuple(chain.from_iterable(chain.from_iterable(stretches)))
