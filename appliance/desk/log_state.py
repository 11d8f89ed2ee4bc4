"""The log's head and the witness's word on it, checked from the files that anyone may read, for pages.

Owns: this check, and its words for the practices of a month. Must never see: a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance import clock
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.crypto.tlog import PublicLog, read_note
from appliance.crypto.trusted_keys import trusted_keys
from appliance.errors import WardwellError
from appliance.settings import Home


@dataclass(frozen=True)
class LogState:
    """The log's head as the files for everyone show it. `problem` is empty when all of it fits."""

    origin: str
    size: int
    root: str
    witnessed: datetime | None
    witnessed_size: int
    problem: str


def log_state(home: Home, oldest: timedelta) -> LogState:
    """Check the newest checkpoint and the witness's cosignature, not older than `oldest`."""
    folder, witness = home.public / "ledger", home.public / "witness"
    if not (folder / "checkpoint").exists():
        return LogState("", 0, "", None, 0, "There is no checkpoint yet.")
    try:
        ledger_key, witness_key = _keys(home)
        head = Checkpoint.parse(open_note((folder / "checkpoint").read_bytes(), ledger_key))
    except WardwellError as error:
        return LogState("", 0, "", None, 0, str(error))
    at, size, problem = None, 0, ""
    try:
        if witness_key is None:
            raise FileNotFoundError
        note = read_note(witness / "checkpoint")
        at = cosigned_at(note, witness_key)
        size = Checkpoint.parse(note.decode().split("\n\n")[0] + "\n").size
        if clock.now() - at > oldest:
            problem = "The witness has not signed a checkpoint for too long."
    except OSError:
        problem = "No witness has signed a checkpoint yet."
    except WardwellError as error:
        problem = str(error)
    return LogState(head.origin, head.size, head.root.hex(), at, size, problem)


def _keys(home: Home) -> tuple[Verifier, Verifier | None]:
    """Before a demonstration is founded there may be no witness yet."""
    if (home.public / "witness" / "vkey").exists() or (home.public / "site.json").exists():
        keys = trusted_keys(home)
        return keys.ledger, keys.witness
    return PublicLog(home.public / "ledger").verifier, None
