"""Promise: the migrated schema is what the models say, the models fit PostgreSQL too, and a start that finds nothing to
migrate loads nothing for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine, text
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import CreateTable

from appliance.database import revisions, schema_of
from appliance.errors import WardwellError
from appliance.migrate import migrate_one
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import open_store
from appliance.storage.migrate import _config, differences, metadata_of, upgrade


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_models_and_migrated_schema_agree(home: Home, compartment: str) -> None:
    store = open_store(home, compartment)
    upgrade(store)
    assert differences(store) == []
    with store.writer.begin() as connection:  # control: a table that no model knows is a difference
        connection.execute(text("CREATE TABLE stray (id INTEGER)"))
    assert differences(store) != []
    store.close()


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_models_compile_for_postgresql(compartment: str) -> None:
    made: list[str] = []

    def remember(sql: Any, *_: Any) -> None:
        made.append(str(sql.compile(dialect=engine.dialect)))

    engine: MockConnection = create_mock_engine("postgresql+psycopg://", remember)
    metadata = metadata_of(compartment)
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=engine.dialect)))
    assert all("CREATE TABLE" in sql for sql in made)
    assert len(made) == len(metadata.tables)


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_a_database_does_not_open_with_another_key(home: Home, compartment: str) -> None:
    store = open_store(home, compartment)
    upgrade(store)
    store.close()
    raw = home.database(compartment).read_bytes()
    assert b"alembic_version" not in raw
    assert not raw.startswith(b"SQLite format 3")
    home.key(compartment).write_text("00" * 32)
    with pytest.raises(WardwellError, match="does not open"), open_store(home, compartment).reader.connect():
        pass


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_files_are_named_after_the_schema_that_they_make(compartment: str) -> None:
    scripts = ScriptDirectory.from_config(_config(compartment))
    assert revisions(compartment) == sorted(one.revision for one in scripts.walk_revisions())
    assert revisions(compartment)[-1] == scripts.get_current_head()


_LOADED = (
    "import sys; from pathlib import Path; from appliance.migrate import migrate_one;"
    "from appliance.settings import Home; migrate_one(Home(Path(sys.argv[1])), 'desk');"
    "print('sqlalchemy' in sys.modules)"
)


def test_a_start_that_finds_nothing_to_migrate_loads_no_object_mapper(home: Home) -> None:
    def loaded() -> str:
        command = [sys.executable, "-c", _LOADED, str(home.root)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert schema_of(home, "desk") is None
    assert loaded() == "True"
    assert schema_of(home, "desk") == revisions("desk")[-1]
    assert loaded() == "False"


def test_what_is_no_newest_schema_is_not_taken_for_it(home: Home) -> None:
    migrate_one(home, "post")
    store = open_store(home, "post")
    with store.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    assert schema_of(home, "post") == "9999"
    with pytest.raises(Exception, match="9999"):
        migrate_one(home, "post")


def test_a_damaged_database_is_called_so(home: Home) -> None:
    migrate_one(home, "post")
    pages = home.database("post").stat().st_size // 4096
    with home.database("post").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom((pages - 1) * 4096))
    with pytest.raises(WardwellError, match=r"cannot be read|does not open"):
        schema_of(home, "post")
