"""Promise: a backup is one moment of the appliance, open to custody alone, and small when little changed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
import sqlcipher3

from appliance.backup import cut as cuts
from appliance.backup.format import Index
from appliance.backup.keys import keys_of
from appliance.backup.repository import Repository
from appliance.custody.keys import backup_identity
from appliance.database import revisions
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import open_store, snapshot
from tests.backup.conftest import EXPORT_MARK, MESSAGE_MARK, Site
from tests.support.desk_site import add_person


def _plain(site: Site) -> dict[str, bytes]:
    """Everything in the newest backup, by path, decrypted."""
    opened = site.open()
    return {
        entry.path: b"".join(
            pyrage.decrypt(site.repository.path(name).read_bytes(), [opened.identity]) for name in entry.pieces
        )
        for entry in opened.index.entries
        if entry.kind == "file"
    }


def test_it_holds_what_a_restore_needs_and_nothing_that_it_promises_not_to(site: Site) -> None:
    made = site.create()
    plain = _plain(site)
    assert {f"{name}/database.db" for name in COMPARTMENTS} <= plain.keys()
    assert {"ledger/checkpoint.key", "public/ledger/checkpoint", "public/boards/1-requests.bin"} <= plain.keys()
    everything = b"".join(plain.values())
    assert MESSAGE_MARK.encode() in everything  # control: a message is found by the search that must not find an export
    assert EXPORT_MARK.encode() not in everything
    assert all(keys_of(site.home).databases[name].encode() not in everything for name in COMPARTMENTS)
    assert site.root not in everything
    assert not [path for path in plain if path.startswith(("drop/", "run/", "log/", "intake/quarantine", "root"))]
    assert (made.files, made.plain_bytes) == (len(plain), sum(len(data) for data in plain.values()))
    assert (made.ledger_size, made.schemas["desk"], made.verified) == (300, revisions("desk")[-1], "read back")


def test_nothing_is_left_beside_the_appliance_and_the_cut_changes_none_of_its_files(site: Site) -> None:
    before = {path: path.read_bytes() for path in site.home.root.rglob("*") if path.is_file()}
    site.create()
    after = {path: path.read_bytes() for path in site.home.root.rglob("*") if path.is_file()}
    new = {path.name for path in after.keys() - before.keys()}
    assert new <= {"lock", "database.db-wal", "database.db-shm"}
    assert {path for path in before if before[path] != after.get(path)} == set()


def test_nothing_in_the_folder_is_readable_without_custody(site: Site) -> None:
    site.create()
    stored = b"".join(path.read_bytes() for path in site.to.rglob("*") if path.is_file())
    assert MESSAGE_MARK.encode() not in stored
    assert b"database.db" not in stored
    assert b"age-encryption.org" in stored  # control: the search sees what lies there
    piece = next(site.to.glob("pieces/*/*.age"))
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(piece.read_bytes(), [pyrage.x25519.Identity.generate()])


def test_the_stock_age_tool_opens_every_part(site: Site, tmp_path: Path) -> None:
    made = site.create()
    identity = tmp_path / "identity"
    identity.write_text(backup_identity(site.root) + "\n")
    command = ["age", "-d", "-i", str(identity)]
    index_file = site.to / "backups" / made.id / "index.age"
    index = msgspec.json.decode(
        subprocess.run([*command, str(index_file)], check=True, capture_output=True).stdout, type=Index
    )
    settings = next(entry for entry in index.entries if entry.path == "wardwell.toml")
    piece = site.repository.path(settings.pieces[0])
    opened = subprocess.run([*command, str(piece)], check=True, capture_output=True).stdout
    assert opened == site.home.settings_file.read_bytes()


def test_what_did_not_change_is_kept_once(site: Site) -> None:
    first, second = site.create(), site.create()
    assert (first.new_pieces, second.new_pieces, second.new_bytes) == (first.pieces, 0, 0)
    store = open_store(site.home, "desk")
    add_person(store, "new")
    store.close()
    third = site.create()
    assert 0 < third.new_pieces <= 2  # desk's database is one piece here
    assert [one.id for one in (first, second, third)] == site.repository.ids()


def test_nobody_writes_while_the_cut_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = keys_of(site.home).databases
    seen: dict[str, bool] = {}

    def writes(compartment: str) -> bool:
        connection = sqlcipher3.connect(str(site.home.database(compartment)), isolation_level=None, timeout=0)
        try:
            connection.execute(f"PRAGMA key = \"x'{keys[compartment]}'\"")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlcipher3.OperationalError:
            return False
        finally:
            connection.close()
        return True

    copy = cuts._copy

    def copying(source: Path, target: Path) -> None:
        seen.update({name: writes(name) for name in COMPARTMENTS})
        copy(source, target)

    monkeypatch.setattr(cuts, "_copy", copying)
    site.create()
    assert seen == dict.fromkeys(COMPARTMENTS, False)
    assert all(writes(name) for name in COMPARTMENTS)  # control: afterwards everybody may


def test_what_stands_in_the_write_ahead_log_is_in_the_backup(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_BUSY_SECONDS", 0.2)  # the reader below never lets go
    store = open_store(site.home, "desk")  # held open, so that its log stays
    reader = store.reader.connect()
    reader.exec_driver_sql("SELECT 1 FROM person").fetchone()  # a reader keeps the log from being emptied
    add_person(store, "only in the log")
    assert site.home.database("desk").with_name("database.db-wal").stat().st_size > 0
    site.create()
    reader.close()
    store.close()
    data = _plain(site)
    assert "desk/database.db-wal" not in data
    path = site.home.root.parent / "opened.db"
    path.write_bytes(data["desk/database.db"])
    connection = sqlcipher3.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{keys_of(site.home).databases['desk']}'\"")
    assert connection.execute("SELECT count(*) FROM person WHERE person_id = 'only in the log'").fetchone() == (1,)
    connection.close()


def _break_database(home: Home) -> None:
    path = home.database("intake")
    data = bytearray(path.read_bytes())
    data[-2000:-1000] = os.urandom(1000)
    path.write_bytes(bytes(data))


def _break_log(home: Home) -> None:
    store = open_store(home, "ledger")
    with store.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE leaf SET data = x'00' WHERE position = 7")
    store.close()


@pytest.mark.parametrize("harm", [_break_database, _break_log])
def test_a_damaged_appliance_makes_no_backup(site: Site, harm: Any) -> None:
    good = site.create()  # control: unharmed, it does
    harm(site.home)
    with pytest.raises(WardwellError):
        site.create()
    assert site.repository.ids() == [good.id]


def test_a_disk_that_gives_back_something_else_makes_no_backup(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Repository.write

    def lying(self: Any, name: str, data: bytes) -> Any:
        stored = write(self, name, data)
        self.path(name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return stored

    monkeypatch.setattr(Repository, "write", lying)
    with pytest.raises(WardwellError, match="altered"):
        site.create()
    assert site.repository.ids() == []


def test_a_damaged_piece_is_written_again_and_mends_the_older_backup_too(site: Site) -> None:
    first = site.create()
    piece = max(site.to.glob("pieces/*/*.age"), key=lambda path: path.stat().st_size)
    piece.write_bytes(b"rot" + piece.read_bytes()[3:])
    second = site.create()
    assert second.new_pieces == 1
    from appliance.backup.verify import verify

    assert [(one.id, one.problems) for one in verify(site.repository)] == [(first.id, ()), (second.id, ())]


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_two_backups_at_once_are_refused(site: Site) -> None:
    with _held(site.to / ".lock"), pytest.raises(Refused):
        site.create()
    with _held(site.home.root / ".backup" / "lock"), pytest.raises(Refused):
        site.create()
    site.create()  # control


def test_places_that_are_no_place_for_a_backup_are_refused(site: Site) -> None:
    for to in (site.home.root / "inside", site.to / "missing"):
        (site.home.root / "inside").mkdir(exist_ok=True)
        with pytest.raises(Refused):
            Site(site.home, to).create()
        assert not list((site.home.root / "inside").iterdir())


def test_another_appliances_folder_is_refused(site: Site) -> None:
    site.repository.claim("f" * 32)
    before = sorted(site.to.rglob("*"))
    with pytest.raises(Refused, match="another appliance"):
        site.create()
    assert [path for path in sorted(site.to.rglob("*")) if path.name != ".lock"] == before


def test_the_databases_in_it_stay_encrypted(site: Site) -> None:
    site.create()
    path = site.home.root.parent / "opened.db"
    path.write_bytes(_plain(site)["desk/database.db"])
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master").fetchone()
