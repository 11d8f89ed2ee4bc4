"""Everything that crosses between two compartments of Wardwell. There is nothing else.

Read this file to know what one part of the appliance can ever learn from another. Each message names its sender
and its receiver. `bytes` named `sealed` were sealed in the sender to a key that the receiver does not have.

- `person_id` is the roster's employee number, as the agency's own CAD and roster use it.
- `handle` is a random id of one person on this appliance (32 hex digits); it stands in the ledger instead of a name.
- Times are aware and UTC. `period` is a month, "2026-10". Wire format: JSON, one tagged object per message.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

VERSION = 1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="message", tag=True, kw_only=True):
    """What every message carries."""

    crosses: ClassVar[tuple[str, str]]
    version: int = VERSION


# --- intake -> desk --------------------------------------------------------------------------------------------------


class Attended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person at one incident. `role` is "primary", "responding" or "dispatch"."""

    person_id: str
    role: str
    start: datetime
    end: datetime | None


class IncidentNotice(Message, frozen=True):
    """A critical incident: its canonical type, its time, who attended, which units nobody could be matched to.

    No place, no narrative, no names of the public. A later notice with the same reference and a higher `revision`
    replaces the earlier one.
    """

    crosses = ("intake", "desk")
    reference: str
    revision: int
    kind: str
    occurred: datetime
    attended: list[Attended]
    unmatched_units: list[str]


class SealedExposure(Message, frozen=True):
    """One delivery to one officer's mailbox: `kind` "delta" (every cycle, equal size) or "history" (at enrolment)."""

    crosses = ("intake", "desk")
    handle: str
    kind: str
    cycle: int
    sealed: bytes


class RefusedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row or file that was not taken: where and why, never what it said. `line` 0 means the whole file."""

    file: str
    line: int
    column: str
    reason: str


# A dropped file whose name ends so is read, matched and accounted for like every other, and nothing of it is kept.
DRY_RUN = ".dry-run"


class FileReceipt(Message, frozen=True):
    """What became of one dropped file, for the CAD administrator's page.

    `refused` lists the first of `refused_rows`. `chosen` says in sentences how the file was read (encoding, delimiter,
    sheet, and why); `flagged_times` counts times whose hour a clock change left open. `nearest_types` has the canonical
    types that an unmapped code may mean, the likeliest first. `dry_run`: it says what would have become of it.
    """

    crosses = ("intake", "desk")
    feed: str
    file: str
    sha256: str
    at: datetime
    taken: bool
    rows: int
    calls: int
    updates: int
    repeats: int
    involvements: int
    refused: list[RefusedRow]
    unmapped_units: dict[str, int]
    unmapped_types: dict[str, int]
    refused_rows: int = 0
    flagged_times: int = 0
    chosen: list[str] = []
    nearest_types: dict[str, list[str]] = {}
    dry_run: bool = False


# --- desk -> intake --------------------------------------------------------------------------------------------------


class RosterPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the agency's roster, as far as matching units and rolling up groups needs it."""

    person_id: str
    handle: str
    name: str
    call_sign: str
    unit: str
    division: str


class RosterPublished(Message, frozen=True):
    """The whole roster, whenever two people signed a new one. Replaces the earlier one."""

    crosses = ("desk", "intake")
    roster_version: int
    people: list[RosterPerson]


class MailboxKeyPublished(Message, frozen=True):
    """An officer's mailbox key, with the index of the ledger leaf that names it; intake seals to no other key."""

    crosses = ("desk", "intake")
    person_id: str
    handle: str
    public_key: bytes
    leaf_index: int


class HistoryReleased(Message, frozen=True):
    """Two people vouched for whose a replaced key is: intake seals what was before to it as well."""

    crosses = ("desk", "intake")
    handle: str


class MailboxKeyWithdrawn(Message, frozen=True):
    """An officer left: intake forgets the mailbox key and what waits to be sealed to it, and tells nobody."""

    crosses = ("desk", "intake")
    person_id: str
    handle: str


class LegalHold(Message, frozen=True):
    """Two people placed or lifted a legal hold: this person's attendance at calls does not expire, or does again."""

    crosses = ("desk", "intake")
    person_id: str
    held: bool


# --- intake -> press, desk -> press: only groups of the floor or more ever cross -------------------------------------


class GroupCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group of the floor or more: its path ("Agency/Patrol/Day watch"), roster headcount, and counts by name.

    Headcount and counts include everyone at or below the path, so a parent covers its children; `press` decides which
    groups may stand beside each other. No group at all means that the whole agency is below the floor.
    """

    group: str
    headcount: int
    counts: dict[str, int]


class HeavyCallCounts(Message, frozen=True):
    """Attendances at heavy calls per group for one month (`counts`: "heavy_calls"). Counted in memory, floor obeyed.

    `withheld` names the groups that do not cross, each with the reason (`appliance.rules.suppression`), and no number.
    """

    crosses = ("intake", "press")
    period: str
    roster_version: int
    groups: list[GroupCount]
    feed_days_missing: int
    withheld: dict[str, str] = {}


class FollowUpCounts(Message, frozen=True):
    """Follow-up steps per group for one month (`counts`: "steps_due", "steps_on_time"). Floor obeyed.

    `withheld` as in HeavyCallCounts.
    """

    crosses = ("desk", "press")
    period: str
    roster_version: int
    groups: list[GroupCount]
    withheld: dict[str, str] = {}


class Practices(Message, frozen=True):
    """Facts with no person behind them, shown at any size: name -> value, as words for a page."""

    crosses = ("desk", "press")
    period: str
    facts: dict[str, str]


class ReportRequested(Message, frozen=True):
    """The auditor's page asks for a signed report over a period (dates "2026-10-01", both included)."""

    crosses = ("desk", "press")
    request_id: str
    first_day: str
    last_day: str


# --- press -> desk ---------------------------------------------------------------------------------------------------


class ReleasePublished(Message, frozen=True):
    """One monthly release: the canonical JSON that everyone is shown, and its leaf in the ledger."""

    crosses = ("press", "desk")
    period: str
    release: bytes
    leaf_index: int


class ReportPublished(Message, frozen=True):
    """A signed report: PDF, canonical JSON, detached SSHSIG over the JSON and over the PDF; or why there is none."""

    crosses = ("press", "desk")
    request_id: str
    first_day: str
    last_day: str
    pdf: bytes
    json: bytes
    json_signature: bytes
    pdf_signature: bytes
    problem: str


# --- ledger -> desk --------------------------------------------------------------------------------------------------


class SealedEntry(Message, frozen=True):
    """One ledger entry about one person, sealed to that person's key (or to the provisional key before enrolment)."""

    crosses = ("ledger", "desk")
    handle: str
    sequence: int
    leaf_index: int
    provisional: bool
    sealed: bytes


class ProvisionalKeyHandedOver(Message, frozen=True):
    """The seed of the provisional key, sealed to the officer's new mailbox key; the ledger has destroyed its copy."""

    crosses = ("ledger", "desk")
    handle: str
    sealed: bytes


class HeadProof(Message, frozen=True):
    """One officer's row under a heads leaf: with it the browser proves that none of its entries is missing."""

    crosses = ("ledger", "desk")
    handle: str
    epoch: int
    leaf_index: int
    last_sequence: int
    key_hash: str
    salt: str
    position: int
    rows: int
    proof: list[str]


class Forgotten(Message, frozen=True):
    """The ledger forgot one person's key and numbering, as desk asked when that person left.

    It follows everything that the ledger had sent about that person; what comes after it is new.
    """

    crosses = ("ledger", "desk")
    handle: str


# --- post -> ledger (spooled): the epoch turns ------------------------------------------------------------


class EpochTurned(Message, frozen=True):
    """Post closed an epoch: the ledger writes its heads leaf for it."""

    crosses = ("post", "ledger")
    epoch: int


# --- any -> desk: health for the status page -------------------------------------------------------------------------


class Health(Message, frozen=True):
    """One compartment's health, for the administrator's page: counts and words, nothing about a person."""

    crosses = ("any", "desk")
    compartment: str
    at: datetime
    ok: bool
    facts: dict[str, str]
    fix: str


# --- the one synchronous crossing: any -> ledger, on its unix socket -------------------------------------------------


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one person's entry will say to that person. The ledger seals it and keeps only a commitment in the tree."""

    handle: str
    body: dict[str, Any]


class Append(Message, frozen=True):
    """Append before revealing. `public` is a leaf anyone may read (no person in it); `about` are people's entries.

    `forget`, with a leaf `erased` alone: the handle of a person who left and whose key and numbering go.
    """

    crosses = ("any", "ledger")
    kind: str
    public: dict[str, Any] | None = None
    about: list[About] = []
    forget: str = ""


class Appended(Message, frozen=True):
    """The ledger has the entries on disk: index of the public leaf (or -1), indexes per handle, and the tree size."""

    crosses = ("ledger", "any")
    public_index: int
    about_indexes: dict[str, int]
    tree_size: int


class Refused(Message, frozen=True):
    """The ledger did not append; nothing may be disclosed."""

    crosses = ("ledger", "any")
    reason: str


AnyMessage = (
    IncidentNotice
    | SealedExposure
    | FileReceipt
    | RosterPublished
    | MailboxKeyPublished
    | HistoryReleased
    | MailboxKeyWithdrawn
    | LegalHold
    | HeavyCallCounts
    | FollowUpCounts
    | Practices
    | ReportRequested
    | ReleasePublished
    | ReportPublished
    | SealedEntry
    | ProvisionalKeyHandedOver
    | HeadProof
    | Forgotten
    | EpochTurned
    | Health
)
