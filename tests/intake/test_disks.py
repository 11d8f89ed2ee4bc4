"""Promise: a read-only disk and a slow one delay an export; they lose none and double none."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.intake.read import parsing
from appliance.intake.settle.take import take_files
from appliance.storage import Store
from tests.intake.support import file, row
from tests.intake.test_take import PROFILE, facts, messages

# Runs in a mount namespace of its own: the home and the drop folder are two file systems, each read-only for a while.
READ_ONLY = """
import pathlib, subprocess, sys, time
from tests.conftest import make_home
from appliance.errors import WardwellError
from appliance.storage import open_store
from appliance.storage.migrate import metadata_of
from appliance.intake.serve import Watcher
from tests.intake.support import file, let_settle, roster, row
from tests.intake.test_take import facts, messages, with_feed

root = pathlib.Path(sys.argv[1])

def mount(*words):
    subprocess.run(["mount", *words], check=True)

def turn(watcher):
    watcher.turn(scan=True)
    let_settle(watcher)
    watcher.turn(scan=True)

mount("-t", "tmpfs", "-o", "size=64m", "none", str(root))
home = with_feed(make_home(root / "home"))
store = open_store(home, "intake")
metadata_of("intake").create_all(store.writer)
roster(store)
drop = home.drop("cad")
drop.mkdir(parents=True, exist_ok=True)
mount("-t", "tmpfs", "none", str(drop))
store.close()

# The appliance's own disk, as the kernel leaves it after an error: nothing is taken, and the export waits.
file(drop, "cad_export_20261014_233100.csv", row("1"))
mount("-o", "remount,ro", str(root))
problem = None
try:
    turn(Watcher(home))
except WardwellError as error:
    problem = error
assert problem is not None and "cannot be written" in problem.message and "journalctl" in problem.fix
assert [path.name for path in drop.iterdir()] == ["cad_export_20261014_233100.csv"]
mount("-o", "remount,rw", str(root))
watcher, store = Watcher(home), open_store(home, "intake")
assert facts(store) == ([], [])
turn(watcher)
assert [number for number, *_ in facts(store)[0]] == ["1"] and list(drop.iterdir()) == []

# The drop folder's disk: the export is taken once, stays, and that is said.
file(drop, "cad_export_20261015_233100.csv", row("2"))
mount("-o", "remount,ro", str(drop))
turn(watcher)
turn(watcher)
assert watcher.stuck == {"cad": 1}
mount("-o", "remount,rw", str(drop))
turn(watcher)
assert watcher.stuck == {"cad": 0} and list(drop.iterdir()) == []
assert [number for number, *_ in facts(store)[0]] == ["1", "2"]
assert len([one for one in messages(store) if one["message"] == "FileReceipt"]) == 2
"""


def test_a_read_only_disk_delays_an_export_and_nothing_more(tmp_path: Path) -> None:
    script, here = tmp_path / "read_only.py", Path(__file__).parents[2]
    script.write_text(READ_ONLY)
    (tmp_path / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", sys.executable, script, tmp_path / "disk"],
        capture_output=True,
        text=True,
        check=False,
        cwd=here,
        env={"PYTHONPATH": str(here), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


# A disk of which each kilobyte takes a tenth of a second, and a limit of half a second of a processor's time per file.
_SLOW = """
import sys, time
from appliance.intake.read import child, opening
class Slow:
    def __init__(self, inner): self.inner = inner
    def read(self, size=-1):
        found = self.inner.read(size)
        time.sleep(len(found) / 1024 / 10)
        return found
    def __getattr__(self, name): return getattr(self.inner, name)
digest = opening.Source.digest
def slow_digest(self):
    whole, self._file = self._file, Slow(self._file)
    try: return digest(self)
    finally: self._file = whole
opening.Source.digest = slow_digest
child._SECONDS, child._SECONDS_PER_MEGABYTE = 0.5, 0.0
busy = child._reads_calls
def reads(*given):
    read = busy(*given)
    def wrapped(source, path, *more):
        until = time.process_time() + (2 if path.name.startswith("spin") else 0)
        while time.process_time() < until: pass
        read(source, path, *more)
    return wrapped
child._reads_calls = reads
child.run(sys.stdin.buffer, sys.stdout.buffer)
"""


def test_waiting_for_a_slow_disk_is_no_reason_to_refuse_a_file(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "CHILD", [*parsing.CHILD[:1], "-c", _SLOW])
    slow = file(tmp_path, "slow.csv", *(row(str(number)) for number in range(200)))
    begun = time.monotonic()
    assert take_files(intake, "cad", PROFILE, [slow], keep=True).taken == 1
    assert time.monotonic() - begun > slow.stat().st_size / 1024 / 10 > 1
    assert len(facts(intake)[0]) == 200
    # The control: as much time of a processor is refused.
    with contextlib.suppress(parsing.ParserDied):
        take_files(intake, "cad", PROFILE, [file(tmp_path, "spin.csv", row("x1"))], keep=True)
    (refused,) = [one for one in messages(intake) if not one["taken"]]
    assert refused["refused"][0]["reason"] == "reading it takes too long"
