"""Intake's tables: who attended which call, as little of it as matching, sealing and counting need.

Must never hold: a narrative, an address, a caller, a name beyond the roster's, a sum or rank about a person.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance.storage import OutboxMixin, SeenMixin, UtcDateTime


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
    """The newest known version of one call. `revision` grows by one with each change."""

    __tablename__ = "call"
    __table_args__ = (UniqueConstraint("feed", "number"), CheckConstraint("revision >= 1", name="revision_from_one"))
    id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(40))
    stamp: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int]
    received: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    type: Mapped[str] = mapped_column(String(40))
    noticed: Mapped[bool]


class Involvement(Base):
    """One person at one call; `role` as `appliance.intake.matching` gives it."""

    __tablename__ = "involvement"
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    unit: Mapped[str] = mapped_column(String(20))
    role: Mapped[str] = mapped_column(String(12))
    start: Mapped[datetime] = mapped_column(UtcDateTime)
    end: Mapped[datetime | None] = mapped_column(UtcDateTime)


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
    """An officer's mailbox key. `witnessed` only after its ledger leaf was seen in a cosigned checkpoint."""

    __tablename__ = "mailbox_key"
    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40), index=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int]
    witnessed: Mapped[bool]


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
    """Single facts: "secret" (for contribution ids); "cycle" (number of the last), "cycle_due", "cycle_day"."""

    __tablename__ = "state"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(String(80))
