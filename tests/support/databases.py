"""Databases for tests: migrated once for all runs, then copied, which costs a tenth of making the tables.

Owns: the template of each compartment, below `.cache/`, named after everything that shapes a schema, so that an older
one is never used. Must never see: a home that is not a test's.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from functools import cache
from pathlib import Path

import sqlcipher3

from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store, migrate, open_store
from tests.support.cached import ROOT, cached, digest_of


def key_in_tests(compartment: str) -> str:
    """The key that templates and scratch homes have: a copy need not be encrypted anew. 64 hex digits."""
    return hashlib.sha256(f"key of {compartment} in tests".encode()).hexdigest()


def _digest() -> str:
    """Changes with any file that may change a schema: models, storage with its migrations, the packages in use."""
    code = ROOT / "appliance"
    files = [*code.rglob("models.py"), *code.rglob("models/*.py"), *(code / "storage").rglob("*.py")]
    return digest_of(
        [*files, code / "database.py", ROOT / "provisioning" / "locks" / "requirements.txt", Path(__file__)]
    )


def _make(folder: Path) -> None:
    for compartment in COMPARTMENTS:
        home = Home(folder)
        home.folder(compartment).mkdir(parents=True)
        home.key(compartment).write_text(key_in_tests(compartment))
        store = open_store(home, compartment)
        migrate.upgrade(store)
        store.scrub()
        store.close()


@cache
def _templates() -> Home:
    """A home with a migrated, empty database for every compartment."""
    return Home(cached("databases", _digest(), _make))


def lay_database(home: Home, compartment: str) -> None:
    """Give `home` the empty, migrated database of `compartment`, under the key that `home` has for it."""
    path, key = home.database(compartment), home.key(compartment).read_text().strip()
    assert not path.exists(), f"{path} is there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_templates().database(compartment), path)
    if key != key_in_tests(compartment):
        with contextlib.closing(sqlcipher3.connect(str(path))) as connection:
            connection.execute(f"PRAGMA key = \"x'{key_in_tests(compartment)}'\"")
            connection.execute(f"PRAGMA rekey = \"x'{key}'\"")


def new_store(home: Home, compartment: str) -> Store:
    """The store of `compartment` in `home`, its database laid there if there is none."""
    if not home.database(compartment).exists():
        lay_database(home, compartment)
    return open_store(home, compartment)
