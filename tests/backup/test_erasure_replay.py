"""Promise: no restore brings back who has left, whichever backup it is and wherever the list has survived."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from appliance import clock, erasure_list
from appliance.backup import replay, retention
from appliance.backup import restore as restoring
from appliance.backup.keys import keys_from_root
from appliance.crypto.sealing import info, key_pair, open_sealed
from appliance.desk import erasure
from appliance.desk.models import base as desk_models
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import Person
from appliance.desk.models.vault import Delivery, Entry, Head, KeptVault, ProvisionalKey, Vault
from appliance.errors import WardwellError
from appliance.intake import models as intake_models
from appliance.ledger import models as ledger_models
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.messages import MailboxKeyPublished, SealedExposure
from appliance.storage import Store, open_store
from tests.backup.conftest import Site, people

START = datetime(2026, 10, 1, 3, tzinfo=UTC)
OLD, NEW = key_pair(b"o" * 32), key_pair(b"n" * 32)
Restore = Callable[[str], Home]
# The agency's own records, and what has nothing to do with a private space.
STAYS = {
    "account",
    "attendance",
    "closing_record",
    "correction",
    "legal_hold",
    "person",
    "role_grant",
    "session",  # ended, and over after a shift
    "slip",
    "vouching_code",
}


def _stores(home: Home) -> dict[str, Store]:
    return {name: open_store(home, name) for name in ("desk", "intake", "ledger")}


def enrol(home: Home, number: str, key: bytes) -> str:
    """A private space with something of it in every compartment, and on its way between them."""
    stores = _stores(home)
    with stores["desk"].write() as session:
        person = session.query(Person).filter_by(person_id=number).one()
        handle, day = person.handle, clock.now().date()
        session.add(
            Vault(
                handle=handle,
                version=1,
                blob=b"blob",
                wraps={},
                enrolled_on=day,
                mailbox_key=key,
                mailbox_leaf_index=1,
            )
        )
        session.add(KeptVault(handle=handle, day=day, version=1, blob=b"kept"))
        session.add(Delivery(id=handle, handle=handle, kind="delta", cycle=1, sealed=b"delta"))
        session.add(Entry(handle=handle, sequence=1, leaf_index=1, provisional=False, sealed=b"entry"))
        session.add(ProvisionalKey(handle=handle, sealed=b"seed"))
        session.add(Head(handle=handle, epoch=1, proof={}))
        message = MailboxKeyPublished(person_id=number, handle=handle, public_key=key, leaf_index=1)
        delivery.enqueue(session, Outbox, message, receiver="intake")
    with stores["intake"].write() as session:
        mailbox = {"handle": handle, "person_id": number, "public_key": key, "leaf_index": 1, "witnessed": True}
        session.add(intake_models.MailboxKey(**mailbox))
        session.add(intake_models.Waiting(handle=handle, contribution=b"{}"))
    with stores["ledger"].write() as session:
        session.add(ledger_models.Person(handle=handle, last_sequence=1, last_commit="0" * 64, key=key))
    delivery.send(home, "intake", "desk", SealedExposure(handle=handle, kind="delta", cycle=2, sealed=b"on its way"))
    for store in stores.values():
        store.close()
    return handle


def leave(home: Home, handle: str, seed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the private space, with the ledger's part done by hand; what was on its way arrived before."""
    for path in home.spool("intake", "desk").glob("*.json"):
        path.unlink()
    stores = _stores(home)

    def forget(_home: Home, request: Any) -> None:
        with stores["ledger"].write() as session:
            session.delete(session.get_one(ledger_models.Person, request.forget))

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "append", forget)
        answer = open_sealed(seed, erasure.challenge(stores["desk"], handle, "s"), info=info("leave", handle))
        erasure.erase(stores["desk"], handle, "s", "ERASE", answer)
    with stores["intake"].write() as session:
        for table in ("mailbox_key", "waiting"):
            session.execute(text(f"DELETE FROM {table} WHERE handle = :handle"), {"handle": handle})
    for path in home.spool("desk", "intake").glob("*.json"):
        path.unlink()  # the intake acted on it
    for store in stores.values():
        store.close()


def left_of(home: Home, handle: str) -> list[str]:
    """Where there is anything of the private space of `handle`: tables, outboxes, messages."""
    found = []
    for name, store in _stores(home).items():
        with store.read() as session:
            tables = [*replay._ROWS[name], *(["mailbox_key"] if name == "intake" else [])]
            for table in tables:
                query = text(f"SELECT count(*) FROM {table} WHERE handle = :handle")
                if session.execute(query, {"handle": handle}).scalar():
                    found.append(f"{name}.{table}")
            query = text("SELECT count(*) FROM outbox WHERE instr(body, :handle)")
            if session.execute(query, {"handle": handle.encode()}).scalar():
                found.append(f"{name}.outbox")
        store.close()
    spooled = [path for path in (home.root / "spool").rglob("*.json") if handle in path.read_text()]
    return found + ["spool" for _ in spooled if "RosterPublished" not in _.read_text()]


@pytest.fixture
def restore(site: Site, tmp_path: Path) -> Restore:
    """Restore one backup to a fresh machine, as it would be before anything serves."""
    number = itertools.count()
    root = site.root

    def make(backup: str) -> Home:
        home = Home(tmp_path / "restored" / str(next(number)))
        restoring.restore(site.open(backup), home, lambda _text: None)
        for name, key in keys_from_root(root).databases.items():
            home.key(name).write_text(key)
        if not home.settings_file.exists():
            shutil.copy(site.home.settings_file, home.settings_file)
        return home

    return make


@pytest.fixture
def history(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two backups with the space, then it is erased; one without, one with the next space of the same person."""
    made: dict[str, Any] = {}
    with clock.held(START):
        erasure_list.own_secret(site.home)  # desk makes it at its first start
        made["handle"] = enrol(site.home, "E3", OLD.public)
        made["stays"] = enrol(site.home, "E4", key_pair(b"s" * 32).public)
        made["first"] = site.create().id
    with clock.held(START + timedelta(days=1)):
        made["second"] = site.create().id
        leave(site.home, made["handle"], OLD.seed, monkeypatch)
    with clock.held(START + timedelta(days=2)):
        made["without"] = site.create().id
    with clock.held(START + timedelta(days=3)):
        enrol(site.home, "E3", NEW.public)
        made["again"] = site.create().id
    return made


def test_every_backup_is_restored_without_who_left(
    history: dict[str, Any], restore: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = sorted(left_of(restore(history["first"]), history["stays"]))
    assert len(everything) >= 10  # control: who stays has all of it
    for backup in ("first", "second", "without"):
        home = restore(history[backup])
        assert left_of(home, history["handle"]) == [], backup
        assert len(people(home)) == 20  # the roster is the agency's
        assert left_of(home, history["stays"]) != []
        assert len(erasure_list.entries(home)) == 1
    new = restore(history["again"])  # the next space of the same person is not the one that was erased
    assert {"desk.vault", "intake.mailbox_key", "ledger.person"} <= set(left_of(new, history["handle"]))
    monkeypatch.setattr(replay, "replay", lambda *_: 0)
    for backup in ("first", "second"):  # control: without the replay all of it would be there
        assert sorted(left_of(restore(history[backup]), history["handle"])) == everything


def test_what_was_erased_after_the_last_backup_is_known_from_what_is_set_aside(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual case: the machine is still there, and no backup was made since."""
    erasure_list.own_secret(site.home)
    handle = enrol(site.home, "E5", OLD.public)
    made = site.create().id
    leave(site.home, handle, OLD.seed, monkeypatch)
    opened = site.open(made)
    restoring.set_aside(site.home, made)
    assert not erasure_list.folder(site.home).exists()
    restoring.restore(opened, site.home, lambda _text: None)
    for name, key in keys_from_root((site.home.root / f"set-aside-{made}" / "root").read_bytes()).databases.items():
        site.home.key(name).write_text(key)
    assert left_of(site.home, handle) == []
    (entry,) = erasure_list.entries(site.home)
    assert entry.person == erasure_list.person_of(erasure_list.own_secret(site.home), handle)


def test_a_list_that_cannot_be_read_stops_the_restore(
    history: dict[str, Any], site: Site, restore: Restore, tmp_path: Path
) -> None:
    """Rather no appliance than one that brings somebody back: damaged, or under a secret that is not here."""
    copy = site.to / replay.COPY
    good = copy.read_bytes()
    copy.write_text("[")
    with pytest.raises(WardwellError, match="damaged"):
        restore(history["first"])
    (entry,) = json.loads(good)
    copy.write_text(json.dumps([{**entry, "by": "0" * 16}]))
    with pytest.raises(WardwellError, match="too old to tell who"):
        restore(history["first"])
    assert not any((tmp_path / "restored").glob("*/desk/database.db"))
    assert restore(history["again"])  # control: made after it, so that it cannot matter
    copy.write_bytes(good)
    assert restore(history["first"])


def test_the_copy_beside_the_backups_says_nothing_and_ends(history: dict[str, Any], site: Site) -> None:
    copy = site.to / replay.COPY
    assert history["handle"] not in copy.read_text() and "E3" not in copy.read_text()
    secret = erasure_list.own_secret(site.home)
    assert secret.hex() not in copy.read_text() and len(erasure_list.read(copy)) == 1
    with clock.held(START + timedelta(days=60)):  # backups stopped: the old ones still need it
        erasure_list.drop_old(site.home)
        assert erasure_list.entries(site.home) == [] and replay.copy_list(site.home, site.repository) == 1
        site.create()
        assert retention.prune(site.repository)[0] == 4
        assert replay.copy_list(site.home, site.repository) == 0


def test_a_backup_goes_in_the_night_in_which_it_would_become_too_old(site: Site) -> None:
    """Officers are told 35 days: a job that runs some minutes earlier than the one before must not add one."""
    with clock.held(START):
        site.create()
    with clock.held(START + timedelta(days=34, hours=11)):
        site.create()
        assert retention.prune(site.repository)[0] == 0
    with clock.held(START + timedelta(days=34, hours=23)):
        assert retention.prune(site.repository)[0] == 1


def test_every_table_about_a_person_goes_or_stays_on_purpose() -> None:
    """A new table with a handle is put on one of these lists, by whoever makes it."""
    named = {
        table.name for table in desk_models.Base.metadata.tables.values() if {"handle", "person"} & set(table.c.keys())
    }
    goes = {table.__tablename__ for table in erasure.OWN_ROWS}
    assert named - goes == STAYS
