"""Requests to correct the duty-of-care record, and what the coordinator decided about them.

Owns: structured facts only: which incident, about whom, why (one of a few grounds), by whom, when; and the decision.
Must never see: free text, exposure, anything from a private space.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.desk.models.follow_up import _one_of
from appliance.storage import UtcDateTime

# Why the record is wrong. "other_person": somebody else was there in the place of the one who is listed.
GROUNDS = ("not_there", "not_listed", "other_person", "wrong_call")
# "made": the record was corrected; "kept": it stays as it is.
DECISIONS = ("made", "kept")


class Correction(Base):
    """One request; `reference` and `number` as they were typed, `handle` "" when the roster has no such number."""

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint(_one_of("ground", GROUNDS), name="correction_ground"),
        CheckConstraint(f"decision IS NULL OR {_one_of('decision', DECISIONS)}", name="correction_decision"),
        CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
            name="correction_decided_whole",
        ),
        CheckConstraint("decided_by IS NULL OR decided_by != asked_by", name="correction_not_ones_own"),
    )

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), index=True)
    number: Mapped[str] = mapped_column(String(40))
    handle: Mapped[str] = mapped_column(String(32))
    ground: Mapped[str] = mapped_column(String(16))
    asked_by: Mapped[str] = mapped_column(String(32), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[str | None] = mapped_column(String(8))
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
