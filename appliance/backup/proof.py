"""Is a folder of restored files a whole appliance? Opens every database, and compares the access log with itself.

Owns: the questions asked of a cut that was read back, of a scratch restore and of a real one. Must never see: a row's
content; the ledger's leaves are hashed, never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appliance.backup.keys import Keys
from appliance.crypto.tiles import Builder
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import snapshot


@dataclass(frozen=True)
class Proven:
    """Schema revisions and row counts by compartment; the published head of the access log."""

    schemas: dict[str, str]
    counts: dict[str, dict[str, int]]
    ledger_size: int
    ledger_root: str


def examine(folder: Path, keys: Keys) -> Proven:
    """Look at everything. Raises WardwellError at the first thing that is not whole."""
    home = Home(folder)
    schemas, counts = {}, {}
    for name in COMPARTMENTS:
        path, key = home.database(name), keys.databases[name]
        if not path.exists():
            raise WardwellError(f"The database of {name} is not in the backup.", "Take an earlier one.")
        counts[name] = snapshot.examine(path, key)
        schemas[name] = snapshot.revision(path, key)
    size, root = _head(home, keys.databases["ledger"])
    return Proven(schemas, counts, size, root)


def _head(home: Home, key: str) -> tuple[int, str]:
    """The published head, after seeing that the database's first leaves give the same root."""
    folder = home.public / "ledger"
    if not (folder / "checkpoint").exists():
        return 0, ""
    head = PublicLog(folder).checkpoint()
    tree = Builder()
    for position, data in snapshot.leaves(home.database("ledger"), key):
        if position != tree.size:
            break
        if tree.size == head.size:
            break
        tree.add(data)
        tree.take_full()
    if tree.size != head.size or tree.root() != head.root:
        raise WardwellError(
            "The access log's database and its published head disagree.",
            "Run `wardwell ledger verify`, and tell the officers' trustee.",
        )
    return head.size, head.root.hex()
