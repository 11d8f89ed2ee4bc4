"""What is in force, checked from the files that anyone may read: the charter's signatures and the log's head.

Owns: these two checks, for pages and for the practices of a month. Must never see: a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance import clock
from appliance.crypto import sshsig
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.crypto.tlog import read_note
from appliance.errors import WardwellError
from appliance.settings import Home

CHARTER_NAMESPACE = "wardwell-charter"
SIGNERS = {"agency": "The agency", "trustee": "The officers' trustee"}


@dataclass(frozen=True)
class Signature:
    """One signature under the charter: whose, by which key, and whether it fits."""

    signer: str
    fingerprint: str
    problem: str


def charter_signatures(home: Home) -> list[Signature]:
    """Both signatures under the charter in force, checked now."""
    found = []
    for name, title in SIGNERS.items():
        fingerprint, problem = "", ""
        try:
            key = (home.public / f"{name}.pub").read_text()
            fingerprint = sshsig.fingerprint(key)
            signature = (home.public / f"charter.toml.{name}.sig").read_bytes()
            sshsig.verify(key, home.charter_file.read_bytes(), signature, CHARTER_NAMESPACE)
        except OSError:
            problem = "not signed"
        except WardwellError:
            problem = "the signature does not fit this charter"
        found.append(Signature(title, fingerprint, problem))
    return found


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
    empty = LogState("", 0, "", None, 0, "There is no checkpoint yet.")
    folder, witness = home.public / "ledger", home.public / "witness"
    try:
        text = open_note((folder / "checkpoint").read_bytes(), Verifier.parse((folder / "vkey").read_text().strip()))
        head = Checkpoint.parse(text)
    except OSError:
        return empty
    except WardwellError as error:
        return LogState("", 0, "", None, 0, str(error))
    at, size, problem = None, 0, ""
    try:
        note = read_note(witness / "checkpoint")
        at = cosigned_at(note, Verifier.parse(read_note(witness / "vkey").decode(errors="replace").strip()))
        size = Checkpoint.parse(note.decode().split("\n\n")[0] + "\n").size
        if clock.now() - at > oldest:
            problem = "The witness has not signed a checkpoint for too long."
    except OSError:
        problem = "No witness has signed a checkpoint yet."
    except WardwellError as error:
        problem = str(error)
    return LogState(head.origin, head.size, head.root.hex(), at, size, problem)
