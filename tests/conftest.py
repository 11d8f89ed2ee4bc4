"""Fixtures that every test may use: a scratch appliance home, and stores made from the models."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from appliance.charter.schema import SHIPPED
from appliance.desk.sign_in import accounts
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store
from tests.support.databases import key_in_tests, new_store
from tests.support.templates import share_between_applications

# A busy machine may need longer than a person would wait; what never comes is still missed.
expect.set_options(timeout=30_000)

# The fixtures `agency`, `driver` and `open_browser`: the whole demonstration, running.
# And the order in which the test processes take files.
pytest_plugins = ["tests.support.system", "tests.support.balance"]

# Where scratch folders lie when there is room: nothing of a test has to outlast a power cut.
MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30

# scrypt's N is 2 to this power where a test makes a password and is not about its strength: 16 in production.
QUICK_LOG_N = 4

# Kinds of tests whose subject is a server or a browser; every other test that opens an INET socket fails.
WITH_SOCKETS = ("system", "browser", "appliance", "vm")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(name) for name in WITH_SOCKETS):
            item.add_marker(pytest.mark.enable_socket)


def pytest_configure(config: pytest.Config) -> None:
    """Scratch folders on memory, unless somebody says where they belong; workers get theirs below their controller's.

    The name is short, because a unix socket's path has room for 107 characters.
    """
    chosen = config.option.basetemp is not None or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if chosen or hasattr(config, "workerinput") or not _has_room(MEMORY):
        return
    for left in MEMORY.glob("ww*"):
        if left.name[2:].isdigit() and not Path("/proc", left.name[2:]).exists():
            shutil.rmtree(left, ignore_errors=True)
    config.option.basetemp = str(MEMORY / f"ww{os.getpid()}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What a green run left goes at once; what a red one left is there to look at until the next run."""
    base = Path(str(session.config.option.basetemp or ""))
    if exitstatus == 0 and base.parent == MEMORY and base.name == f"ww{os.getpid()}":
        shutil.rmtree(base, ignore_errors=True)


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM


def make_home(root: Path) -> Home:
    """A scratch home: keys, default settings, the shipped charter; no database yet."""
    home = Home(root)
    for compartment in COMPARTMENTS:
        home.folder(compartment).mkdir(parents=True)
        home.key(compartment).write_text(key_in_tests(compartment))
    sockets = [home.socket(name).parent for name in ("desk", "post", "ledger")]
    for folder in (home.public, home.log, *sockets):
        folder.mkdir(parents=True)
    home.settings_file.write_text('agency = "Test Agency"\ndemonstration = true\n')
    shutil.copy(SHIPPED, home.charter_file)
    return home


@pytest.fixture(scope="session", autouse=True)
def _shared_templates() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        share_between_applications(patch)
        yield


@pytest.fixture
def production_strength() -> None:
    """For tests of what ships: passwords are stretched as in production."""


@pytest.fixture(autouse=True)
def _quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are stretched a little only; lines that say how much they were are checked by what they say."""
    if "production_strength" not in request.fixturenames:
        monkeypatch.setattr(accounts, "_LOG_N", QUICK_LOG_N)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


@pytest.fixture
def store_of(home: Home) -> Iterator[Callable[[str], Store]]:
    """`store_of("desk")` opens that compartment's database with its tables made."""
    opened: dict[str, Store] = {}

    def make(compartment: str) -> Store:
        if compartment not in opened:
            opened[compartment] = new_store(home, compartment)
        return opened[compartment]

    yield make
    for store in opened.values():
        store.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real feeds; tests that need it are skipped with a reason where it is not present."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real feeds is not beside this checkout")
    return SHARED_DATA
