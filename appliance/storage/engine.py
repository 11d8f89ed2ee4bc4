"""SQLCipher engines through SQLAlchemy: raw key, WAL, two session factories.

A compartment opens its own database with its own key file (64 hex digits, HKDF-SHA256 of the root secret, see
`appliance.custody`). `Store.read()` begins with `BEGIN`, `Store.write()` with `BEGIN IMMEDIATE`: with a deferred
begin, two writers that both read first fail with "database is locked" instead of waiting.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlcipher3
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from appliance.database import checked, connect, read_key
from appliance.settings import Home


def _engine(path: Path, key: str, begin: str) -> Engine:
    engine = create_engine(
        "sqlite://",
        module=sqlcipher3,
        creator=lambda: connect(path, key),
        poolclass=QueuePool,
        pool_size=4,
        # An error message must not carry the values of a row: they may be secrets or names.
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


class Store:
    """One compartment's database. Open it after fork, once per process. A restore gives the key itself."""

    def __init__(self, home: Home, compartment: str, key: str | None = None) -> None:
        path = home.database(compartment)
        key = read_key(home, compartment) if key is None else checked(compartment, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.home, self.compartment, self.path = home, compartment, path
        self.reader = _engine(path, key, "BEGIN")
        self.writer = _engine(path, key, "BEGIN IMMEDIATE")

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; it is rolled back at the end."""
        with Session(self.reader) as session:
            try:
                yield session
            finally:
                session.rollback()

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session that holds the write lock from its first statement, committed at the end or rolled back."""
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    def scrub(self) -> bool:
        """Empty the write-ahead log into the database, so that nothing deleted lives on there; False: try again.

        `secure_delete` overwrites what is deleted in the database itself; old pages stay in the log until this.
        """
        connection = self.writer.raw_connection()
        try:
            busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.close()
        return not busy

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


def open_store(home: Home, compartment: str) -> Store:
    """The store of `compartment`. Raises WardwellError when its key is missing or does not fit."""
    return Store(home, compartment)
