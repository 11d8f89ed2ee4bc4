"""The machine's conditions: each fault has its line, and what is in order has none."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from appliance import clock, disk
from appliance.custody import problems
from appliance.custody.public_record import Group, Holder, Places, PublicRecord, load, save
from appliance.custody.shares import GROUPS
from appliance.errors import WardwellError
from appliance.health import (
    certificates,
    checks,
    compartments,
    operation,
    processes,
    room,
    sandbox,
    seal,
    time_kept,
    units,
)
from appliance.health.check import Check
from appliance.health.commands import check
from appliance.operate.disk_commands import disk as disk_command
from appliance.settings import Home
from appliance.spool.messages import Health
from appliance.storage import Store
from tests.health.test_checks import certificate


def only(results: list[Check]) -> Check:
    assert len(results) == 1
    return results[0]


def volume(monkeypatch: pytest.MonkeyPatch, free: int, total: int = 100 << 30) -> None:
    """A volume of `total` bytes with `free` left."""
    monkeypatch.setattr(disk, "room", lambda _folder: disk.Room(total, free, disk._reserve(total)))


def test_the_disk_is_named_before_and_when_exports_are_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    volume(monkeypatch, 5 << 30)
    assert only(room.check(home)).ok
    volume(monkeypatch, 3 << 30)
    assert "nearly at the reserve" in only(room.check(home)).says
    volume(monkeypatch, 1 << 30)
    found = only(room.check(home))
    assert not found.ok and "exports and uploads are refused" in found.says and "sign-in" in found.fix


def test_the_reserve_of_a_volume() -> None:
    gib = 1 << 30
    assert disk._reserve(200 * gib) == 2 * gib
    assert disk._reserve(20 * gib) == gib
    assert disk._reserve(2 * gib) == 256 << 20
    assert disk._reserve(200 << 20) == 10 << 20


def test_the_disk_command_says_what_takes_the_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    (home.folder("press") / "big").write_bytes(b"x" * 300_000)
    shown = CliRunner().invoke(disk_command, ["status", "--json"])
    facts = json.loads(shown.output)
    assert shown.exit_code == 0 and not facts["refused"] and facts["parts"]["press"] >= 300_000
    volume(monkeypatch, 1 << 30)
    shown = CliRunner().invoke(disk_command, ["status"])
    assert shown.exit_code == 1 and "are refused" in shown.output


@pytest.mark.parametrize(
    ("days", "ok", "words"),
    [
        (31, True, "valid for 30"),
        (20, False, "valid for 19"),
        (6, False, "renew it now"),
        (-0.5, False, "it expired on"),
    ],
)
def test_a_certificate_is_named_a_month_and_a_week_before(days: float, ok: bool, words: str) -> None:
    content = certificate(10)[0]
    with clock.held(clock.now() + timedelta(days=10 - days)):
        found = certificates.certificate(Path("desk.crt"), content)
    assert (found.ok, bool(found.fix)) == (ok, not ok)
    assert words in found.says


def test_a_clock_that_is_set_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_kept, "_seconds_off", lambda: None)
    assert only(time_kept.check(home)).ok  # notes how it runs
    assert only(time_kept.check(home)).ok
    real = time.time
    for seconds, words in ((7200, "+7200 s"), (-90, "-90 s")):
        monkeypatch.setattr(time, "time", lambda by=seconds: real() + by)
        found = only(time_kept.check(home))
        assert not found.ok and words in found.says and "operating.md" in found.fix
    monkeypatch.setattr(time, "time", lambda: real() + 5)  # chrony slews that much
    assert only(time_kept.check(home)).ok
    # After a restart of the machine what it ran at before counts no more.
    (home.run / "clock").write_text(f"{real() - 10**6} another-boot")
    monkeypatch.setattr(time, "time", real)
    assert only(time_kept.check(home)).ok


def test_a_clock_behind_the_log_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_kept, "_seconds_off", lambda: None)
    checkpoint = home.public / "ledger" / "checkpoint"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    assert only(time_kept.check(home)).ok
    os.utime(checkpoint, (time.time() + 3600,) * 2)
    assert "behind the newest entry" in only(time_kept.check(home)).says


@pytest.mark.parametrize(
    ("tracking", "ok"),
    [
        ("A29FC87B,time,3,1700000000.1,0.000001,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,Normal", True),
        ("A29FC87B,time,3,1700000000.1,-41.5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.0,Normal", False),
        ("7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Not synchronised", False),
    ],
)
def test_the_time_server(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: str, ok: bool) -> None:
    tool = tmp_path / "chronyc"
    tool.write_text(f"#!/bin/sh\necho '{tracking}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = {one.name: one for one in time_kept.check(home)}["time server"]
    assert found.ok is ok and bool(found.fix) is not ok


def test_what_a_compartment_says_of_itself_counts(home: Home, store_of: Callable[[str], Store]) -> None:
    from appliance.desk import health

    store = store_of("desk")
    assert compartments.check(home) == []
    for name, well in (("post", True), ("intake", False)):
        with store.write() as session:
            fix = "" if well else "Look."
            health.take_health(session, Health(compartment=name, at=clock.now(), ok=well, facts={}, fix=fix))
    assert {one.name: one.ok for one in compartments.check(home)} == {"health post": True, "health intake": False}
    assert compartments.NOT_WELL in {one.says for one in compartments.check(home)}
    with clock.held(clock.now() + timedelta(minutes=5)):
        later = compartments.check(home)
    assert [one.ok for one in later] == [False, False]
    assert {one.says for one in later} == {compartments.SILENT}


def test_what_a_restore_left_is_named(home: Home) -> None:
    assert only(operation.check(home)).ok
    for name in ("set-aside-20261123", "before-update"):
        (home.root / name).mkdir()
        found = only(operation.check(home))
        assert not found.ok and name in found.fix


def test_keys_in_files_are_for_demonstrations(home: Home) -> None:
    assert seal.check(home) == []
    home.settings_file.write_text('agency = "Test Agency"\n')
    assert "ceremony" in only(seal.check(home)).fix


class Production(Home):
    """A home that counts as the installed appliance, with its settings beside it."""

    production = True

    @property
    def settings_file(self) -> Path:
        return self.root / "wardwell.toml"


@pytest.fixture
def installed(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Production:
    home.settings_file.write_text('agency = "Test Agency"\ncustody = "shares"\n[disk]\ndevice = "/dev/vdb"\n')
    for module in (checks, seal, units):
        monkeypatch.setattr(module, "UNSEALED", tmp_path / "unsealed")
    for module in (operation, units):
        monkeypatch.setattr(module, "MAINTENANCE", tmp_path / "maintenance")
    monkeypatch.setattr(time_kept, "RUNTIME", tmp_path)
    places = Places(home, tmp_path / "etc", tmp_path / "run")
    monkeypatch.setattr(Places, "of", lambda _home: places)
    holders = [Holder(f"Holder {number}", "Station", "555") for number in range(3)]
    groups = [Group(name, 1, ["aa"], holders) for name in GROUPS]
    save(
        places,
        PublicRecord(state="held", made_at="", set_number=1, groups=groups, custody_key="", recipient="", device=""),
    )
    monkeypatch.setattr(problems, "ask", lambda *_: {"ok": True, "state": "unsealed"})
    return Production(home.root)


def test_each_fault_of_custody_has_a_line_and_a_fix(installed: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed.root.parent / "unsealed").touch()
    assert all(answer.ok for answer in seal.check(installed))
    places = Places.of(installed)
    record = load(places)
    few = msgspec.structs.replace(record.groups[1], holders=record.groups[1].holders[:2])
    save(places, msgspec.structs.replace(record, state="preparing", groups=[record.groups[0], few], next=record))
    monkeypatch.setattr(problems, "ask", lambda *_: {"ok": True, "problem": "The volume is damaged."})
    wrong = [answer for answer in seal.check(installed) if not answer.ok]
    assert [answer.name for answer in wrong] == ["custody"] * 4
    assert all("wardwell" in answer.fix for answer in wrong)
    for words in ("fewer than 3 holders", "ceremony was interrupted", "root secret was interrupted", "is damaged"):
        assert any(words in answer.says for answer in wrong), words


def test_a_silent_custody_and_a_missing_ceremony_are_named(
    installed: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> object:
        raise WardwellError("Custody's process does not answer.", "Start it.")

    monkeypatch.setattr(problems, "ask", silent)
    wrong = {answer.says: answer.fix for answer in seal.check(installed) if answer.name == "custody"}
    assert wrong == {"Custody's process does not answer": "Start it."}
    Places.of(installed).record.unlink()
    assert any("No custody ceremony" in answer.says for answer in seal.check(installed))


def test_a_sealed_appliance_says_so_and_asks_nothing_of_the_volume(installed: Production, tmp_path: Path) -> None:
    found = {one.name: one for one in checks.run(installed)}
    assert not found["sealed"].ok and "custody unseal" in found["sealed"].fix
    assert not any(name.startswith(("database", "process", "health", "backup")) for name in found)
    (tmp_path / "unsealed").touch()
    found = {one.name: one for one in checks.run(installed)}
    assert found["sealed"].ok and "database desk" in found and "/dev/vdb" in found["custody"].says


def test_failed_units_and_a_missing_firewall(installed: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"systemctl": "", "nft": "table inet wardwell\n", "systemd-detect-virt": "none\n"}
    for module in (units, sandbox):
        monkeypatch.setattr(module, "output_of", lambda command: said[command[0]])
    assert only(units.check(installed)).ok
    assert {one.name: one.ok for one in sandbox.check(installed)}["firewall"]
    said |= {"systemctl": "wardwell@post.service loaded failed failed Wardwell: post\nfoo.service\n", "nft": ""}
    found = only(units.check(installed))
    assert found.says == "failed: wardwell@post.service" and "journalctl" in found.fix
    assert not {one.name: one.ok for one in sandbox.check(installed)}["firewall"]


def test_maintenance_that_goes_on_is_named(installed: Production, tmp_path: Path) -> None:
    assert only(operation.check(installed)).ok
    (tmp_path / "maintenance").touch()
    assert "maintenance off" in only(operation.check(installed)).fix


def test_check_answers_in_one_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    shown = CliRunner().invoke(check, ["--json"])
    assert shown.exit_code == 1
    assert set(json.loads(shown.output)["wrong"]) >= {"process desk", "process ledger", "process post"}
    assert CliRunner().invoke(check).output.startswith("WRONG: ")
    monkeypatch.setattr(processes, "check", lambda _home: [])
    shown = CliRunner().invoke(check)
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("OK: ")
