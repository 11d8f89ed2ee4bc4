"""Promise: no bytes make a reader or the mapping raise anything but Unusable. Fuzzed for some seconds each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FORMATS = ["delimited", "xlsx", "json-lines", "json-array", "niem-xml", "newworld-xml", "eido-json", "unit-log"]
# Long enough to read every valid file and some thousand altered ones; the campaign goes on where that stops.
SECONDS, CAMPAIGN = 1, 60


def fuzzed(name: str, folder: Path, *flags: str, seconds: int = SECONDS) -> subprocess.CompletedProcess[str]:
    """A run of the fuzzer from that format's valid files on; what broke it lies in `folder`."""
    command = [sys.executable, "-m", "tests.intake.fuzz", name, *flags, str(folder / "corpus")]
    command += [f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024", f"-artifact_prefix={folder}/"]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=84 + seconds, check=False)


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(CAMPAIGN, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", FORMATS)
def test_whatever_is_dropped_is_read_or_refused(name: str, seconds: int, tmp_path: Path) -> None:
    done = fuzzed(name, tmp_path, seconds=seconds)
    broke = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert done.returncode == 0, f"{broke}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@pytest.mark.parametrize("name", FORMATS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    """Positive control: the valid files get through reader and mapping, and what they meet ends the run."""
    done = fuzzed(name, tmp_path, "--broken")
    assert done.returncode != 0
    assert "the planted fault was found" in done.stdout + done.stderr
