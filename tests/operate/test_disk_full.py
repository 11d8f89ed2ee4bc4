"""A full disk: what grows is refused by name, what must go on goes on, and nothing breaks even without a byte left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import disk
from appliance.desk import slips
from appliance.intake.serve import Watcher
from appliance.storage import Store
from tests.desk.test_desk_vault_api import SIZE, WRAPS, b64, enrolment
from tests.intake.support import file, let_settle, roster, row
from tests.intake.test_take import facts, with_feed
from tests.support.desk_fixtures import app, browser, charter, desk, ledger, space
from tests.support.desk_site import Browser, Space, add_member

__all__ = ["app", "browser", "charter", "desk", "ledger", "space"]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`fill(free)`: a volume of 100 GiB with so many bytes left."""

    def make(free: int) -> None:
        monkeypatch.setattr(disk, "room", lambda _folder: disk.Room(100 << 30, free, disk._reserve(100 << 30)))

    make(50 << 30)
    return make


def test_sign_in_and_reading_go_on_while_new_things_are_refused(
    space: Callable[[], Space], desk: Store, fill: Callable[[int], None]
) -> None:
    member = add_member(desk, "reyes", "officer")
    first = space()
    assert first.sign_in(member).status_code == 200
    fill(1 << 30)
    refused = first.call("POST", "/api/enrol", enrolment(slips.issue(desk, member.handle).code))
    assert refused.status_code == 507
    error = refused.get_json()["error"]
    assert error["code"] == "disk_full" and "nothing was stored" in error["message"] and "IT" in error["fix"]
    assert first.call("GET", "/api/vault").status_code == 404  # nothing was stored, and reading goes on
    # The control: with room the same request is taken; and what is there may replace itself on the reserve.
    fill(50 << 30)
    assert first.call("POST", "/api/enrol", enrolment(slips.issue(desk, member.handle).code)).status_code == 200
    fill(1 << 30)
    saved = first.call("PUT", "/api/vault", {"expected_version": 1, "blob": b64(b"\2" * SIZE), "keep": False})
    assert saved.status_code == 200 and saved.get_json()["version"] == 2
    assert first.call("GET", "/api/vault").get_json()["wraps"] == WRAPS
    assert first.call("POST", "/api/lock", {}).status_code == 200


def test_staff_sign_in_on_the_reserve(browser: Callable[[], Browser], desk: Store, fill: Callable[[int], None]) -> None:
    fill(1 << 30)
    staff = browser()
    member = add_member(desk, "chen", "coordinator")
    staff.fill("/sign-in", {"name": "chen", "password": member.password})
    assert staff.fill("/sign-in/code", {"code": member.code()}).status_code == 303
    assert staff.get("/coordinator/open").status_code == 200
    refused = staff.post("/coordinator/open", {"incident": "another"})
    assert refused.status_code == 507 and "disk is nearly full" in refused.get_data(as_text=True)
    fill(50 << 30)
    assert staff.post("/coordinator/open", {"incident": "another"}).status_code != 507


def test_exports_wait_until_there_is_room(
    store_of: Callable[[str], Store], fill: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = store_of("intake")
    roster(intake)
    watcher = Watcher(with_feed(intake.home))
    dropped = file(intake.home.drop("cad"), "cad_export_20261014_233100.csv", row("1"))
    fill(1 << 30)
    sent: list[str] = []
    monkeypatch.setattr("appliance.intake.serve.delivery.send", lambda *given: sent.append(given[3].fix))
    watcher.turn(scan=True)
    let_settle(watcher)
    watcher.turn(scan=True)
    watcher.report()
    assert dropped.exists() and facts(intake)[0] == []
    assert "exports wait" in sent[0]
    fill(50 << 30)
    watcher.turn(scan=True)
    let_settle(watcher)
    watcher.turn(scan=True)
    watcher.report()
    assert [number for number, *_ in facts(intake)[0]] == ["1"]
    assert "exports wait" not in sent[1]
    watcher.store.close()


def test_no_month_is_counted_while_exports_wait(
    store_of: Callable[[str], Store], fill: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    intake = store_of("intake")
    counted: list[str] = []
    monkeypatch.setattr("appliance.intake.serve.counts.send_due", lambda *_: counted.append("a month"))
    monkeypatch.setattr("appliance.intake.serve.MAINTENANCE", tmp_path / "maintenance")
    watcher = Watcher(with_feed(intake.home))
    fill(1 << 30)
    watcher.turn(scan=True)
    watcher.send_counts()
    fill(50 << 30)
    watcher.turn(scan=True)
    (tmp_path / "maintenance").touch()
    watcher.send_counts()
    assert counted == []
    (tmp_path / "maintenance").unlink()  # the control
    watcher.send_counts()
    assert counted == ["a month"]
    watcher.store.close()


# Runs in a mount namespace of its own, with the home on a file system of 8 MiB.
FULL = """
import pathlib, sys
from sqlalchemy.exc import DatabaseError
from tests.conftest import make_home
from appliance.storage import open_store
from appliance.storage.migrate import upgrade
from appliance.desk.models.people import Lockout
from appliance import disk
from appliance import clock

home = make_home(pathlib.Path(sys.argv[1]) / "home")
store = open_store(home, "desk")
upgrade(store)
assert not disk.room(home.root).low
fill = home.root / "fill"
with fill.open("wb") as file:
    while disk.room(home.root).free > 40 << 10:
        file.write(b"x" * 4096)
        file.flush()
assert disk.room(home.root).low
kept, refused = [], 0
for number in range(400):
    try:
        with store.write() as session:
            session.add(Lockout(key=f"{number:064}", failures=1, last_at=clock.now()))
        kept.append(number)
    except DatabaseError as error:
        assert "full" in str(error.orig) or "disk I/O" in str(error.orig), error.orig
        refused += 1
assert kept and refused, (len(kept), refused)
with store.read() as session:
    assert session.query(Lockout).count() == len(kept)  # reading goes on, on the full disk
fill.unlink()
with store.write() as session:
    session.add(Lockout(key="after", failures=1, last_at=clock.now()))
store.close()
store = open_store(home, "desk")
with store.reader.connect() as connection:
    assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
with store.read() as session:
    keys = {row.key for row in session.query(Lockout)}
assert keys == {f"{number:064}" for number in kept} | {"after"}
print(len(kept), refused)
"""


def test_without_a_byte_left_every_acknowledged_row_is_there_and_nothing_breaks(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    script = tmp_path / "full.py"
    script.write_text(FULL)
    inside = f"mount -t tmpfs -o size=8m none {mounted} && exec {sys.executable} {script} {mounted}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
