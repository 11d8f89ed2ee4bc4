"""Promise: `.ci/run` fails when any part fails, and its output ends with the closing lines of pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAKE = """#!/bin/sh
echo "3 passed in 1.00s is what a test printed"
case $1 in
test) echo "{test}" ;;
test-appliance) echo "{appliance}" ;;
esac
case "{failing}" in *$1,*) echo "make: *** [Makefile:9: $1] Error 1" >&2; exit 2 ;; esac
"""


def run_ci(folder: Path, test: str, appliance: str, failing: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script with a `make` that says these closing lines and fails for the targets in `failing`."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    programs = {"bin/make": MAKE.format(test=test, appliance=appliance, failing=failing)}
    programs[".venv/bin/python"] = '#!/bin/sh\necho "the table of $*"\n'
    for name, text in programs.items():
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    command = [str(folder / ".ci" / "run")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})


def test_the_output_ends_with_the_table_then_each_status_then_each_closing_line(tmp_path: Path) -> None:
    tests, appliance = "2001 passed in 1334.86s (0:22:14)", "118 passed, 9 deselected in 737.10s (0:12:17)"
    done = run_ci(tmp_path, tests, appliance)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-5] == "the table of -m tests.support.slowest test test-appliance"
    assert [line.rpartition(" after ")[0] for line in lines[-4:-2]] == [
        "== make test: status 0",
        "== make test-appliance: status 0",
    ]
    assert lines[-2:] == [tests, appliance]


@pytest.mark.parametrize("failing", ["test,", "test-appliance,", "test,test-appliance,"])
def test_a_part_that_fails_makes_the_whole_fail_and_the_other_runs(tmp_path: Path, failing: str) -> None:
    done = run_ci(tmp_path, "1 failed, 2 passed in 3.00s", "5 passed in 6.00s", failing)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["1 failed, 2 passed in 3.00s", "5 passed in 6.00s"]
    assert f"== make {failing.split(',')[0]}: status 2" in done.stdout
