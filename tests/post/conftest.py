"""Fixtures of the sealed post: a home with a ledger, desk's ticket keys, memory that goes away."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from post_site import Desk
from small_ledger import SmallLedger

from appliance import clock
from appliance.crypto import blindrsa
from appliance.post.memory import Memory
from appliance.settings import Home
from appliance.storage import Store


@pytest.fixture
def ledger(home: Home) -> Iterator[SmallLedger]:
    small = SmallLedger(home)
    yield small
    small.close()


@pytest.fixture
def memory(home: Home) -> Iterator[Memory]:
    held = Memory(home)
    yield held
    shutil.rmtree(held.folder)


@pytest.fixture(scope="session")
def some_keys() -> list[rsa.RSAPrivateKey]:
    """Ticket keys made once: making them is slow and is not what these tests are about."""
    return [blindrsa.generate(2048) for _ in range(4)]


@pytest.fixture(autouse=True)
def _made_keys(some_keys: list[rsa.RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    keys = itertools.cycle(some_keys)
    monkeypatch.setattr(blindrsa, "generate", lambda bits: next(keys))


@pytest.fixture
def desk(ledger: SmallLedger, store_of: Callable[[str], Store]) -> Desk:
    return Desk(store_of("desk"))


@pytest.fixture
def post(ledger: SmallLedger, store_of: Callable[[str], Store]) -> Store:
    return store_of("post")


@pytest.fixture
def noon() -> Iterator[datetime]:
    """The clock held at noon of a fixed day."""
    at = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    with clock.held(at):
        yield at
