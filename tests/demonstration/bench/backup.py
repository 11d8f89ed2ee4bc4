"""How long a backup takes, beside `tar | age` of the same files: a small appliance, and one of about a gigabyte.

Owns: scratch homes filled with random bytes. Must never see: an agency's own appliance.
`tar | age` is the comparison since it does the same to every byte; it is no backup (no lock, nothing kept once, nothing
read back). Each run is a command in a process of its own; memory is that process's peak resident size.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appliance.backup.keys import recipient_of
from appliance.custody.keys import create_file_custody, root_file
from appliance.ledger import keys
from appliance.ledger.log import Log
from appliance.settings import Home
from appliance.spool.log_entries import RosterTaken, request
from appliance.storage import open_store
from appliance.storage.migrate import upgrade_all

MEGABYTE = 1_000_000
# Megabytes in desk's database (opaque blobs, as vaults are) and in post's boards.
SIZES = {"small": (6, 3), "gigabyte": (800, 200)}
_BLOB, _BOARD = 64_000, 10 * MEGABYTE


def _fill(home: Home, database: int, boards: int) -> None:
    home.root.mkdir()
    home.settings_file.write_text("demonstration = true\n")
    create_file_custody(home)
    upgrade_all(home)
    keys.create(home)
    with contextlib.closing(open_store(home, "ledger")) as store:
        log = Log(store)
        log.append_all([request(RosterTaken(version=number, headcount=0, sha256="")) for number in range(5_000)])
        log.publish()
    with contextlib.closing(open_store(home, "desk")) as store:
        with store.writer.begin() as connection:
            connection.execute(text("CREATE TABLE filler (id INTEGER PRIMARY KEY, data BLOB)"))
        for _ in range(database):
            with store.writer.begin() as connection:
                rows = [{"data": secrets.token_bytes(_BLOB)} for _ in range(MEGABYTE // _BLOB)]
                connection.execute(text("INSERT INTO filler (data) VALUES (:data)"), rows)
        store.scrub()
    folder = home.public / "boards"
    folder.mkdir(parents=True)
    for number in range(max(1, boards * MEGABYTE // _BOARD)):
        (folder / f"{number}-requests.bin").write_bytes(secrets.token_bytes(min(_BOARD, boards * MEGABYTE)))


def _change(home: Home) -> None:
    """A day's work: fifty of the blobs are written anew."""
    with contextlib.closing(open_store(home, "desk")) as store, store.writer.begin() as connection:
        for number in range(1, 51):
            values = {"data": secrets.token_bytes(_BLOB), "id": number * 7 % 90 + 1}
            connection.execute(text("UPDATE filler SET data = :data WHERE id = :id"), values)


def _command(home: Home, *arguments: str) -> tuple[float, float, dict[str, Any]]:
    """Seconds, peak MiB and JSON output of one `wardwell backup` command. Raises RuntimeError when it fails."""
    output = home.root.parent / "output"
    begun = time.perf_counter()
    with open(output, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "provisioning.cli", "backup", *arguments],
            env={**os.environ, "WARDWELL_HOME": str(home.root)},
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"backup {arguments[0]} failed")
    told = output.read_text()
    return time.perf_counter() - begun, used.ru_maxrss / 1024, json.loads(told) if told.startswith("{") else {}


def _plain(home: Home, to: Path) -> float:
    """Seconds of `tar | age`, synced."""
    begun = time.perf_counter()
    pipe = 'tar -C "$1" -cf - . | age -r "$2" -o "$3" && sync "$3"'
    subprocess.run(["sh", "-c", pipe, "sh", str(home.root), recipient_of(home), str(to / "all.tar.age")], check=True)
    return time.perf_counter() - begun


def _measure(scratch: Path, size: str) -> list[tuple[str, float, str, str]]:
    home, to = Home(scratch / "home"), scratch / "to"
    to.mkdir()
    _fill(home, *SIZES[size])
    create = ("create", "--to", str(to), "--json")
    first, memory, facts = _command(home, *create)
    against = f"tar | age: {_plain(home, scratch):.1f} s"
    (scratch / "all.tar.age").unlink()
    again, _, _ = _command(home, *create)
    _change(home)
    changed, _, later = _command(home, *create)
    verify, _, _ = _command(home, "verify", str(to), "--json")
    restore, restoring, _ = _command(
        home, "restore", str(to), "--to", str(scratch / "second"), "--identity", str(root_file(home))
    )
    return [
        ("first", round(first, 1), "s", against),
        ("first_megabytes", round(facts["plain_bytes"] / MEGABYTE), "MB", ""),
        ("writers_waited", facts["locked_ms"], "ms", ""),
        ("memory", round(memory), "MiB", ""),
        ("nothing_changed", round(again, 1), "s", against),
        ("a_days_work", round(changed, 1), "s", against),
        ("a_days_work_written", round(later["new_bytes"] / MEGABYTE, 1), "MB", ""),
        ("verify", round(verify, 1), "s", ""),
        ("restore", round(restore, 1), "s", ""),
        ("restore_memory", round(restoring), "MiB", ""),
    ]


def run() -> list[dict[str, Any]]:
    """`backup.<size>_<figure>` for both sizes."""
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            for name, value, unit, against in _measure(Path(scratch), size):
                row = {"name": f"backup.{size}_{name}", "value": value, "unit": unit, "against": against}
                rows.append({**row, "control": ""})
    return rows
