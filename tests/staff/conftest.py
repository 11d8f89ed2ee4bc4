"""An application with a scratch home, people on the roster, a ledger that remembers what was appended, and sign-in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from appliance import clock
from appliance.charter import load_charter
from appliance.desk.models.people import DeskAccount, Person
from appliance.desk.sign_in import sessions
from appliance.settings import Home
from appliance.storage import Store
from tests.staff.staff_site import PEOPLE, Browser, RememberingLedger, handle_of
from tests.support.desk_site import add_grant
from webapp.desk import create_app


@pytest.fixture
def ledger(home: Home) -> Iterator[RememberingLedger]:
    server = RememberingLedger(str(home.socket("ledger")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(store_of: Callable[[str], Store]) -> Store:
    """Desk's database with PEOPLE people on the roster: numbers 100, 101, ..."""
    store = store_of("desk")
    with store.write() as session:
        for number in range(PEOPLE):
            session.add(
                Person(
                    handle=handle_of(number),
                    person_id=str(100 + number),
                    name=f"Person{number:02d} Tester",
                    call_sign=f"42{number:02d}",
                    unit="Day watch" if number % 2 else "Night watch",
                    division="Patrol",
                    duties="",
                    active=True,
                )
            )
    return store


@pytest.fixture
def app(home: Home, store: Store, ledger: RememberingLedger) -> Iterator[Flask]:
    app = create_app(home)
    yield app
    app.extensions["wardwell"].close()


@pytest.fixture
def browser(app: Flask, home: Home, store: Store) -> Callable[..., Browser]:
    """`browser("coordinator")` is the browser of somebody who holds that role; without roles, of nobody."""

    def make(*roles: str) -> Browser:
        if not roles:
            return Browser(app.test_client(), home, "")
        handle = f"ff{abs(hash(roles)) % 10**12:030d}"
        with store.write() as session:
            session.add(
                DeskAccount(
                    handle=handle,
                    kind="local",
                    sign_in_name="-".join(roles),
                    name=f"The {roles[0]}",
                    password="scrypt$none",
                    totp_secret="",
                    totp_step=0,
                    created_at=clock.now(),
                )
            )
        for role in roles:
            add_grant(store, handle, role)
        return Browser(app.test_client(), home, sessions.start(store, handle, sessions.STAFF, "ready"))

    return make


@pytest.fixture
def charter(home: Home) -> Any:
    return load_charter(home)
