"""Which columns a query's columns are made from, worked out by hand."""

from __future__ import annotations

import pytest

from veelocity_pipeline.transform.column_lineage import of_query

TABLES = {"raw.a": ["id", "x", "y"], "raw.b": ["id", "z", "list"]}
A, B = "warehouse.raw.a", "warehouse.raw.b"


@pytest.mark.parametrize(
    ("query", "made_from"),
    [
        (f"select id, x + y as total, 1 as one from {A}", {"id": "a.id", "total": "a.x a.y", "one": ""}),
        (f"from {A}", {"id": "a.id", "x": "a.x", "y": "a.y"}),
        ('select * exclude (y) replace (upper(y) as x) from "warehouse"."raw"."a"', {"id": "a.id", "x": "a.y"}),
        (f"with c as (select * from {A}) select c.x, b.z from c join {B} as b using (id)", {"x": "a.x", "z": "b.z"}),
        # which rows there are is not what a value is made from
        (f"select count(*) as rows from {A} where x > 1 group by y", {"rows": ""}),
        (f"select count(*) filter (where x > 1) as n from {A}", {"n": "a.x"}),
        (f"select case when y then x end as v from {A}", {"v": "a.x a.y"}),
        (f"select row_number() over (partition by y order by x) as n from {A}", {"n": "a.x a.y"}),
        (f"select id, x from {A} union all select id, z from {B}", {"id": "a.id b.id", "x": "a.x b.z"}),
        (f"select x, id from {A} union all by name select id, z from {B}", {"x": "a.x", "id": "a.id b.id", "z": "b.z"}),
        (f"select (select max(z) from {B} as b where b.id = a.id) as most from {A} as a", {"most": "b.z"}),
        (f"select exists (select 1 from {B} as b where b.id = a.id) as there from {A} as a", {"there": "a.id b.id"}),
        (f"select id, unnest(list) as item from {B}", {"id": "b.id", "item": "b.list"}),
        (f"select b.id, t.item from {B} as b, unnest(b.list) as t(item)", {"id": "b.id", "item": "b.list"}),
        (f"select list_transform(list, e -> e || z) as l from {B}", {"l": "b.list b.z"}),
        (
            f"select a.x, b.z from {A} as a asof left join {B} as b on a.id = b.id and a.x >= b.z",
            {"x": "a.x", "z": "b.z"},
        ),
        (
            f"""with recursive up as (
                    select id, x from {A} union select up.id, b.z from up join {B} as b on b.id = up.x)
                select * from up""",
            {"id": "a.id", "x": "a.x b.z"},
        ),
    ],
)
def test_values_are_followed(query: str, made_from: dict[str, str]) -> None:
    found = of_query(query, TABLES)
    assert {
        name: " ".join(f"{table[4:]}.{column}" for table, column in each) for name, each in found.items()
    } == made_from
    assert list(found) == list(made_from)


@pytest.mark.parametrize(
    "query", [f"select nothing from {A}", "select from where", "select x from warehouse.raw.unknown"]
)
def test_what_cannot_be_followed_is_said(query: str) -> None:
    with pytest.raises(ValueError, match="cannot be followed"):
        of_query(query, TABLES)
