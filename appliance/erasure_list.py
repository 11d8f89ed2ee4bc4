"""The erasure list: who has left, in a form that says nobody's name, so that no restore brings anybody back.

Owns: `desk/erased/list.json` and the secret beside it. An entry is a time and two keyed hashes: of the handle, and of
the handle with the mailbox key that was in use. Without the secret, which no copy of the list carries, it fits nobody.
Desk writes the list before it destroys anything, the backup job copies it beside the backups, and a restore reads every
copy that it finds (docs/backup.md). Must never see: a name, a handle in writing, anything that was erased.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from appliance import clock, durable
from appliance.errors import WardwellError
from appliance.settings import Home

# No backup is older than this; officers are told the date that follows from it.
BACKUP_DAYS = 35
# An entry outlives the last backup that it could be needed for by a week: a job that ran late, a clock that was off.
LIST_DAYS = BACKUP_DAYS + 7
LIST, SECRET = "list.json", "secret"
_SECRET_BYTES = 32


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One erasure: when, the person, the person with the mailbox key of then, and which secret the hashes are under."""

    at: datetime
    person: str
    key: str
    by: str


_decoder = msgspec.json.Decoder(list[Entry])


def folder(home: Home) -> Path:
    """Where the list and its secret lie."""
    return home.folder("desk") / "erased"


def name_of(secret: bytes) -> str:
    """What an entry calls the secret that it was made under."""
    return hashlib.sha256(b"wardwell/v1/erased/secret/" + secret).hexdigest()[:16]


def person_of(secret: bytes, handle: str) -> str:
    """The keyed hash of a handle."""
    return hmac.digest(secret, b"wardwell/v1/erased/person/" + handle.encode(), "sha256").hex()


def key_of(secret: bytes, handle: str, mailbox_key: bytes) -> str:
    """The keyed hash of a handle with one mailbox key: one private space, and no later one of the same person."""
    return hmac.digest(secret, b"wardwell/v1/erased/key/" + handle.encode() + mailbox_key, "sha256").hex()


def new_entry(secret: bytes, handle: str, mailbox_key: bytes) -> Entry:
    """The entry of an erasure that happens now."""
    return Entry(clock.now(), person_of(secret, handle), key_of(secret, handle, mailbox_key), name_of(secret))


def own_secret(home: Home) -> bytes:
    """This appliance's secret, made when there is none. Every backup since carries it, sealed like all of a backup."""
    path = folder(home) / SECRET
    with _alone(home):
        if not path.exists():
            durable.create(path, secrets.token_bytes(_SECRET_BYTES), mode=0o600)
        return path.read_bytes()


def read(path: Path) -> list[Entry]:
    """The entries of a list; none when it is not there. Raises WardwellError when it is damaged."""
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError(
            f"The list of what was erased is damaged: {path}.",
            "Put back the copy that lies beside the backups (erased.json) or in the appliance (desk/erased/list.json).",
        ) from None


def entries(home: Home) -> list[Entry]:
    """This appliance's own list."""
    return read(folder(home) / LIST)


def add(home: Home, entry: Entry) -> None:
    """Put an entry on the list; it is on the disk when this returns."""
    with _alone(home):
        write(folder(home) / LIST, union([entries(home), [entry]]))


def remove(home: Home, entry: Entry) -> None:
    """Take back an entry whose erasure did not happen."""
    with _alone(home):
        write(folder(home) / LIST, [listed for listed in entries(home) if listed != entry])


def drop_old(home: Home) -> int:
    """Drop the entries that no backup can need any more; how many."""
    before = clock.now() - timedelta(days=LIST_DAYS)
    with _alone(home):
        listed = entries(home)
        young = [entry for entry in listed if entry.at > before]
        if len(young) < len(listed):
            write(folder(home) / LIST, young)
    return len(listed) - len(young)


def union(lists: Iterable[Iterable[Entry]]) -> list[Entry]:
    """Every entry once, oldest first."""
    return sorted(
        {entry for entries_of_one in lists for entry in entries_of_one}, key=lambda entry: (entry.at, entry.key)
    )


def write(path: Path, listed: list[Entry]) -> None:
    """Write a list durably, in place of the one that was there; it stays with that one's owner."""
    durable.make_folder(path.parent, 0o700)
    data = msgspec.json.format(msgspec.json.encode(listed)) + b"\n"
    durable.replace(path, data, mode=0o600, owner=durable.owner_of(path))


def _alone(home: Home) -> contextlib.AbstractContextManager[None]:
    durable.make_folder(folder(home), 0o700)
    return durable.locked(folder(home) / ".lock")
