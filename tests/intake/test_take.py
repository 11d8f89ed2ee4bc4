"""Promise: a file is taken exactly once and whole, or kept aside whole with its reasons."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from appliance import clock
from appliance.intake import serve
from appliance.intake.commands import intake as intake_command
from appliance.intake.models import Base, Call, Involvement
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.serve import Watcher
from appliance.intake.settle.take import quarantine_folder, take_files
from appliance.runtime.turns import Control
from appliance.settings import Home
from appliance.storage import Store
from tests.intake.support import feed, file, let_settle, roster, row
from tests.support.waiting import until

PROFILE = load_profile("san-luis-obispo")
NOW = datetime(2026, 10, 15, 18, tzinfo=UTC)


def facts(store: Store) -> tuple[list[Any], list[Any]]:
    """Every call and every involvement, without the database's own numbers."""
    with store.read() as session:
        calls = [tuple(one) for one in session.execute(select(Call.number, Call.revision, Call.type, Call.received))]
        who = [
            tuple(one)
            for one in session.execute(
                select(Call.number, Involvement.person_id, Involvement.role).join(Call, Call.id == Involvement.call_id)
            )
        ]
    return sorted(calls), sorted(who)


def messages(store: Store, receiver: str = "desk") -> list[dict[str, Any]]:
    folder = store.home.spool("intake", receiver)
    return [msgspec.json.decode(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def test_taking_twice_changes_nothing(intake: Store, tmp_path: Path) -> None:
    path = file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202"), row("2"))
    assert take_files(intake, "cad", PROFILE, [path], keep=True).taken == 1
    before = facts(intake)
    assert len(before[1]) == 3
    assert take_files(intake, "cad", PROFILE, [path], keep=True).seen_before == 1
    assert facts(intake) == before
    assert [one["message"] for one in messages(intake)] == ["FileReceipt"]


def test_real_drops_give_what_the_dry_run_said(intake: Store, shared_data: Path) -> None:
    files = sorted((shared_data / "cad" / "san-luis-obispo").iterdir())[:4]
    take_files(intake, "cad", PROFILE, files, keep=True)
    receipts = [one for one in messages(intake) if one["message"] == "FileReceipt"]
    assert all(one["taken"] for one in receipts)
    assert sum(one["rows"] for one in receipts) == sum(
        one["calls"] + one["updates"] + one["repeats"] + len(one["refused"]) for one in receipts
    )


def test_an_update_replaces_the_crew_and_an_older_version_changes_nothing(intake: Store, tmp_path: Path) -> None:
    old = file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202"))
    new = file(tmp_path, "cad_export_20261015_233100.csv", row("1", "4202,4203"))
    take_files(intake, "cad", PROFILE, [old, new], keep=True)
    after = facts(intake)
    assert [who for _, who, _ in after[1]] == ["E0002", "E0003"]
    older = file(tmp_path, "cad_export_20261013_233100.csv", row("1", "4204"))
    take_files(intake, "cad", PROFILE, [older], keep=True)
    assert facts(intake) == after


def test_a_file_with_one_bad_row_is_kept_aside_whole(intake: Store, tmp_path: Path) -> None:
    path = file(tmp_path, "cad_export_20261014_233100.csv", row("1"), row("2", arrived="77:77"))
    raw = path.read_bytes()
    assert take_files(intake, "cad", PROFILE, [path]).quarantined == 1
    assert facts(intake) == ([], [])
    assert not path.exists()
    (kept,) = quarantine_folder(intake.home).iterdir()
    assert kept.read_bytes() == raw
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (receipt,) = messages(intake)
    assert not receipt["taken"]
    assert {"file": path.name, "line": 3, "column": "arrived", "reason": "impossible time"} in receipt["refused"]


def test_a_critical_incident_goes_to_desk_and_an_old_one_does_not(intake: Store, tmp_path: Path) -> None:
    with clock.held(NOW):
        now = file(
            tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202,9999", "CHILD DEATH"), row("2", "4203")
        )
        old = file(tmp_path, "cad_export_20260814_233100.csv", row("3", "4201", "CHILD DEATH", day="08/14/26"))
        take_files(intake, "cad", PROFILE, [now, old], keep=True)
    (notice,) = [one for one in messages(intake) if one["message"] == "IncidentNotice"]
    assert notice["kind"] == "child-death"
    assert [(one["person_id"], one["role"]) for one in notice["attended"]] == [
        ("E0001", "primary"),
        ("E0002", "responding"),
    ]
    assert notice["unmatched_units"] == ["9999"]


def everything(store: Store) -> dict[str, list[Any]]:
    """Each row of each table, but what is on its way to desk."""
    with store.read() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "outbox"]
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def test_a_dry_run_says_what_would_become_of_a_file_and_keeps_nothing(intake: Store, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    exports = {
        "cad_export_20261014_233100.csv": [row("1", "4201,4202,9999", "CHILD DEATH"), row("2", "4203", "ZOMBIE")],
        "cad_export_20261015_233100.csv": [row("1", "4202"), row("0", "4203")],
        "cad_export_20261016_233100.csv": [row("4"), row("5", arrived="77:77")],
    }
    with clock.held(NOW):
        take_files(intake, "cad", PROFILE, [file(tmp_path, "cad_export_20261013_233100.csv", row("0", "4201"))])
        before, sent = everything(intake), len(messages(intake))
        tried = [file(drop, f"{name}.dry-run", *rows) for name, rows in exports.items()]
        for path in tried:
            assert take_files(intake, "cad", PROFILE, [path]).dry_runs == 1
        assert everything(intake) == before
        assert list(drop.iterdir()) == []
        assert not quarantine_folder(intake.home).is_dir() or list(quarantine_folder(intake.home).iterdir()) == []
        told = {one.pop("file"): one for one in messages(intake) if one.get("dry_run")}
        assert len(messages(intake)) == sent + len(told) == sent + 3
        # The control: dropped in earnest, each of them changes something and has the same receipt.
        for name, rows in exports.items():
            state = everything(intake)
            take_files(intake, "cad", PROFILE, [file(drop, name, *rows)])
            assert everything(intake) != state
        receipts = [one for one in messages(intake) if one["message"] == "FileReceipt" and not one["dry_run"]]
        earnest = {one.pop("file"): one for one in receipts}
    assert told["cad_export_20261014_233100.csv.dry-run"]["nearest_types"].keys() == {"ZOMBIE"}
    first, _, third = exports
    for name in (first, third):
        said = {**told[f"{name}.dry-run"]}
        assert _unnamed(said) == _unnamed(earnest[name])
    # The second changes a call that the first brings; tried alone, it is a first sighting.
    assert (
        told["cad_export_20261015_233100.csv.dry-run"]["calls"],
        earnest["cad_export_20261015_233100.csv"]["calls"],
    ) == (1, 0)


def _unnamed(receipt: dict[str, Any]) -> dict[str, Any]:
    """Without what differs between two messages, and the file's name where it stands with a refused row."""
    refused = [{**row, "file": ""} for row in receipt["refused"]]
    return {key: value for key, value in receipt.items() if key not in ("dry_run", "message_id")} | {"refused": refused}


def test_bytes_that_were_taken_before_say_so_in_a_dry_run(intake: Store, tmp_path: Path) -> None:
    path = file(tmp_path, "cad_export_20261014_233100.csv", row("1"))
    take_files(intake, "cad", PROFILE, [path], keep=True)
    again = path.rename(path.with_name(path.name + ".dry-run"))
    assert take_files(intake, "cad", PROFILE, [again]).dry_runs == 1
    (told,) = [one for one in messages(intake) if one.get("dry_run")]
    assert "These bytes were taken before: dropped again, they change nothing." in told["chosen"]


def with_feed(home: Home) -> Home:
    """The home, with the feed `cad` set up."""
    if not home.settings().feeds:
        with home.settings_file.open("a") as settings:
            settings.write('feeds = [{ name = "cad", profile = "san-luis-obispo" }]\n')
    return home


def _settle(watcher: Watcher) -> None:
    watcher.turn(scan=True)
    let_settle(watcher)
    watcher.turn(scan=True)


def test_the_watcher_waits_for_growing_and_part_files_and_refuses_links(intake: Store, tmp_path: Path) -> None:
    watcher = Watcher(with_feed(intake.home))
    folder = intake.home.drop("cad")
    file(folder, "cad_export_20261014_233100.csv.part", row("1"))
    file(folder, "cad_export_20261016_233100.csv.filepart", row("4"))
    growing = file(folder, "cad_export_20261015_233100.csv", row("2"))
    secret = tmp_path / "secret"
    secret.write_text("not ours")
    (folder / "link.csv").symlink_to(secret)
    watcher.turn(scan=True)
    growing.write_bytes(feed(row("2"), row("3")))
    watcher.turn(scan=True)
    assert facts(intake)[0] == []
    let_settle(watcher)
    watcher.turn(scan=True)
    assert [number for number, *_ in facts(intake)[0]] == ["2", "3"]
    left = ["cad_export_20261014_233100.csv.part", "cad_export_20261016_233100.csv.filepart"]
    assert sorted(path.name for path in folder.iterdir()) == left
    assert secret.read_text() == "not ours"
    refused = [one for one in messages(intake) if one["message"] == "FileReceipt" and not one["taken"]]
    assert [one["refused"][0]["reason"] for one in refused] == ["a symbolic link"]
    (folder / "cad_export_20261014_233100.csv.part").rename(folder / "cad_export_20261014_233100.csv")
    _settle(watcher)
    assert [number for number, *_ in facts(intake)[0]] == ["1", "2", "3"]
    watcher.store.close()


def test_files_wait_while_the_appliance_is_in_maintenance(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(with_feed(intake.home))
    file(intake.home.drop("cad"), "cad_export_20261014_233100.csv", row("1"))
    mark = tmp_path / "maintenance"
    monkeypatch.setattr(serve, "MAINTENANCE", mark)
    mark.touch()
    _settle(watcher)
    assert facts(intake)[0] == []
    mark.unlink()
    _settle(watcher)
    assert [number for number, *_ in facts(intake)[0]] == ["1"]
    watcher.store.close()


def test_upkeep_that_is_asked_for_looks_into_the_folders_and_counts_at_once(
    intake: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    turn = Watcher.turn

    def watched(self: Watcher, *, scan: bool) -> bool:
        steps.extend(["scan"] if scan else [])
        return turn(self, scan=scan)

    monkeypatch.setattr(Watcher, "turn", watched)
    monkeypatch.setattr(Watcher, "report", lambda _: steps.append("health"))
    monkeypatch.setattr(Watcher, "send_counts", lambda _: steps.append("counts"))
    home = with_feed(intake.home)
    with home.settings_file.open("a") as settings:
        settings.write("scan_seconds = 3600.0\n")
    monkeypatch.setattr(serve, "HEALTH_SECONDS", 3600.0)
    control = Control()
    thread = threading.Thread(target=serve.serve, args=(home, control))
    thread.start()
    try:
        until(lambda: steps == ["scan", "health", "counts"])
        control.upkeep()
        until(lambda: steps == ["scan", "health", "counts"] * 2)
        control.upkeep()
        until(lambda: len(steps) == 9)
    finally:
        control.stop()
        thread.join(20)


def test_taking_by_hand_says_what_was_refused_and_needs_a_roster(
    store_of: Callable[[str], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of("intake")
    monkeypatch.setenv("WARDWELL_HOME", str(with_feed(store.home).root))
    good = file(tmp_path, "cad_export_20261014_233100.csv", row("1"))
    bad = file(tmp_path, "cad_export_20261015_233100.csv", row("2", arrived="77:77"))
    arguments = ["take", str(good), str(bad), "--json"]
    assert "No roster" in str(CliRunner().invoke(intake_command, arguments).exception)
    roster(store)
    for taken, seen in ((1, 0), (0, 1)):
        found = json.loads(CliRunner().invoke(intake_command, arguments).output)
        assert (found["taken"], found["seen_before"], found["quarantined"]) == (taken, seen, 1)
        assert {"file": bad.name, "line": 2, "column": "arrived", "reason": "impossible time"} in found["refused"]
    assert good.exists()
    assert len(facts(store)[0]) == 1
