"""Fixtures of the sealed post: a home with a ledger, desk's ticket keys, memory that goes away."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import blindrsa
from appliance.crypto.canonical import canonical
from appliance.post.memory import Memory
from appliance.settings import Home
from appliance.storage import Store
from provisioning import build_space, packages
from tests.conftest import make_home
from tests.post.post_site import Desk
from tests.post.small_ledger import SmallLedger
from tests.post.town import Town
from tests.support.databases import new_store
from tests.support.ticket_keys import made_keys, some_keys

__all__ = ["made_keys", "some_keys"]


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


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser code of the sealed post with its driver, bundled for Node."""
    packages.install()
    build_space.CACHE.mkdir(exist_ok=True)
    words = canonical(build_space.charter_words(load_charter()))
    path = build_space.CACHE / "charter.json"
    if not path.exists() or path.read_bytes() != words:
        path.write_bytes(words)
    bundle = tmp_path_factory.mktemp("driver") / "driver.mjs"
    packages.node(
        packages.MODULES / "esbuild" / "bin" / "esbuild",
        Path(__file__).parent / "driver.ts",
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--target=node22",
        "--log-level=warning",
        "--banner:js=import { createRequire as __wr } from 'node:module'; const require = __wr(import.meta.url);",
        f"--outfile={bundle}",
        cwd=packages.SPACE,
    )
    return bundle


@pytest.fixture(scope="module")
def town(driver: Path, some_keys: list[rsa.RSAPrivateKey], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Desk, post and the static files as real servers, and people with browsers; one for all tests of a module."""
    home = make_home(tmp_path_factory.mktemp("town") / "home")
    stores = {name: new_store(home, name) for name in ("desk", "post")}
    ledger, memory = SmallLedger(home), Memory(home)
    keys = itertools.cycle(some_keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blindrsa, "generate", lambda bits: next(keys))
        desk = Desk(stores["desk"])
    running = Town(driver, desk, stores["post"], memory, ledger)
    yield running
    running.close()
    ledger.close()
    shutil.rmtree(memory.folder)
    for store in stores.values():
        store.close()
