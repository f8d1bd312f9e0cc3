"""Makes Veelocity's questions and dashboard in a Metabase, through its API; run again, it changes what differs.

    METABASE_URL=https://metabase.example.com METABASE_API_KEY=mb_… \
        .venv/bin/python dashboards/metabase/publish.py --database Veelocity

The questions are those of docs/reference/queries.md under the same names; `dashboard.toml` says which are on the
dashboard, and how they are drawn. What was made before is found by its name in the collection. docs/how-to/metabase.md
has the rest.

Sources of API facts: Metabase's own /api/docs, and its source (`queries_rest/api/card.clj`, `dashboards_rest/api.clj`,
`collections_rest/api.clj`): bodies are closed maps, and an unknown key is refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).resolve().parent
QUERIES = HERE.parents[1] / "docs" / "reference" / "queries.md"
LAYOUT = HERE / "dashboard.toml"

COLUMNS = 24
WIDTH, HEIGHT = 12, 7
HEADING = 1

Json = dict[str, Any]


class MetabaseError(Exception):
    """What cannot be done, in one sentence with the cure. `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def questions(text: str) -> dict[str, str]:
    """SQL by question, from the headings and code blocks of docs/reference/queries.md."""
    found = re.findall(r"^### (.+?)\n.*?```sql\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE)
    return {name: sql.strip().removesuffix(";") for name, sql in found}


def card(name: str, sql: str, drawn: Json, database: int, collection: int) -> Json:
    """A question as `POST /api/card` takes it: native SQL, a table unless `drawn` says otherwise."""
    settings: Json = {}
    if "dimensions" in drawn:
        settings = {"graph.dimensions": drawn["dimensions"], "graph.metrics": drawn["metrics"]}
    return {
        "name": name,
        "description": "As in docs/reference/queries.md of Veelocity.",
        "display": drawn.get("display", "table"),
        "visualization_settings": settings,
        "dataset_query": {"type": "native", "native": {"query": sql}, "database": database},
        "collection_id": collection,
    }


def places(sections: Sequence[Json], cards: dict[str, int]) -> list[Json]:
    """The dashboard's cards from top to bottom, as `PUT /api/dashboard/:id` takes them, but for their ids."""
    placed: list[Json] = []
    row = column = tallest = 0
    for section in sections:
        row, column, tallest = row + tallest, 0, 0
        placed.append({
            "card_id": None, "row": row, "col": 0, "size_x": COLUMNS, "size_y": HEADING,
            "visualization_settings": {
                "text": section["title"],
                "virtual_card": {
                    "name": None, "display": "heading", "visualization_settings": {}, "dataset_query": {},
                    "archived": False,
                },
            },
        })  # fmt: skip
        row += HEADING
        for question in section["question"]:
            width, height = question.get("width", WIDTH), question.get("height", HEIGHT)
            if column + width > COLUMNS:
                row, column, tallest = row + tallest, 0, 0
            placed.append({
                "card_id": cards[question["name"]], "row": row, "col": column, "size_x": width, "size_y": height,
                "visualization_settings": {},
            })  # fmt: skip
            column, tallest = column + width, max(tallest, height)
    return placed


def publish(client: httpx.Client, database: str, layout: Json, sql: dict[str, str]) -> list[str]:
    """Make what is missing and change what differs; what was done, a line each. Raises MetabaseError."""
    metabase = Metabase(client)
    number = metabase.database(database)
    collection = metabase.collection(layout["collection"])
    there = metabase.items(collection)
    drawn = {question["name"]: question for section in layout["section"] for question in section["question"]}
    if unknown := drawn.keys() - sql.keys():
        names = ", ".join(sorted(unknown))
        raise MetabaseError(f"{LAYOUT.name} names questions that docs/reference/queries.md does not have: {names}")

    cards = {
        name: metabase.card(there.get(("card", name)), card(name, text, drawn.get(name, {}), number, collection))
        for name, text in sql.items()
    }
    name = layout["dashboard"]["name"]
    metabase.dashboard(
        there.get(("dashboard", name)),
        {**layout["dashboard"], "collection_id": collection},
        places(layout["section"], cards),
    )
    return metabase.done


class Metabase:
    """The parts of Metabase's API that are needed; `done` tells what was changed through it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.done: list[str] = []

    def database(self, name: str) -> int:
        """The id of the database of that name."""
        answer = self._ask("GET", "/api/database")
        found = answer["data"] if isinstance(answer, dict) else answer  # a bare list until Metabase 0.40
        ids = [int(each["id"]) for each in found if each["name"] == name]
        if len(ids) != 1:
            names = ", ".join(sorted(each["name"] for each in found)) or "none"
            raise MetabaseError(
                f"this key sees {'more than one' if ids else 'no'} database called {name!r} in Metabase, but {names}; "
                "docs/how-to/metabase.md says how to add it, --database names another",
                status=2,
            )
        return ids[0]

    def collection(self, wanted: Json) -> int:
        """The id of our collection in the root collection."""
        for each in self._ask("GET", "/api/collection"):
            if each["name"] == wanted["name"] and not each.get("archived") and each.get("location", "/") == "/":
                return int(each["id"])
        made = self._ask("POST", "/api/collection", wanted)
        self.done.append(f"made the collection {wanted['name']!r}")
        return int(made["id"])

    def items(self, collection: int) -> dict[tuple[str, str], int]:
        """Ids by (model, name) of the questions and dashboards in a collection; of a name's several the oldest."""
        answer = self._ask("GET", f"/api/collection/{collection}/items?models=card&models=dashboard")
        found = sorted(answer["data"], key=lambda each: -int(each["id"]))
        return {(each["model"], each["name"]): int(each["id"]) for each in found}

    def card(self, number: int | None, wanted: Json) -> int:
        """Make the question, or change what differs in it; its id."""
        if number is None:
            made = self._ask("POST", "/api/card", wanted)
            self.done.append(f"made the question {wanted['name']!r}")
            return int(made["id"])
        there = self._ask("GET", f"/api/card/{number}")
        changes = {name: value for name, value in wanted.items() if not _is_there(name, value, there)}
        if changes:
            self._ask("PUT", f"/api/card/{number}", changes)
            self.done.append(f"changed the question {wanted['name']!r}")
        return number

    def dashboard(self, number: int | None, wanted: Json, placed: Sequence[Json]) -> None:
        """Make the dashboard, or put it back to what it should be."""
        if number is None:
            number = int(self._ask("POST", "/api/dashboard", wanted)["id"])
            self.done.append(f"made the dashboard {wanted['name']!r}")
            there: Json = {**wanted, "dashcards": []}
        else:
            there = self._ask("GET", f"/api/dashboard/{number}")
        changes = {name: value for name, value in wanted.items() if there.get(name) != value}
        if sorted(map(_place, there["dashcards"])) != sorted(map(_place, placed)):
            # a new card has a negative id of its own; cards that are not named any more are taken off
            kept = {_place(each): each["id"] for each in there["dashcards"]}
            changes["dashcards"] = [
                {"id": kept.get(_place(each), -place), **each} for place, each in enumerate(placed, start=1)
            ]
        if changes:
            self._ask("PUT", f"/api/dashboard/{number}", changes)
            self.done.append(f"laid out the dashboard {wanted['name']!r}")

    def _ask(self, method: str, path: str, body: Json | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise MetabaseError(
                f"{self._client.base_url} cannot be reached ({error}); is METABASE_URL right?"
            ) from error
        if answer.status_code in {401, 403}:
            raise MetabaseError(
                f"Metabase refuses {method} {path} ({answer.status_code}): the API key needs a group that may write "
                "SQL on the database and edit the collection"
            )
        if answer.is_error:
            raise MetabaseError(f"Metabase answered {method} {path} with {answer.status_code}: {answer.text[:500]}")
        return answer.json()


def _is_there(name: str, value: Any, there: Json) -> bool:
    """Whether a question has this already. Metabase adds settings of its own, and has two forms of a query."""
    if name == "visualization_settings":
        return bool({key: there[name].get(key) for key in value} == value)
    if name == "dataset_query":
        return (_sql(there[name]), there[name]["database"]) == (_sql(value), value["database"])
    return bool(there.get(name) == value)


def _sql(query: Json) -> str | None:
    """The SQL of a native query, in the older form or in that of stages."""
    native = query["stages"][0].get("native") if "stages" in query else query.get("native", {}).get("query")
    return native if isinstance(native, str) else None


def _place(dashcard: Json) -> tuple[int, int, int, int, int, str]:
    """What a card on a dashboard is and where, to compare."""
    text = (dashcard.get("visualization_settings") or {}).get("text", "")
    row, column, width, height = (int(dashcard[name]) for name in ("row", "col", "size_x", "size_y"))
    return int(dashcard["card_id"] or 0), row, column, width, height, text


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make Veelocity's questions and dashboard in Metabase.")
    parser.add_argument("--database", default="Veelocity", help="the database's name in Metabase (Veelocity)")
    options = parser.parse_args(arguments)
    url, key = os.environ.get("METABASE_URL", ""), os.environ.get("METABASE_API_KEY", "")
    try:
        if not url.startswith(("http://", "https://")) or not key:
            raise MetabaseError(
                "set METABASE_URL (https://…) and METABASE_API_KEY (Admin, Authentication, API keys)", 2
            )
        layout = tomllib.loads(LAYOUT.read_text(encoding="utf-8"))
        sql = questions(QUERIES.read_text(encoding="utf-8"))
        with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=60) as client:
            _say(publish(client, options.database, layout, sql) or ["Metabase has it all already"], sys.stdout)
    except MetabaseError as error:
        _say([str(error)], sys.stderr)
        return error.status
    return 0


def _say(lines: Iterable[str], where: Any) -> None:
    where.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
