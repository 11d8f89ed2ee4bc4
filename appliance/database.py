"""A compartment's encrypted database as the driver has it: its key, one connection, and which schema it holds.

Owns: how a database file is opened, and the names of schemas. Loads nothing but the driver, so that a start which finds
nothing to migrate pays for no object mapper. Must never see: a row about anything but the schema itself.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance.errors import WardwellError
from appliance.settings import Home

_BUSY_MS = 15_000
# Of each value that is no int, float, str or bytearray the driver asks for an adapter. Where there is none it goes on
# to ask the value itself, which takes longer than to store it.
sqlcipher3.dbapi2.register_adapter(bool, int)
sqlcipher3.dbapi2.register_adapter(bytes, bytearray)
sqlcipher3.dbapi2.register_adapter(type(None), lambda nothing: nothing)
_VERSIONS = Path(__file__).parent / "storage" / "migrations" / "versions"


def revisions(compartment: str) -> list[str]:
    """Every schema of `compartment` that this version knows, the newest last: its files are named after them."""
    return sorted(path.name.partition("_")[0] for path in (_VERSIONS / compartment).glob("[0-9]*_*.py"))


def read_key(home: Home, compartment: str) -> str:
    """The key of `compartment`, 64 hex digits. Raises WardwellError when it is missing or damaged."""
    try:
        key = home.key(compartment).read_text().strip()
    except FileNotFoundError:
        raise WardwellError(
            f"The key of {compartment} is not here: the appliance is sealed or was never set up.",
            "Unseal it (`wardwell custody unseal`), or run `make demo` for a demonstration.",
        ) from None
    return checked(compartment, key)


def checked(compartment: str, key: str) -> str:
    """`key`, which has to be 64 hex digits. Raises WardwellError."""
    if len(key) != 64:
        raise WardwellError(f"The key of {compartment} is damaged.", "Restore it from custody.")
    return key


def connect(path: Path, key: str) -> Any:
    """A connection of the driver, in WAL mode.

    Raises WardwellError when `key` is not the database's, another process keeps it, or the disk cannot be written.
    """
    # isolation_level None: the driver begins nothing by itself; whoever uses the connection does.
    connection = sqlcipher3.connect(str(path), isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA key = \"x'{key}'\"")
    try:
        cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlcipher3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise WardwellError(
                f"The database of {path.parent.name} has been in use by another process for {_BUSY_MS // 1000} s.",
                "Wait until it ends, then try again.",
            ) from None
        raise WardwellError(
            f"The disk with the database of {path.parent.name} cannot be written: {error}.",
            "See what the kernel says about it (`journalctl -k`), and mount it for writing again.",
        ) from None
    except sqlcipher3.DatabaseError:
        connection.close()
        raise WardwellError(
            f"The database {path.name} of {path.parent.name} does not open with its key.",
            "Restore the key file from custody; never create a new one beside an old database.",
        ) from None
    for pragma in ("synchronous = FULL", "secure_delete = ON", "foreign_keys = ON", f"busy_timeout = {_BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    return connection


def schema_of(home: Home, compartment: str) -> str | None:
    """The revision of the schema in the database of `compartment`; None when there is no database or no schema in it.

    Raises WardwellError when the key is missing or does not fit, or the file is damaged.
    """
    path, key = home.database(compartment), read_key(home, compartment)
    if not path.exists():
        return None
    with contextlib.closing(connect(path, key)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlcipher3.DatabaseError as error:
            if "no such table" in str(error):
                return None
            raise WardwellError(
                f"The database of {compartment} cannot be read: {error}.",
                "Look at the disk's health, then restore a backup.",
            ) from None
    return str(row[0]) if row else None
