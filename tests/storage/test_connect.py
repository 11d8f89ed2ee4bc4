"""Promise: a database that does not open says why, and what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import sqlcipher3

from appliance import database
from appliance.errors import WardwellError

KEY = "ab" * 32


def test_a_database_that_another_process_keeps_is_not_called_a_broken_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wardwell.db"
    monkeypatch.setattr(database, "_BUSY_MS", 50)
    other = sqlcipher3.connect(str(path), isolation_level=None)
    with contextlib.closing(other):
        other.execute(f"PRAGMA key = \"x'{KEY}'\"")
        other.execute("CREATE TABLE one (id INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WardwellError, match="in use by another process"):
            database.connect(path, KEY)
        other.execute("COMMIT")
    with contextlib.closing(database.connect(path, KEY)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_another_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wardwell.db"
    with contextlib.closing(database.connect(path, KEY)) as connection:
        connection.execute("CREATE TABLE one (id INTEGER)")
    with pytest.raises(WardwellError, match="does not open with its key"):
        database.connect(path, "cd" * 32)


def test_what_the_driver_is_told_about_values_changes_none(tmp_path: Path) -> None:
    given = [True, False, b"", b"\x00\xff", None, 7, "seven"]
    with contextlib.closing(database.connect(tmp_path / "wardwell.db", KEY)) as connection:
        kept = [connection.execute("SELECT ?1, typeof(?1)", (value,)).fetchone() for value in given]
    assert [value for value, _ in kept] == given
    assert [kind for _, kind in kept] == ["integer", "integer", "blob", "blob", "null", "integer", "text"]
