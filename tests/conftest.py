"""Fixtures that every test may use: a scratch appliance home, and stores made from the models."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from appliance.charter.schema import SHIPPED
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store, open_store
from appliance.storage.migrate import metadata_of

# A busy machine may need longer than a person would wait; what never comes is still missed.
expect.set_options(timeout=30_000)

# Helpers say what they compared when they fail, as test files do.
pytest.register_assert_rewrite(*(f"tests.{path.name}" for path in Path(__file__).parent.iterdir() if path.is_dir()))

# The fixtures `agency`, `driver` and `open_browser`: the whole demonstration, running.
pytest_plugins = ["tests.support.system"]

# Kinds of tests whose subject is a server or a browser; every other test that opens an INET socket fails.
WITH_SOCKETS = ("system", "browser", "appliance", "vm")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(name) for name in WITH_SOCKETS):
            item.add_marker(pytest.mark.enable_socket)


def make_home(root: Path) -> Home:
    """A scratch home: keys, default settings, the shipped charter; no database yet."""
    home = Home(root)
    for compartment in COMPARTMENTS:
        home.folder(compartment).mkdir(parents=True)
        home.key(compartment).write_text(secrets.token_hex(32))
    sockets = [home.socket(name).parent for name in ("desk", "post", "ledger")]
    for folder in (home.public, home.log, *sockets):
        folder.mkdir(parents=True)
    home.settings_file.write_text('agency = "Test Agency"\ndemonstration = true\n')
    shutil.copy(SHIPPED, home.charter_file)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


@pytest.fixture
def store_of(home: Home) -> Iterator[Callable[[str], Store]]:
    """`store_of("desk")` opens that compartment's database with its tables made."""
    opened: dict[str, Store] = {}

    def make(compartment: str) -> Store:
        if compartment not in opened:
            opened[compartment] = open_store(home, compartment)
            metadata_of(compartment).create_all(opened[compartment].writer)
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
