"""The paths of commits that came without a pull request, one request each."""

from __future__ import annotations

from collections.abc import Iterator

from veelocity_pipeline.sources.github import shape, trees
from veelocity_pipeline.sources.github.reading import HERE, Node, Reading
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, OverloadedError

FILES_PER_PAGE = 100
"""The most that REST lists at once."""


class CommitFiles:
    """The paths of a repository's commits."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def read(self) -> Iterator[Chunk]:
        """Read the paths of those commits that were not asked for before."""
        reading = self.reading
        without = set(reading.mark.files_without)
        done = reading.values("commit_files", "commit_id") | without
        carried = reading.values("commit_pull_requests", "commit_id")
        asked = {
            row["id"]: row["sha"]
            for row in reading.rows("commits", ("id", "sha", "committed_at"), HERE)
            if row["id"] not in carried and not reading.is_too_old(row["committed_at"])
        }
        # Of what could not be read whole it is not known whether it came with a pull request.
        unknown = reading.skips.of("commits")
        for commit, sha in {**asked, **reading.direct}.items():
            if commit in done or sha in unknown or (sha in reading.read_commits and commit not in reading.direct):
                continue
            try:
                rows = shape.commit_file_rows(self._files(sha), commit, reading.id, sha)
            except (BadAnswerError, NotFoundError, OverloadedError) as error:
                # It has no paths, and is asked for again in every refresh.
                failure = error if isinstance(error, OverloadedError) else OverloadedError(str(error))
                reading.skips.fail("commit_files", sha, failure)
                continue
            reading.skips.done("commit_files", [sha])
            if not rows:
                without.add(commit)
                reading.mark.files_without = sorted(without)
            chunk = reading.checkpoint()
            chunk.add_set("commit_files", commit, rows)
            yield chunk

    def _files(self, sha: str) -> list[Node]:
        """Return all files of a commit, against its first parent."""
        client, name = self.reading.client, self.reading.name
        files: list[Node] = []
        for page in self._pages(sha):
            files += page
        if len(files) < trees.MOST_FILES:
            return files
        after, parents = trees.tree_of(client, name, sha)
        before = trees.tree_of(client, name, parents[0])[0] if parents else None
        return [{"filename": path} for path in trees.changed_paths(client, name, before, after)]

    def _pages(self, sha: str) -> Iterator[list[Node]]:
        name = self.reading.name
        path, number = f"/repos/{name}/commits/{sha}", 1
        while True:
            query = {"per_page": FILES_PER_PAGE, "page": number if number > 1 else None}
            answer = self.reading.client.get(path, query, about=name)
            files = answer.json.get("files") if isinstance(answer.json, dict) else None
            if not isinstance(files, list):
                raise BadAnswerError(f"GitHub answered {path} without its files: is GITHUB_API_URL the API?")
            yield files
            # A proxy may drop the Link header; a page that is not full is the last one all the same.
            if len(files) < FILES_PER_PAGE or number * FILES_PER_PAGE >= trees.MOST_FILES:
                return
            number += 1
