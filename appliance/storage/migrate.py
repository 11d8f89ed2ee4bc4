"""Schema migrations: forward only in production, run by `wardwell migrate` and by nothing else.

Owns: the way from a compartment's models to its migrated schema. `python -m appliance.storage.migrate COMPARTMENT
"message"` writes a new revision from the difference between models and schema (a developer's tool).
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from appliance.settings import COMPARTMENTS, Home
from appliance.storage.engine import Store, open_store

_HERE = Path(__file__).parent / "migrations"


def metadata_of(compartment: str) -> MetaData:
    """The models' metadata of `compartment`."""
    module = importlib.import_module(f"appliance.{compartment}.models")
    metadata: MetaData = module.Base.metadata
    return metadata


def _config(compartment: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / "versions" / compartment))
    config.set_main_option("path_separator", "os")
    config.attributes["metadata"] = metadata_of(compartment)
    return config


def upgrade(store: Store) -> None:
    """Bring the database of `store` to the newest revision."""
    config = _config(store.compartment)
    with store.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def upgrade_all(home: Home) -> None:
    """Bring every compartment's database to the newest revision (`wardwell migrate`)."""
    for compartment in COMPARTMENTS:
        store = open_store(home, compartment)
        try:
            upgrade(store)
        finally:
            store.close()


def differences(store: Store) -> list[object]:
    """What the models say and the migrated schema does not; empty when they agree."""
    with store.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata_of(store.compartment)))


def _new_revision(compartment: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        home.folder(compartment).mkdir(parents=True)
        home.key(compartment).write_text("00" * 32)
        store = open_store(home, compartment)
        upgrade(store)
        config = _config(compartment)
        with store.writer.connect() as connection:
            config.attributes["connection"] = connection
            command.revision(
                config, message=message, autogenerate=True, version_path=str(_HERE / "versions" / compartment)
            )
        store.close()


if __name__ == "__main__":
    _new_revision(sys.argv[1], sys.argv[2])
