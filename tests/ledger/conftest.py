"""A log on a scratch home, a witness beside it, and a served ledger in its own process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.kit.witness import Witness
from appliance.kit.witness import create as create_witness
from appliance.ledger import keys
from appliance.ledger.log import Log
from appliance.settings import Home
from appliance.storage import Store, open_store
from tests.ledger.support import Served, folders_of
from tests.support.databases import lay_database


@pytest.fixture
def founded(home: Home) -> Home:
    """`home` with the ledger's key and schema and a witness's key."""
    keys.create(home)
    create_witness(home.root / "demo" / "witness", home.public / "witness")
    lay_database(home, "ledger")
    return home


@pytest.fixture
def store(founded: Home) -> Iterator[Store]:
    opened = open_store(founded, "ledger")
    yield opened
    opened.close()


@pytest.fixture
def log(store: Store) -> Log:
    return Log(store)


@pytest.fixture
def witness(founded: Home) -> Witness:
    return Witness(folders_of(founded))


@pytest.fixture
def served(founded: Home) -> Iterator[Served]:
    server = Served(founded)
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()
