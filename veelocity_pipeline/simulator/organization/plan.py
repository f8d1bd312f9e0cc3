"""What the simulated organisation is like: its repositories, teams and people, per size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

MOMENT = datetime(2026, 9, 30, 12, tzinfo=UTC)
"""The simulated now of a fresh simulator, a Wednesday at noon. Never the wall clock."""
OWNER = "acme"
CI_ACCOUNT = "acme-ci"
"""A user account that is a machine: only the settings can say so."""


@dataclass(frozen=True)
class ServicePlan:
    """A part of a monorepo with a deployment of its own."""

    name: str
    prefix: str
    workflow: str
    file: str


@dataclass(frozen=True)
class RepositoryPlan:
    """How a repository is worked in.

    Attributes:
        delivery: push (a run per merge), services (the same per touched service), train (a few runs a
            day that make GitHub Deployments), releases (tags), gitflow (release pull requests from
            develop, then a run) or external (GitHub Deployments without runs).
        per_day: pull requests that people begin per working day.
        trouble: share of successful production deployments that break something.
        areas: where changed files lie.
        ci_from_day: day of the organisation's life on which pull requests began to run CI; None is never.
        archived_on_day, renamed_on_day: likewise.
        more_reviews: what each pull request gets beside its usual reviews; every other one has comments.
    """

    name: str
    description: str
    team: str
    delivery: str
    merge_method: str
    per_day: float
    members: int
    areas: tuple[str, ...]
    workflow: tuple[str, str] = ("Deploy", "deploy.yml")
    services: tuple[ServicePlan, ...] = ()
    trouble: float = 0.04
    bots_per_week: float = 1.0
    issues_per_week: float = 0.0
    release_every_days: int = 7
    ci_from_day: int | None = None
    ci_share: float = 0.5
    is_private: bool = True
    archived_on_day: int | None = None
    renamed_on_day: int | None = None
    former_name: str = ""
    more_reviews: int = 0


@dataclass(frozen=True)
class TeamPlan:
    """A Linear team; ``issues_per_day`` counts working days."""

    key: str
    name: str
    issues_per_day: float
    former_key: str = ""
    key_changed_on_day: int | None = None


@dataclass(frozen=True)
class Plan:
    """The organisation of one size."""

    start: datetime
    repositories: tuple[RepositoryPlan, ...]
    teams: tuple[TeamPlan, ...]
    people: int
    outsiders: int
    leavers: tuple[tuple[int, int], ...]
    """(index of a person, day on which the account was deleted)."""
    is_quiet: bool = False
    """Nothing happens by itself: for ``changes`` alone."""


_WEB = RepositoryPlan(
    name="web",
    description="The shop that customers see",
    team="WEB",
    delivery="push",
    merge_method="squash",
    per_day=2.35,
    members=12,
    areas=("src/pages", "src/components", "src/lib", "styles"),
    trouble=0.045,
    bots_per_week=2.0,
    issues_per_week=0.6,
    ci_from_day=240,
    ci_share=0.8,
)
_API = RepositoryPlan(
    name="api",
    description="The public and internal HTTP API",
    team="PLAT",
    delivery="train",
    merge_method="squash",
    per_day=1.4,
    members=10,
    areas=("app/routes", "app/models", "app/auth", "migrations"),
    bots_per_week=1.5,
    ci_from_day=400,
)
DEMO = Plan(
    start=datetime(2025, 3, 31, tzinfo=UTC),
    repositories=(
        _WEB,
        _API,
        RepositoryPlan(
            name="platform",
            description="Checkout and billing, in one repository",
            team="PLAT",
            delivery="services",
            merge_method="squash",
            per_day=1.05,
            members=10,
            areas=("services/checkout", "services/billing", "libs/money", "docs"),
            services=(
                ServicePlan("checkout", "services/checkout", "Deploy checkout", "deploy-checkout.yml"),
                ServicePlan("billing", "services/billing", "Deploy billing", "deploy-billing.yml"),
            ),
            ci_from_day=380,
        ),
        RepositoryPlan(
            name="mobile",
            description="The app for phones",
            team="MOB",
            delivery="releases",
            merge_method="merge",
            per_day=0.62,
            members=8,
            areas=("ios", "android", "shared"),
            workflow=("Publish to stores", "publish.yml"),
            trouble=0.15,
            bots_per_week=0.5,
            ci_from_day=460,
        ),
        RepositoryPlan(
            name="sdk-python",
            description="Client library for Python",
            team="PLAT",
            delivery="releases",
            merge_method="rebase",
            per_day=0.3,
            members=5,
            areas=("acme_sdk", "tests", "examples"),
            workflow=("Publish package", "publish.yml"),
            trouble=0.15,
            bots_per_week=0.5,
            issues_per_week=1.2,
            release_every_days=14,
            ci_from_day=300,
            is_private=False,
        ),
        RepositoryPlan(
            name="data-jobs",
            description="Nightly jobs and the models behind them",
            team="OPS",
            delivery="gitflow",
            merge_method="merge",
            per_day=0.4,
            members=6,
            areas=("jobs", "models", "dags"),
            workflow=("Release to production", "release.yml"),
            bots_per_week=0.3,
        ),
        RepositoryPlan(
            name="infra",
            description="Everything that runs, as code",
            team="OPS",
            delivery="external",
            merge_method="rebase",
            per_day=0.38,
            members=6,
            areas=("terraform/network", "terraform/cluster", "charts"),
            bots_per_week=0.3,
        ),
        RepositoryPlan(
            name="legacy-admin",
            description="The old back office",
            team="WEB",
            delivery="push",
            merge_method="squash",
            per_day=0.28,
            members=4,
            areas=("admin", "templates"),
            bots_per_week=0.2,
            archived_on_day=300,
        ),
        RepositoryPlan(
            name="handbook",
            description="How we work",
            team="OPS",
            delivery="push",
            merge_method="squash",
            per_day=0.3,
            members=20,
            areas=("content", "theme"),
            workflow=("Publish site", "publish.yml"),
            trouble=0.0,
            bots_per_week=0.1,
            is_private=False,
            renamed_on_day=270,
            former_name="docs",
        ),
    ),
    teams=(
        TeamPlan("WEB", "Web", 1.6),
        TeamPlan("PLAT", "Platform", 1.7),
        TeamPlan("MOB", "Mobile", 0.6),
        TeamPlan("OPS", "Operations and data", 0.9, former_key="INF", key_changed_on_day=310),
    ),
    people=40,
    outsiders=6,
    leavers=((11, 190), (27, 365)),
)
SMALL = Plan(
    start=datetime(2026, 8, 3, tzinfo=UTC),
    repositories=(
        RepositoryPlan(**{**_WEB.__dict__, "per_day": 0.75, "members": 6, "trouble": 0.15, "ci_from_day": 30}),
        RepositoryPlan(
            **{
                **_API.__dict__,
                "per_day": 0.55,
                "members": 5,
                "trouble": 0.15,
                "merge_method": "merge",
                "team": "WEB",
                "ci_from_day": None,
            }
        ),
    ),
    teams=(TeamPlan("WEB", "Web", 0.9, former_key="SHOP", key_changed_on_day=20),),
    people=8,
    outsiders=1,
    leavers=((3, 25),),
)
MEDIUM = replace(
    DEMO,
    start=datetime(2026, 7, 20, tzinfo=UTC),
    repositories=tuple(
        replace(
            each,
            per_day=each.per_day * (3 if each.name == "mobile" else 1),  # pull requests are stacked there
            trouble=each.trouble * 2,
            ci_from_day=each.ci_from_day and 20,
            archived_on_day=each.archived_on_day and 40,
            renamed_on_day=each.renamed_on_day and 30,
        )
        for each in DEMO.repositories
    ),
    teams=tuple(replace(each, key_changed_on_day=each.key_changed_on_day and 35) for each in DEMO.teams),
    leavers=((14, 30), (18, 45)),
)
"""All that the demo has, in ten weeks: every way to deliver, for tests that read an organisation whole."""
ORDINARY = Plan(
    start=datetime(2025, 9, 29, tzinfo=UTC),
    repositories=(replace(_WEB, per_day=3.9, members=20, ci_from_day=None, issues_per_week=1.0),),
    teams=(TeamPlan("WEB", "Web", 2.9), TeamPlan("PLAT", "Platform", 2.0)),
    people=40,
    outsiders=2,
    leavers=(),
)
"""A year of one repository: a thousand pull requests, and over a thousand Linear issues in two teams."""
REVIEWED = replace(ORDINARY, repositories=(replace(ORDINARY.repositories[0], more_reviews=10),))
"""The same where each pull request has about ten reviews."""
HUGE = replace(ORDINARY, repositories=(replace(ORDINARY.repositories[0], per_day=39.0, members=40),))
"""Ten thousand pull requests in one repository."""
HUNDRED = Plan(
    start=datetime(2026, 7, 6, tzinfo=UTC),
    repositories=tuple(
        replace(
            _WEB,
            name=f"service-{number:03}",
            description=f"Service {number} of many",
            team=("WEB", "PLAT", "MOB", "OPS")[number % 4],
            delivery=("push", "train", "releases", "external")[number // 4 % 4],
            per_day=0.15,
            members=6,
            bots_per_week=0.2,
            issues_per_week=0.1,
            ci_from_day=None,
        )
        for number in range(100)
    ),
    teams=(
        TeamPlan("WEB", "Web", 1.0),
        TeamPlan("PLAT", "Platform", 0.8),
        TeamPlan("MOB", "Mobile", 0.6),
        TeamPlan("OPS", "Operations and data", 0.5),
    ),
    people=40,
    outsiders=2,
    leavers=(),
)
"""A hundred repositories, each with a little of everything, and four Linear teams."""
_DELIVERED = {each.delivery: each for each in DEMO.repositories}
DELIVERIES = {
    f"ordinary-{delivery}": replace(
        ORDINARY,
        repositories=(
            replace(
                _DELIVERED[delivery],
                team="WEB",
                per_day=3.9,
                members=20,
                ci_from_day=None,
                archived_on_day=None,
                renamed_on_day=None,
            ),
        ),
    )
    for delivery in ("services", "train", "releases", "gitflow")
}
"""The same year of a repository that delivers in another way."""
_TINY = RepositoryPlan(
    name="one",
    description="A little of everything",
    team="ENG",
    delivery="push",
    merge_method="squash",
    per_day=0,
    members=4,
    areas=("src", "docs"),
    bots_per_week=0,
    is_private=False,
)
TINY = Plan(
    start=MOMENT,
    repositories=(_TINY, replace(_TINY, name="two"), replace(_TINY, name="three")),
    teams=(TeamPlan("ENG", "Engineering", 0), TeamPlan("OPS", "Operations", 0)),
    people=4,
    outsiders=2,
    leavers=(),
    is_quiet=True,
)
"""Three all but empty repositories and two empty teams, to which only ``changes`` happen."""
PLANS = {
    "demo": DEMO,
    "small": SMALL,
    "medium": MEDIUM,
    "ordinary": ORDINARY,
    **DELIVERIES,
    "reviewed": REVIEWED,
    "huge": HUGE,
    "hundred": HUNDRED,
    "tiny": TINY,
}
FIRST_NAMES = (
    "Ada",
    "Bruno",
    "Chiara",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hiro",
    "Ines",
    "Jonas",
    "Kavya",
    "Luca",
    "Mira",
    "Nuno",
    "Olga",
    "Pablo",
    "Quinn",
    "Rosa",
    "Sven",
    "Tala",
    "Umar",
    "Vera",
    "Wendel",
    "Xenia",
    "Yusuf",
    "Zoe",
    "Anouk",
    "Boris",
    "Celia",
    "Dario",
    "Esther",
    "Felix",
    "Gloria",
    "Henrik",
    "Irina",
    "Jamal",
    "Katya",
    "Leon",
    "Marta",
    "Nadia",
    "Oscar",
    "Petra",
    "Ravi",
    "Selma",
    "Tomas",
    "Ulla",
    "Viktor",
    "Wanda",
)
LAST_NAMES = (
    "Almeida",
    "Berg",
    "Castro",
    "Dahl",
    "Egger",
    "Fischer",
    "Gruber",
    "Horvat",
    "Ivanova",
    "Jansen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Rossi",
    "Santos",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Yilmaz",
    "Zimmer",
)
VERBS = ("Add", "Fix", "Improve", "Remove", "Move", "Rework", "Speed up", "Simplify", "Document", "Handle", "Test")
THINGS = (
    "the cart summary",
    "address validation",
    "login redirects",
    "retry handling",
    "the price cache",
    "invoice totals",
    "session timeouts",
    "image loading",
    "search filters",
    "the settings page",
    "webhook signatures",
    "rate limiting",
    "currency rounding",
    "empty states",
    "the export job",
    "feature flags",
    "audit logging",
    "pagination",
    "the queue worker",
    "health checks",
    "error messages",
    "keyboard navigation",
    "the onboarding flow",
    "refund handling",
    "tax rules",
    "UTF-8 file names",
    "SHA-256 checksums",
    "ISO-8601 dates",
    "the COVID-19 banner",
    "CVE-2024-1234",
)
REMARKS = (
    "Could this be a constant?",
    "Nice, much clearer.",
    "What happens when the list is empty?",
    "Please add a test for this.",
    "Should we log here?",
    "I would name this differently.",
    "Nit: one blank line too many.",
    "Is this still needed?",
    "This runs on every request, is that intended?",
    "Good catch.",
)
