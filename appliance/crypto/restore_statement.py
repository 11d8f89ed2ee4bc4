"""The statement that a log was restored from a backup: what both custody groups sign, and what a witness believes.

Owns: the statement's text, its leaf, and the search for those that explain why a log is shorter or other than before.
Must never see: a private key but the one that it is given to sign with, or who is concerned by an entry.

A restored log lacks what was appended after the backup, which looks like a fork. The statement is a C2SP signed note by
the custody key, which exists only while cards of both groups are combined. Its text has five lines:
`wardwell/v1/restored`, the log's origin, the size and the root (hex) of the checkpoint that was gone back to, and the
time. It explains a fork only back to that checkpoint, and only for histories that ended before it was signed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.crypto.notes import Checkpoint, Signer, Verifier, open_note
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError

KIND = "restored"
# The custody key's verifier form, beside the log, for the witness to pin at its first look.
CUSTODY_KEY = "custody.vkey"
# A clock that is ahead by more than this signs nothing that is believed yet.
AHEAD = timedelta(hours=1)
_CONTEXT = "wardwell/v1/restored"
_READ_AT_ONCE = 4096


@dataclass(frozen=True)
class Restored:
    """One statement: the log went back to `checkpoint` at `at` (aware, UTC)."""

    checkpoint: Checkpoint
    at: datetime

    def sign(self, custody: Signer) -> str:
        """The signed note."""
        head = self.checkpoint
        text = f"{_CONTEXT}\n{head.origin}\n{head.size}\n{head.root.hex()}\n{self.at.isoformat()}\n"
        return custody.sign(text).decode()

    @classmethod
    def read(cls, note: str, custody: Verifier) -> Restored:
        """Read a signed note. Raises WardwellError when it is none, or `custody` did not sign it."""
        context, origin, size, root, at, end = (open_note(note.encode(), custody).split("\n") + [""] * 6)[:6]
        try:
            moment = datetime.fromisoformat(at)
            read = cls(Checkpoint(origin, int(size), bytes.fromhex(root)), moment)
            if context != _CONTEXT or end or moment.tzinfo is None:
                raise ValueError
        except ValueError:
            raise WardwellError("That is not a restore statement.", "Ask custody for the right one.") from None
        return read

    def public(self, note: str) -> dict[str, Any]:
        """What stands in the leaf; `note` is the signed form of this statement."""
        return {"size": self.checkpoint.size, "note": note}


def of_leaf(raw: bytes, custody: Verifier) -> Restored | None:
    """The statement in a leaf's bytes; None when the leaf is another one, or is not signed by `custody`."""
    if f'"{KIND}"'.encode() not in raw:
        return None
    leaf = json.loads(raw)
    if leaf.get("kind") != KIND:
        return None
    try:
        read = Restored.read(str(leaf.get("note")), custody)
    except WardwellError:
        return None
    return read if leaf.get("size") == read.checkpoint.size else None


def explanations(
    log: PublicLog, before: Checkpoint, ended: datetime, now: datetime, custody: Verifier
) -> list[Restored]:
    """The statements in `log` that explain why it does not continue `before`, in the log's order.

    `ended` is when `before` was last seen to be the log; a statement from earlier says nothing about it.
    """
    statements = []
    for start in range(0, log.size, _READ_AT_ONCE):
        for index, raw in enumerate(log.entries(start, min(start + _READ_AT_ONCE, log.size)), start=start):
            stated = of_leaf(raw, custody)
            if stated is None or not later(stated, ended) or stated.at > now + AHEAD:
                continue
            head = stated.checkpoint
            if head.origin == before.origin and head.size <= min(before.size, index) and _continues(log, head):
                statements.append(stated)
    return statements


def later(stated: Restored, ended: datetime) -> bool:
    """Whether the statement was signed after a history that was last seen at `ended`, a cosignature's whole second."""
    return stated.at >= ended + timedelta(seconds=1)


def _continues(log: PublicLog, head: Checkpoint) -> bool:
    if head.size == 0:
        return True
    try:
        log.verify_continues(head)
    except WardwellError:
        return False
    return True
