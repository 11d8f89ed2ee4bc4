"""A small appliance with something in every corner: five databases, an access log of 300 entries, messages, boards."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance import clock
from appliance.backup.create import create
from appliance.backup.format import Manifest
from appliance.backup.keys import keys_of, recipient_of
from appliance.backup.repository import Repository
from appliance.backup.restore import Opened, open_backup
from appliance.charter.schema import SHIPPED
from appliance.custody.keys import create_file_custody
from appliance.desk.models.people import Person
from appliance.ledger import keys as ledger_keys
from appliance.ledger.log import Log
from appliance.settings import COMPARTMENTS, Home
from appliance.spool import delivery
from appliance.spool.log_entries import RosterTaken, request
from appliance.spool.messages import Health
from appliance.storage import open_store
from tests.support.databases import lay_database
from tests.support.desk_site import add_person

# In a message and in a raw export: the first belongs into a backup, the second must not be in one.
MESSAGE_MARK = "mark of a waiting message"
EXPORT_MARK = "mark of a raw narrative"


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here; that writes are synced before they are renamed has a test of its own."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Made once, copied for each test."""
    home = Home(tmp_path_factory.mktemp("backup") / "home")
    home.root.mkdir()
    home.settings_file.write_text('agency = "Test Agency"\ndemonstration = true\ncustody = "file"\n')
    shutil.copy(SHIPPED, home.charter_file)
    create_file_custody(home)
    for compartment in COMPARTMENTS:
        lay_database(home, compartment)
    ledger_keys.create(home)
    store = open_store(home, "ledger")
    log = Log(store)
    log.append_all([request(RosterTaken(version=number, headcount=0, sha256="")) for number in range(300)])
    log.publish()
    store.close()
    desk = open_store(home, "desk")
    for number in range(20):
        add_person(desk, f"E{number}")
    desk.close()
    message = Health(compartment="post", at=clock.now(), ok=True, facts={"note": MESSAGE_MARK}, fix="")
    delivery.send(home, "post", "desk", message)
    for path in ("intake/quarantine/export.csv", "drop/cad/export.csv"):
        (home.root / path).parent.mkdir(parents=True)
        (home.root / path).write_text(EXPORT_MARK)
    for path, text in {"public/boards/1-requests.bin": "x" * 3_000_000, "run/desk/odd": "", "log/desk.log": ""}.items():
        (home.root / path).parent.mkdir(parents=True)
        (home.root / path).write_text(text)
    (home.root / "public" / "latest").symlink_to("ledger/checkpoint")
    (home.root / "public" / "empty").mkdir(mode=0o750)
    return home


@dataclass
class Site:
    """A home, a folder for its backups, and its root secret."""

    home: Home
    to: Path

    @property
    def root(self) -> bytes:
        return (self.home.root / "root").read_bytes()

    @property
    def repository(self) -> Repository:
        return Repository(self.to)

    def create(self) -> Manifest:
        return create(self.home, self.to, keys_of(self.home), recipient_of(self.home), lambda _text: None)

    def open(self, backup: str = "", root: bytes | None = None) -> Opened:
        return open_backup(self.repository, backup or self.repository.ids()[-1], root or self.root)


@pytest.fixture
def site(original: Home, tmp_path: Path) -> Site:
    shutil.copytree(original.root, tmp_path / "home", symlinks=True)
    (tmp_path / "to").mkdir()
    return Site(Home(tmp_path / "home"), tmp_path / "to")


def people(home: Home) -> list[Any]:
    """The roster's numbers as desk has them."""
    store = open_store(home, "desk")
    with store.read() as session:
        found = sorted(session.scalars(select(Person.person_id)))
    store.close()
    return found


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, but databases and sockets' places."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("database.db")
    }


__all__ = ["COMPARTMENTS", "EXPORT_MARK", "MESSAGE_MARK", "Site", "people", "tree"]
