"""The ledger's tables: leaves, what it must remember per handle, and the spool's two.

Owns: the ledger's schema. Must never see: an employee number or a name; people stand here as random handles, and what
an entry says is never stored, only sent on sealed.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance.storage import OutboxMixin, SeenMixin


class Base(DeclarativeBase):
    """The ledger's models."""


class Leaf(Base):
    """One leaf of the tree, in order; the tree and its files are made from these and from nothing else."""

    __tablename__ = "leaf"
    __table_args__ = (CheckConstraint("position >= 0", name="position_counts_from_zero"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Person(Base):
    """What the next entry about one handle needs: number and hash of the last, and the key to seal to.

    `key` is a mailbox key in a witnessed checkpoint. `waiting_key` is one whose leaf is not witnessed yet; entries go
    to the provisional key until it is. `provisional_seed` is null once it was handed over.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("(waiting_key IS NULL) = (waiting_position IS NULL)", name="waiting_key_has_its_leaf"),
        CheckConstraint("last_sequence >= 0", name="sequence_counts_up"),
    )

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_sequence: Mapped[int] = mapped_column(default=0)
    last_commit: Mapped[str] = mapped_column(String(64), default="0" * 64)
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    waiting_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    waiting_position: Mapped[int | None] = mapped_column()
    provisional_seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    provisional_public: Mapped[bytes | None] = mapped_column(LargeBinary)


class TicketKey(Base):
    """Which leaf named the ticket key of a purpose and period; there is only ever one."""

    __tablename__ = "ticket_key"

    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)


class Outbox(OutboxMixin, Base):
    """Messages to desk, committed with their leaf."""


class Seen(SeenMixin, Base):
    """Messages that were acted on."""
