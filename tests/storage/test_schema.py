"""Promise: the migrated schema is what the models say, and the models fit PostgreSQL too."""

from __future__ import annotations

import pytest
from sqlalchemy import create_mock_engine, text
from sqlalchemy.schema import CreateTable

from appliance.settings import COMPARTMENTS, Home
from appliance.storage import open_store
from appliance.storage.migrate import differences, metadata_of, upgrade


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
    engine = create_mock_engine(
        "postgresql+psycopg://", lambda sql, *_: made.append(str(sql.compile(dialect=engine.dialect)))
    )
    metadata = metadata_of(compartment)
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=engine.dialect)))
    assert all("CREATE TABLE" in sql for sql in made)
    assert len(made) == len(metadata.tables)


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_a_database_does_not_open_with_another_key(home: Home, compartment: str) -> None:
    from appliance.errors import WardwellError

    store = open_store(home, compartment)
    upgrade(store)
    store.close()
    raw = home.database(compartment).read_bytes()
    assert b"alembic_version" not in raw
    assert not raw.startswith(b"SQLite format 3")
    home.key(compartment).write_text("00" * 32)
    with pytest.raises(WardwellError, match="does not open"), open_store(home, compartment).reader.connect():
        pass
