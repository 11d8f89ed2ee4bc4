"""The public log as a report needs it: all leaves, roots at any size, proofs, and the witness's state.

Owns: reading the log's public files through `appliance.crypto.tlog`. Must never see: the ledger's database; only what
anyone may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.crypto import merkle
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.crypto.tlog import PublicLog, read_note
from appliance.crypto.trusted_keys import key_of, trusted_keys
from appliance.errors import WardwellError
from appliance.settings import Home

TRUSTED = "public/site.json, signed by the agency and the officers' trustee"
UNTRUSTED = "the log's own folder, which no trustee has signed"


@dataclass(frozen=True)
class LogView:
    """One snapshot of the log: every leaf's bytes, proved to stand under the signed checkpoint `note`."""

    checkpoint: Checkpoint
    note: str
    ledger: Verifier
    witness: Verifier | None
    key_source: str
    leaves: list[bytes]
    nodes: merkle.Nodes

    @property
    def size(self) -> int:
        return len(self.leaves)

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        return merkle.root_of(self.nodes, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that the tree of `first` leaves is a prefix of the one of `second`."""
        return merkle.consistency_of(self.nodes, first, second)


def _keys(home: Home) -> tuple[Verifier, Verifier | None, str]:
    if (home.public / "site.json").exists() or not home.settings().demonstration:
        keys = trusted_keys(home)
        return keys.ledger, keys.witness, TRUSTED
    log_key = PublicLog(home.public / "ledger").verifier
    path = home.public / "witness" / "vkey"
    return log_key, Verifier.parse(path.read_text()) if path.exists() else None, UNTRUSTED


def read_log(home: Home) -> LogView:
    """The log as it is published now. Raises WardwellError when a file is missing or does not fit the checkpoint."""
    ledger, witness, source = _keys(home)
    log = PublicLog(home.public / "ledger", str(ledger))
    note = log.note()
    checkpoint = Checkpoint.parse(open_note(note, ledger))
    leaves = log.at(checkpoint).entries(0, checkpoint.size)
    nodes = merkle.of_leaves([merkle.leaf_hash(leaf) for leaf in leaves])
    return LogView(checkpoint, note.decode(), ledger, witness, source, leaves, nodes)


def witness_state(home: Home, log: LogView, age_hours: int, now: datetime) -> dict[str, Any]:
    """What the witness says of this log: {state, words, at, hours, size, vkey, note}.

    `state` is "fresh", "stale" (older than the charter's `age_hours`), "none", or "refused" when its files do not
    hold or it has seen another log.
    """
    state: dict[str, Any] = {"state": "none", "at": "", "hours": 0, "size": 0, "note": "", "vkey": ""}
    path = home.public / "witness" / "checkpoint"
    if log.witness is None or not path.exists():
        return state | {"words": "None: no witness has cosigned a checkpoint."}
    try:
        note = read_note(path)
        seen = Checkpoint.parse(open_note(note, log.ledger))
        at = cosigned_at(note, log.witness)
    except WardwellError as problem:
        return state | {"state": "refused", "words": f"REFUSED: {problem.message}"}
    hours = max(0, int((now - at).total_seconds() // 3600))
    state |= {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "hours": hours, "size": seen.size}
    state |= {"note": note.decode(), "vkey": str(log.witness)}
    if seen.size > log.size or log.root(seen.size) != seen.root:
        return state | {"state": "refused", "words": "REFUSED: the witness has seen another log than this one."}
    stale = hours >= age_hours
    words = (
        f"last cosigned {at:%Y-%m-%d %H:%M} UTC, {hours} hours before this report, over {seen.size} of {log.size} "
        f"entries. The charter allows {age_hours} hours{': OVERDUE' if stale else ''}."
    )
    return state | {"state": "stale" if stale else "fresh", "words": words[0].upper() + words[1:]}


def site_agrees(home: Home, public_line: str) -> bool | None:
    """Whether the trustee's site file names this report key; None when there is no site file yet."""
    if not (home.public / "site.json").exists():
        return None
    return key_of(trusted_keys(home).report) == key_of(public_line)
