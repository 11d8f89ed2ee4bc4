"""Databases held still, and looked at, from outside their compartments; for backup and restore alone.

Owns: the write lock on several databases at once, folding a copied write-ahead log into its copy, and the questions
that tell whether a database is whole. Must never see: what a row says; it counts rows and hands on the ledger's leaves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance.errors import WardwellError

_BUSY_SECONDS = 15.0


def _open(path: Path, key: str) -> Any:
    """A connection in no transaction. The first read tells whether the key fits. Raises WardwellError."""
    connection = sqlcipher3.connect(str(path), isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        connection.execute(f"PRAGMA key = \"x'{key}'\"")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.DatabaseError as error:
        connection.close()
        raise WardwellError(
            f"The database of {path.parent.name} does not open with its key ({type(error).__name__}).",
            "Compare the key with custody, or restore the database from an earlier backup.",
        ) from None
    return connection


@contextlib.contextmanager
def held_still(databases: Mapping[Path, str]) -> Iterator[None]:
    """Nobody else writes to any of `databases` (path -> key) meanwhile; readers go on.

    Write-ahead logs are emptied first, as far as readers allow, so that nothing deleted lives on in a copy. While this
    is held a file and its log, copied one after the other, are one state. Raises WardwellError when a writer does not
    let go within 15 s.
    """
    with contextlib.ExitStack() as stack:
        connections = []
        for path, key in databases.items():
            connection = _open(path, key)
            stack.callback(connection.close)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connections.append((path, connection))
        for path, connection in connections:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlcipher3.OperationalError:
                raise WardwellError(
                    f"The database of {path.parent.name} never stops being written to.",
                    "Run the backup again; if it happens again, restart that compartment.",
                ) from None
            stack.callback(connection.execute, "ROLLBACK")
        yield


def fold(path: Path, key: str) -> None:
    """Move a copy's write-ahead log into the copy: one file is left. Pages keep their encrypted bytes."""
    with contextlib.closing(_open(path, key)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def revision(path: Path, key: str) -> str:
    """The schema revision, "" when the database was never migrated."""
    with contextlib.closing(_open(path, key)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlcipher3.OperationalError:
            return ""
        return str(row[0]) if row else ""


def examine(path: Path, key: str) -> dict[str, int]:
    """Check the whole database; table -> number of rows. Raises WardwellError when anything is damaged."""
    damaged = WardwellError(
        f"The database of {path.parent.name} is damaged.", "Restore an earlier backup, and look at the disk."
    )
    with contextlib.closing(_open(path, key)) as connection:
        try:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            if rows != [("ok",)] or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise damaged
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            counts = {}
            for (table,) in tables:
                quoted = '"' + str(table).replace('"', '""') + '"'
                counts[str(table)] = int(connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])  # noqa: S608
        except sqlcipher3.DatabaseError:
            raise damaged from None
    return counts


def leaves(path: Path, key: str) -> Iterator[tuple[int, bytes]]:
    """Position and bytes of the ledger's leaves, in order."""
    with contextlib.closing(_open(path, key)) as connection:
        yield from connection.execute("SELECT position, data FROM leaf ORDER BY position")
