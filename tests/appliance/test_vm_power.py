"""The power goes away at random moments: while exports arrive, backups run, versions change, and while it starts again.

The machine is killed, memory and unwritten pages with it; nothing is lost and nothing doubled. POWER_CUTS=N makes N of
the cuts in this run and the next ones in the next: machine and story are kept between runs (`tests/appliance/kept.py`).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock
from tests.appliance import custody, exports
from tests.appliance.kept import Kept, kept
from tests.appliance.release import later
from tests.demonstration import cad_csv
from tests.demonstration.calls import CRITICAL_KINDS, critical_call
from tests.support.waiting import pause, until

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3 * 3600)]

# "start" is a second cut, after one of the others, while the machine boots, is opened, and starts its compartments.
PLAN = ("backup", "start", "backup", "version", "start") * 4
# The cut comes at a moment between at once and these seconds; in a change of version, once it has begun to change.
WITHIN = {"backup": 12.0, "version": 180.0, "start": 150.0}
CUTS = int(os.environ.get("POWER_CUTS", len(PLAN)))
NEXT = "0.2.0"
# Asked as root on the unsealed appliance, with the key that the compartment has: how many rows, how many numbers.
_CALLS = (
    "from appliance.settings import Home; from appliance.storage import open_store;"
    "from appliance.intake.models import Call; from sqlalchemy import func, select;"
    "print(*open_store(Home.find(), 'intake').read().__enter__()"
    ".execute(select(func.count(), func.count(Call.number.distinct()))).one())"
)


def test_power_cuts(tmp_path: Path) -> None:
    with kept() as appliance:
        done = appliance.progress.done
        _open(appliance)
        until = min(len(done) + CUTS, len(PLAN))
        while len(done) < until or PLAN[len(done) : len(done) + 1] == ("start",):
            _cut(appliance, tmp_path)
        _nothing_lost(appliance)
        print(f"{len(done)} of {len(PLAN)} cuts\n" + "\n".join(done), flush=True)
        if len(done) == len(PLAN):
            appliance.story.witness()
            doctor = appliance.story.shell.run("wardwell doctor", check=False, timeout=600)
            assert doctor.returncode == 0, doctor.stdout
            appliance.story.shell.run("wardwell backup create --to /root/backup", timeout=900)


def _cut(appliance: Kept, scratch: Path) -> None:
    """The next one of the plan; and what has to be true after it, unless another one follows while it starts."""
    number = len(appliance.progress.done)
    kind = PLAN[number]
    work = _work(appliance, kind, number, scratch)
    begun = time.monotonic()
    busy = threading.Thread(target=_quietly, args=(work,), daemon=True)
    busy.start()
    if kind == "version":
        _until_it_changes(appliance)
    pause(random.Random(20261123 + number).uniform(0.2, WITHIN[kind]), "a moment of the plan")
    after = time.monotonic() - begun
    appliance.machine.kill()
    busy.join(60)
    appliance.machine.start()
    told = f"cut {number + 1} ({kind}, after {after:.0f} s)"
    if PLAN[number + 1 : number + 2] != ("start",):
        up = _open(appliance)
        told += f", serving again {up:.0f} s after the console answered, {appliance.progress.entries} entries"
    appliance.progress.done.append(told)
    appliance.save()
    print(told, flush=True)


def _work(appliance: Kept, kind: str, number: int, scratch: Path) -> Callable[[], None]:
    """What goes on when the power goes away."""
    if kind == "start":
        return lambda: _unseal(appliance)
    path = _file(appliance, number)
    command = "wardwell backup create --to /root/backup"
    if kind == "version":
        _stage(appliance, scratch)
        command = "wardwell update rollback" if _version(appliance) == NEXT else f"wardwell update apply {NEXT}"
    shell = appliance.story.shell
    shell.run("mkdir -p /root/backup")

    def work() -> None:
        shell.run(f"{command} >/dev/null 2>&1 &", timeout=20)
        if exports.plainly(appliance.story.agency, path).returncode == 0:
            _sure(path).touch()

    return work


def _until_it_changes(appliance: Kept) -> None:
    """Past the comparison of files and the backup, which take longest when emulated and change nothing yet."""
    appliance.story.shell.run("until test -e /opt/wardwell/update.json; do sleep 0.2; done", timeout=2400)


def _quietly(work: Callable[[], None]) -> None:
    with suppress(Exception):
        work()


def _unseal(appliance: Kept) -> None:
    custody.unseal(appliance.story.shell, appliance.story.cards.enough())


def _open(appliance: Kept) -> float:
    """From a machine that was just started to one that serves, and all of it in order; seconds until it served."""
    shell, story = appliance.story.shell, appliance.story
    begun = time.monotonic()
    # Whatever was interrupted is settled unaided while it starts; `status` fails while it is not.
    appliance.machine.running(3000)
    _unseal(appliance)
    story.wait_until_serving(600)
    seconds = time.monotonic() - begun
    shell.run("wardwell update status")
    # The export job tries again what it is not sure of, and that alone: what it was told to be there must be.
    for path in _files(appliance):
        if not _sure(path).exists():
            assert exports.plainly(story.agency, path).returncode == 0
            _sure(path).touch()
    shell.run("wardwell kit verify", timeout=300)
    entries = int(shell.output("sed -n 2p /var/lib/wardwell/public/ledger/checkpoint"))
    assert entries >= appliance.progress.entries, "the access log shrank"
    appliance.progress.entries = entries
    return seconds


def _nothing_lost(appliance: Kept) -> None:
    """Every call that was ever delivered is there once."""
    wanted = len(_files(appliance))
    until(lambda: _calls(appliance) == (wanted, wanted), 300, 2, explain=lambda: (_calls(appliance), wanted))


def _file(appliance: Kept, number: int) -> Path:
    """An export with one call that no other has."""
    story = appliance.story
    path = appliance.folder / "exports" / f"cut_{number:02d}.csv"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        received = (clock.now() - timedelta(hours=5, minutes=number)).replace(second=0, microsecond=0, tzinfo=None)
        call = critical_call(story.agency.people, received, 800 + number, CRITICAL_KINDS["child-death"])
        path.write_bytes(cad_csv.render([cad_csv.row(call, complete=True)]))
    return path


def _files(appliance: Kept) -> list[Path]:
    return sorted((appliance.folder / "exports").glob("*.csv"))


def _sure(path: Path) -> Path:
    """There when the export job was told that its file arrived."""
    return path.with_suffix(".arrived")


def _stage(appliance: Kept, scratch: Path) -> None:
    shell = appliance.story.shell
    if shell.run(f"test -e /opt/wardwell/releases/{NEXT}/complete", check=False).returncode:
        shell.put(later(NEXT, scratch), "/root/next.bundle")
        shell.run("wardwell update stage /root/next.bundle", timeout=2400)


def _version(appliance: Kept) -> str:
    return appliance.story.shell.output("basename $(readlink /opt/wardwell/current)")


def _calls(appliance: Kept) -> tuple[int, int]:
    words = appliance.story.shell.output(f'/opt/wardwell/current/venv/bin/python -c "{_CALLS}"')
    rows, numbers = words.split()
    return int(rows), int(numbers)
