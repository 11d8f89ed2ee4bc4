"""How many entries a second the ledger takes, each on disk before it is answered, beside plain SQLite on the same disk.

Owns: a served ledger in a scratch home. Must never see: an agency's own log.
The comparison is a plain sqlite3 table (WAL, synchronous FULL, one commit per row of an entry's size), same run, same
folder: what the disk allows for one fsync per row. Entries about a person are sealed, numbered, chained and queued for
desk as well.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from appliance import clock
from appliance.custody.keys import create_file_custody
from appliance.ledger import keys
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.messages import About, Append
from appliance.storage.migrate import upgrade_all

SECONDS = 4.0
ASKERS = 16
_BODY = {
    "actor": "A person",
    "actor_role": "coordinator",
    "category": "attendance",
    "purpose": "duty_of_care",
    "outcome": "allowed",
    "incident": "2026-000001",
    "everyone": True,
    "note": "",
}


def _plain(folder: Path) -> float:
    """Rows per second of a plain table, each committed with its own fsync."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry (position INTEGER PRIMARY KEY, data BLOB)")
    count, end = 0, time.perf_counter() + SECONDS / 2
    while time.perf_counter() < end:
        connection.execute("INSERT INTO entry (data) VALUES (?)", (secrets.token_bytes(100),))
        count += 1
    connection.close()
    return count / (SECONDS / 2)


def _ask(home: Home, handle: str) -> list[float]:
    """Append entries about `handle` until the time is up; how long each took, in seconds."""
    times, end = [], time.perf_counter() + SECONDS
    while (begun := time.perf_counter()) < end:
        append(home, Append(kind="about", about=[About(handle, dict(_BODY))]))
        times.append(time.perf_counter() - begun)
    return times


def _serve(home: Home) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "provisioning.cli", "ledger", "serve"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env={**os.environ, "WARDWELL_HOME": str(home.root)}, stdout=quiet, stderr=quiet)
    while not home.socket("ledger").exists():
        if server.poll() is not None:
            raise RuntimeError("the ledger did not start")
        time.sleep(0.05)
    return server


def run() -> list[dict[str, Any]]:
    """`ledger.appends_per_second` (many askers at once), `ledger.one_asker_per_second`, `ledger.append_p95`."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch) / "home")
        home.root.mkdir()
        home.settings_file.write_text("demonstration = true\n")
        create_file_custody(home)
        upgrade_all(home)
        keys.create(home)
        server = _serve(home)
        try:
            plain = _plain(Path(scratch))
            alone = _ask(home, secrets.token_hex(16))
            with ThreadPoolExecutor(ASKERS) as pool:
                many = [
                    t for times in pool.map(lambda _: _ask(home, secrets.token_hex(16)), range(ASKERS)) for t in times
                ]
        finally:
            server.terminate()
            server.wait(timeout=60)
    against = f"plain SQLite, one fsync per row: {plain:.0f}/s"
    figures = [
        ("appends_per_second", round(len(many) / SECONDS), "appends/s"),
        ("one_asker_per_second", round(len(alone) / SECONDS), "appends/s"),
        ("append_p95", round(statistics.quantiles(alone, n=20)[-1] * 1000, 1), "ms"),
    ]
    date = clock.now().date().isoformat()
    return [
        {"name": f"ledger.{name}", "value": value, "unit": unit, "against": against, "control": "", "date": date}
        for name, value, unit in figures
    ]
