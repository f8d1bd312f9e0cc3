"""Packages from npm's registry for tests, installed from a lock file and kept for later sessions."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.warehouse.lock import exclusively

#: What npm says when there is no way to the registry.
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b")


def installed(files: list[Path], kept: str) -> Path:
    """Return a folder below `.pytest_cache/<kept>` that holds the files, `package.json` among them, and the packages.

    Skip the test where npm is not installed or its registry cannot be reached.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    name = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()[:20]
    folder = CHECKOUT / ".pytest_cache" / kept / name
    with exclusively(folder.with_name(".lock")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as staged:
                fresh = Path(staged) / name
                fresh.mkdir()
                for path in files:
                    shutil.copy(path, fresh)
                result = subprocess.run(
                    [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--prefer-offline"],
                    cwd=fresh, capture_output=True, text=True, check=False, timeout=300,
                )  # fmt: skip
                if result.returncode and UNREACHABLE.search(result.stderr):
                    pytest.skip("npm's registry cannot be reached")
                assert result.returncode == 0, result.stderr
                for other in folder.parent.iterdir():
                    if other.is_dir() and other.name != Path(staged).name:
                        shutil.rmtree(other)
                fresh.rename(folder)
    return folder
