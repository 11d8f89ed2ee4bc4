"""Promise: a backup of a running agency comes back on another machine as that agency."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from appliance.backup import proof
from appliance.backup.keys import keys_of
from appliance.health import checks
from appliance.settings import Home
from tests.support.system import System, run

pytestmark = pytest.mark.system


def test_a_running_agency_comes_back_elsewhere(agency: System, tmp_path: Path) -> None:
    """Given an agency in use, when it is backed up and restored into another home, then nothing is missing there."""
    to, second = tmp_path / "to", tmp_path / "second"
    to.mkdir()
    signed_in: list[dict[str, Any]] = []
    user = threading.Thread(target=lambda: signed_in.append(agency.sign_in("coordinator")))
    user.start()
    try:
        made = agency.run("backup", "create", "--to", str(to))
    finally:
        user.join()
    assert signed_in[0]["token"]
    assert "access log's head fits" in made.stderr
    opened: dict[str, Any] = {}

    # When: restored with the root secret that both groups' cards give
    secret = agency.home.root / "root"
    restored = agency.run("backup", "restore", str(to), "--to", str(second), "--identity", str(secret))
    assert "Restored" in restored.stdout
    home = Home(second)

    # Then: every table has at least the rows it had, every check of files holds, the log proves itself
    opened["there"] = proof.examine(home.root, keys_of(home))
    opened["here"] = proof.examine(agency.home.root, keys_of(agency.home))
    for name, tables in opened["there"].counts.items():
        grown = {table: opened["here"].counts[name][table] for table in tables}
        for table in ("person", "grant", "leaf", "call", "involvement", "vault", "board", "release"):
            if table in tables:
                assert tables[table] <= grown[table]
    assert opened["there"].counts["desk"]["person"] == opened["here"].counts["desk"]["person"] > 100
    assert 0 < opened["there"].ledger_size <= opened["here"].ledger_size
    verified = run(home, "ledger", "verify")
    assert f"Verified: {opened['there'].ledger_size} entries" in verified.stdout
    found = {check.name: check for check in checks.run(home)}
    for name in (
        "settings",
        "charter",
        "access log",
        "witness",
        *(f"database {one}" for one in opened["there"].counts),
    ):
        assert found[name].ok, found[name]

    # And: the other root secret opens nothing, and a second restore into the same place is refused
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"\1" * 32)
    refused = agency.run(
        "backup", "restore", str(to), "--to", str(tmp_path / "third"), "--identity", str(wrong), check=False
    )
    assert (refused.returncode, (tmp_path / "third").exists()) == (3, False)
    again = agency.run("backup", "restore", str(to), "--to", str(second), "--identity", str(secret), check=False)
    assert again.returncode == 3
