"""Intake's tables: who attended which call, as little of it as matching, sealing and counting need.

Must never hold: a narrative, an address, a caller, a name beyond the roster's, a sum or rank about a person.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance.storage import OutboxMixin, SeenMixin, UtcDateTime, UtcSeconds

# Mean seconds of a month: `Involvement.month` only has to be the same for calls of about the same time.
_MONTH = 2_629_746

_MERGED = text("merged_into != ''")


def month_of(received: int) -> int:
    """Months since 1970 of a call received `received` seconds since 1970, all of equal length."""
    return received // _MONTH


class Base(DeclarativeBase):
    """Every table of the intake compartment."""


class Outbox(OutboxMixin, Base):
    """Messages from intake that wait to be spooled."""


class SeenMessage(SeenMixin, Base):
    """Messages to intake that were acted on."""


class TakenFile(Base):
    """One file by its content: taken, or kept in quarantine. The same bytes are never looked at twice."""

    __tablename__ = "taken_file"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    feed: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    taken: Mapped[bool]


class Call(Base):
    """The newest known version of one call. `revision` grows by one with each change.

    `open` until the feed says closed or the call is settled; it never becomes true again. `digest` is that of the
    version's content; empty when it is not known. A call that was merged names the other one and weighs nothing itself.
    """

    __tablename__ = "call"
    id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(40))
    stamp: Mapped[str] = mapped_column(String(40))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    revision: Mapped[int]
    received: Mapped[datetime] = mapped_column(UtcSeconds, index=True)
    type: Mapped[str] = mapped_column(String(40))
    noticed: Mapped[bool]
    open: Mapped[bool]
    merged_into: Mapped[str] = mapped_column(String(40))

    # Partial indexes: few calls are open or merged, and the others cost nothing.
    __table_args__ = (
        UniqueConstraint("feed", "number"),
        CheckConstraint("revision >= 1", name="revision_from_one"),
        Index("ix_call_open", "received", sqlite_where=text("open = 1"), postgresql_where=text("open")),
        Index("ix_call_merged", "feed", "merged_into", sqlite_where=_MERGED, postgresql_where=_MERGED),
    )


class Involvement(Base):
    """One person at one call; `role` as `appliance.intake.read.matching` gives it, `month` as `month_of` counts it.

    Stored in the order of calls, and found by month and person: a day's rows touch the pages of that day and month
    alone, however many years are held.
    """

    __tablename__ = "involvement"
    __table_args__ = (Index("ix_involvement_month_person", "month", "person_id"), {"sqlite_with_rowid": False})
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    month: Mapped[int]
    unit: Mapped[str] = mapped_column(String(20))
    role: Mapped[str] = mapped_column(String(12))
    start: Mapped[datetime] = mapped_column(UtcSeconds)
    end: Mapped[datetime | None] = mapped_column(UtcSeconds)


class Part(Base):
    """One unit at one call, for the unit log to say whose; kept only where there is one. Fields as `records.Part`.

    `person_id` is somebody whom the feed itself names on the unit, "" when the crew is to be found.
    """

    __tablename__ = "part"
    __table_args__ = (Index("ix_part_unit_start", "unit", "start"), {"sqlite_with_rowid": False})
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    unit: Mapped[str] = mapped_column(String(20), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    start: Mapped[datetime] = mapped_column(UtcSeconds)
    end: Mapped[datetime | None] = mapped_column(UtcSeconds)
    lead: Mapped[str] = mapped_column(String(40))
    roster: Mapped[str] = mapped_column(String(40))


class UnitShift(Base):
    """One row of the unit log: who was on a unit from `start` until before `end`; "" for nobody on the roster.

    `stamp` is that of the newest log that says so. `replaced`: a later log says otherwise of the same shift.
    """

    __tablename__ = "unit_shift"
    __table_args__ = (
        Index("ix_unit_shift_person", "person_id", "start"),
        Index("ix_unit_shift_start", "start"),
        {"sqlite_with_rowid": False},
    )
    unit: Mapped[str] = mapped_column(String(20), primary_key=True)
    start: Mapped[datetime] = mapped_column(UtcSeconds, primary_key=True)
    end: Mapped[datetime] = mapped_column(UtcSeconds, primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    stamp: Mapped[str] = mapped_column(String(40))
    replaced: Mapped[bool]


class RosterRow(Base):
    """One person of the current roster, as desk published it."""

    __tablename__ = "roster_row"
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    handle: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    call_sign: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(80))
    division: Mapped[str] = mapped_column(String(80))
    roster_version: Mapped[int]


class MailboxKey(Base):
    """An officer's mailbox key. `witnessed` only after its ledger leaf was seen in a cosigned checkpoint.

    `since`: no call that was received before is sealed to it; set for a key that replaced another.
    """

    __tablename__ = "mailbox_key"
    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), index=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int]
    witnessed: Mapped[bool]
    since: Mapped[datetime | None] = mapped_column(UtcSeconds)


class Held(Base):
    """A person under a legal hold: their involvement and shifts do not expire."""

    __tablename__ = "held"
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)


class Waiting(Base):
    """A contribution (JSON) that the next delivery to `handle` will carry; gone once it is sealed."""

    __tablename__ = "waiting"
    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(32), index=True)
    contribution: Mapped[bytes] = mapped_column(LargeBinary)


class CountedPeriod(Base):
    """A month whose group counts went to press; they go once."""

    __tablename__ = "counted_period"
    period: Mapped[str] = mapped_column(String(7), primary_key=True)


class State(Base):
    """Single facts: "secret" (for contribution ids); "cycle" (number of the last), "cycle_due", "cycle_day"; "unit_log"
    (that one is kept)."""

    __tablename__ = "state"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(String(80))
