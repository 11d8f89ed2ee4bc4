"""Legal holds: whose identified records are kept beyond their time, for which matter, by which two people.

Owns: codes, people and times only; there is no column for a reason in words. Must never see: a private space.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class Hold(Base):
    """One hold: proposed by one, placed by another, lifted by two again. `salt` opens the ledger's salted hash."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("proposed_by <> placed_by", name="hold_two_people"),
        CheckConstraint("lift_proposed_by <> lifted_by or lifted_by = ''", name="lift_two_people"),
        CheckConstraint("(placed_at is null) = (placed_by = '')", name="hold_placed_whole"),
        CheckConstraint("(lifted_at is null) = (lifted_by = '')", name="hold_lifted_whole"),
        Index(
            "ix_legal_hold_open",
            "handle",
            "matter",
            unique=True,
            sqlite_where=text("lifted_at is null"),
            postgresql_where=text("lifted_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(32))
    matter: Mapped[str] = mapped_column(String(20))
    salt: Mapped[str] = mapped_column(String(64))
    proposed_by: Mapped[str] = mapped_column(String(32))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_by: Mapped[str] = mapped_column(String(32))
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lift_proposed_by: Mapped[str] = mapped_column(String(32))
    lifted_by: Mapped[str] = mapped_column(String(32))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
