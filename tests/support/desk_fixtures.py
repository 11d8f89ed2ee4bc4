"""Fixtures of desk with a real ledger; a folder's conftest imports them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from appliance.charter import Charter, load_charter
from appliance.settings import Home
from appliance.storage import Store
from tests.support import ledger as ledger_support
from tests.support.desk_site import Browser, Space
from webapp.desk import create_app


@pytest.fixture
def desk(store_of: Callable[[str], Store]) -> Store:
    """Desk's database with its tables."""
    return store_of("desk")


@pytest.fixture
def ledger(home: Home, store_of: Callable[[str], Store]) -> Iterator[ledger_support.RunningLedger]:
    """The real ledger on its socket."""
    with ledger_support.running(home, store_of("ledger")) as running:
        yield running


@pytest.fixture
def app(home: Home, desk: Store, ledger: ledger_support.RunningLedger) -> Iterator[Flask]:
    app = create_app(home)
    yield app
    app.extensions["wardwell"].close()


@pytest.fixture
def browser(app: Flask, home: Home) -> Callable[[], Browser]:
    return lambda: Browser(app, home)


@pytest.fixture
def space(app: Flask, home: Home) -> Callable[[], Space]:
    return lambda: Space(app, home)


@pytest.fixture
def charter(home: Home) -> Charter:
    return load_charter(home)
