"""Promise: a folder of backups says whether it is whole, without custody; and it keeps none for longer than 35 days."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from appliance import clock
from appliance.backup import last_run, retention
from appliance.backup.keys import keys_of
from appliance.backup.verify import verify
from tests.backup.conftest import Site


def _problems(site: Site, **options: Any) -> list[bool]:
    return [bool(one.problems) for one in verify(site.repository, **options)]


@pytest.mark.parametrize("part", ["piece", "index.age", "pieces.txt", "manifest.json"])
def test_every_altered_part_is_found_without_custody(site: Site, part: str) -> None:
    made = site.create()
    assert _problems(site) == [False]  # control
    path = next(site.to.glob("pieces/*/*.age")) if part == "piece" else site.to / "backups" / made.id / part
    data = path.read_bytes()
    path.write_bytes(data[:-3] + bytes(byte ^ 1 for byte in data[-3:]))
    assert _problems(site) == [True]
    path.unlink()
    assert _problems(site) == [True]


def test_a_backup_that_someone_else_made_is_found_while_unsealed(site: Site) -> None:
    made = site.create()
    seal = keys_of(site.home).seal
    assert _problems(site, seal=seal) == [False]  # control
    manifest = site.to / "backups" / made.id / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(msgspec.structs.replace(made, ledger_size=1)))
    assert _problems(site, seal=seal, recipient=made.recipient) == [True]


def test_a_backup_from_before_new_cards_is_not_called_wrong(site: Site) -> None:
    site.create()
    verdict = verify(site.repository, seal=b"a later key", recipient="age1later")[0]
    assert (verdict.problems, "other cards" in verdict.remark) == ((), True)


def test_pieces_go_with_the_last_backup_that_needs_them(site: Site) -> None:
    old = datetime.now(UTC) - timedelta(days=40)
    with clock.held(old):
        first = site.create()
    store_path = site.home.root / "public" / "boards" / "1-requests.bin"
    store_path.unlink()  # only the first backup has it
    second = site.create()
    count = len(list(site.to.glob("pieces/*/*.age")))
    assert retention.prune(site.repository) == (1, first.pieces - second.pieces + second.new_pieces)
    assert site.repository.ids() == [second.id]
    assert len(list(site.to.glob("pieces/*/*.age"))) == second.pieces < count
    assert _problems(site) == [False]


def test_thirty_five_days_at_most_and_never_the_newest(site: Site) -> None:
    now = datetime.now(UTC)
    for days in (50, 36, 34, 20):
        with clock.held(now - timedelta(days=days)):
            site.create()
    assert retention.prune(site.repository, 400)[0] == 2
    assert retention.prune(site.repository, 30)[0] == 1
    assert retention.prune(site.repository, 0)[0] == 0  # only the newest is left
    assert len(site.repository.ids()) == 1


def test_what_an_interrupted_run_left_goes(site: Site) -> None:
    site.create()
    (site.to / "pieces" / "00").mkdir(exist_ok=True)
    stray = [site.repository.path("0" * 64), site.to / "pieces" / "00" / ".half.age.part"]
    for path in stray:
        path.write_bytes(b"half")
    (site.to / "backups" / ".000009-x.part").mkdir()
    site.create()
    assert not any(path.exists() for path in stray)
    assert not list((site.to / "backups").glob(".*"))
    assert _problems(site) == [False, False]


# --- health ----------------------------------------------------------------------------------------------------------


def _settings(site: Site, more: str = "") -> None:
    site.home.settings_file.write_text(f'agency = "Test Agency"\ncustody = "file"\n[backup]\nto = "{site.to}"\n{more}')


def _note(site: Site, at: datetime, ok: bool = True) -> None:
    record = last_run.Record(ok=ok, at=at.isoformat(), message="" if ok else "The disk is gone.", fix="Plug it in.")
    last_run.write(site.home, record)


def test_status_says_how_old_the_last_good_backup_is(site: Site) -> None:
    now = datetime.now(UTC)
    assert last_run.standing(site.home)[0]  # a demonstration makes none
    _settings(site)
    assert last_run.standing(site.home)[0]  # founded a moment ago
    founded = now.timestamp() - 37 * 3600
    os.utime(site.home.public / "ledger" / "vkey", (founded, founded))
    assert last_run.standing(site.home)[:2] == (False, "there is no good backup yet")
    _note(site, now - timedelta(hours=5))
    assert last_run.standing(site.home)[0]
    _note(site, now, ok=False)
    ok, words, fix = last_run.standing(site.home)
    assert (ok, fix) == (False, "Plug it in.")
    assert "5 h old" in words and "The disk is gone." in words
    _note(site, now - timedelta(hours=37))
    assert not last_run.standing(site.home)[0]


def test_backups_that_nobody_fetches_are_said(site: Site) -> None:
    now = datetime.now(UTC)
    _settings(site, "fetched = true\n")
    _note(site, now)
    assert "none was fetched" in last_run.standing(site.home)[1]
    (site.to / "fetched").mkdir()
    (site.to / "fetched" / f"000001-{now - timedelta(days=4):%Y%m%dT%H%M%SZ}").write_text("")
    assert not last_run.standing(site.home)[0]
    (site.to / "fetched" / f"000005-{now:%Y%m%dT%H%M%SZ}").write_text("")
    assert last_run.standing(site.home)[0]
