"""The workflows of a repository, each page with an ETag."""

from __future__ import annotations

from collections.abc import Sequence

from veelocity_pipeline.sources.github_actions import asking, shape
from veelocity_pipeline.sources.github_actions.asking import Asking, is_last_page, items_of
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.http.paging import Pages


def read_workflows(asked: Asking, etags: Sequence[str]) -> tuple[Chunk, list[str]]:
    """The workflows, if a page of them changed, and all pages' ETags; those that are not listed are gone."""
    chunk = Chunk()
    unchanged = 0
    kept: list[str] = []
    listed = 0
    brought = Pages("GitHub", f"the workflows of {asked.scope.name}", most=asking.MOST_PAGES, most_barren=1)
    while True:
        number = len(kept) + 1
        answer = asked.page(
            f"{asked.path}/workflows", {}, "workflows", etags[number - 1] if number <= len(etags) else "", number
        )
        kept.append(answer.etag)
        if answer.is_unchanged:
            listed += asking.PER_PAGE
            unchanged += 1
            is_last = number >= len(etags)
        else:
            nodes = items_of(answer.json, "workflows", asked.about)
            listed += len(nodes)
            if nodes:
                brought.note(nodes)
            chunk.add(
                "workflows",
                asked.skips.shaped("workflows", nodes, lambda node: shape.workflow_row(node, asked.scope.id)),
            )
            is_last = is_last_page(answer, nodes, listed, unchanged * asking.PER_PAGE + brought.brought)
        if is_last:
            break
    if 0 < unchanged < len(kept):
        return read_workflows(asked, [])
    if not unchanged and not asked.skips.kept.get("workflows"):
        chunk.listed["workflows"] = {row["id"] for row in chunk.rows["workflows"]}
    return chunk, kept
