"""dbt's process ends with the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from veelocity_pipeline.dbt_process import PARENT

CHILD = "import time; from veelocity_pipeline.dbt_process import end_with_parent as e; e(); print('up', flush=True);"
CHILD += "time.sleep(600)"

PARENT_CODE = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); time.sleep(600)"


def test_a_child_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT_CODE, CHILD], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    parent.kill()
    # The child has the other end of the pipe: it is closed when the last of them is gone.
    assert parent.communicate(timeout=60) == ("", None)


def test_a_child_whose_parent_is_gone_before_it_begins_ends_at_once() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    child = subprocess.run(
        [sys.executable, "-c", CHILD], env={**os.environ, PARENT: str(gone.pid)}, timeout=60, check=False
    )
    assert child.returncode == 1


def test_it_is_dbt_all_the_same() -> None:
    dbt = Path(sys.executable).with_name("veelocity-dbt")
    known = subprocess.run([dbt, "--version"], capture_output=True, text=True, check=True).stdout
    assert known.startswith("1.11.")
    helped = subprocess.run([dbt, "build", "--help"], capture_output=True, text=True, check=True).stdout
    assert "--exclude-resource-type" in helped
