"""Every kind of entry of the access log, and the one way to ask the ledger for one.

Owns: the fields of each kind (docs/interfaces.md, "Ledger"), `KINDS`, and `request`, which nobody goes around. Must
never see: who a handle is. A kind is one class here; `KINDS` has each of them, and a test names what a new one lacks:
its handling in the ledger, its words in the report, its line in the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import msgspec

from appliance.spool.messages import About, Append


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One public entry, without `v`, `kind` and `at`, which the ledger sets. Digests and salted hashes are hex.

    `own`: only the ledger itself writes it. `in_browser`: officers' browsers read it too.
    """

    kind: ClassVar[str]
    own: ClassVar[bool] = False
    in_browser: ClassVar[bool] = False


class CharterEntered(Entry, frozen=True):
    """A charter that agency and trustee signed is in force."""

    kind = "charter"
    version: int
    digest: str


class Founded(Entry, frozen=True):
    """The appliance was founded with these keys of agency and officers' trustee (OpenSSH, no comment). Once per log."""

    kind = "founding"
    agency: str
    trustee: str


class RosterTaken(Entry, frozen=True):
    """A roster that agency and trustee signed was taken."""

    kind = "roster"
    version: int
    headcount: int
    sha256: str


class RoleGranted(Entry, frozen=True):
    """A role was granted: by two people (their salted hashes), or by the founding document."""

    kind = "grant"
    role: str
    subject: str
    proposed_by: str = ""
    countersigned_by: str = ""
    founding: bool = False

    def __post_init__(self) -> None:
        by_two = bool(self.proposed_by and self.countersigned_by)
        if by_two == self.founding or (self.founding and (self.proposed_by or self.countersigned_by)):
            raise ValueError("a role is granted by two people or by the founding document")


class RoleRevoked(Entry, frozen=True):
    """A role was taken away by two people."""

    kind = "revoke"
    role: str
    subject: str
    proposed_by: str
    countersigned_by: str


class MailboxKey(Entry, frozen=True):
    """An officer's mailbox key, in base64."""

    kind = "mailbox-key"
    in_browser = True
    handle: str
    key: str


class TicketKey(Entry, frozen=True):
    """The public key that signs tickets of one purpose and period, in base64."""

    kind = "ticket-key"
    in_browser = True
    purpose: str
    period: str
    spki: str


class BoardClosed(Entry, frozen=True):
    """A closed board of sealed post."""

    kind = "board"
    in_browser = True
    epoch: int
    board: str
    sha256: str
    cells: int


class ReleaseMade(Entry, frozen=True):
    """A monthly release; `inputs` has a keyed digest (or null) of each message that it was made from."""

    kind = "release"
    period: str
    sha256: str
    inputs: dict[str, str | None]
    epsilon: int


class AccountChanged(Entry, frozen=True):
    """Somebody's sign-in or private space was replaced."""

    kind = "account"
    subject: str


class HoldChanged(Entry, frozen=True):
    """A legal hold was placed or lifted by two people."""

    kind = "legal-hold"
    act: Literal["placed", "lifted"]
    subject: str


class Erased(Entry, frozen=True):
    """Somebody left, and the private space was destroyed; the salt of `subject` is kept nowhere."""

    kind = "erased"
    subject: str


class VaultVersions(Entry, frozen=True):
    """A commitment to the newest version of every vault; the ledger adds `previous`."""

    kind = "versions"
    in_browser = True
    root: str
    rows: int


class Heads(Entry, frozen=True):
    """A commitment to the number of everybody's last entry, at the end of an epoch."""

    kind = "heads"
    own = True
    in_browser = True
    epoch: int
    root: str
    rows: int


class LogRestored(Entry, frozen=True):
    """The log was restored from a backup, as both custody groups state in the signed `note`."""

    kind = "restored"
    own = True
    in_browser = True
    size: int
    note: str


class PersonCommitment(Entry, frozen=True):
    """A commitment to an entry about a person, whose content is a `PersonEntry`; it has no `at`."""

    kind = "about"
    own = True
    in_browser = True
    commit: str


KINDS: dict[str, type[Entry]] = {entry.kind: entry for entry in Entry.__subclasses__()}


class PersonEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an entry about a person says to that person (`body` on the wire). `appliance.charter.person_entry` makes it.

    `incident` is a reference or "". `everyone`: all who attended that incident have the same entry. `note` is one of
    the product's own phrases, never free text.
    """

    actor: str
    actor_role: str
    category: str
    purpose: str
    outcome: Literal["allowed", "refused"]
    incident: str
    everyone: bool
    note: str


def request(
    entry: Entry | None = None, about: PersonEntry | None = None, handles: Iterable[str] = (), *, forget: str = ""
) -> Append:
    """Ask for the public `entry`, and for `about` in the access log of each of `handles` (once each)."""
    body: dict[str, Any] = msgspec.to_builtins(about)
    return Append(
        kind=PersonCommitment.kind if entry is None else entry.kind,
        public=msgspec.to_builtins(entry),
        about=[About(handle, body) for handle in dict.fromkeys(handles)],
        forget=forget,
    )
