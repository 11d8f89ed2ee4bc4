"""Follow-up of critical incidents: who attended, which steps are due, what was offered.

Owns: structured facts only, and the constraints that keep them so. Must never see: whether anything was accepted, an
outcome, free text, a place, a narrative. There is no column for any of these, and a test looks for one.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime

# How something was offered. "to_all" is one message that went to everyone who attended.
WAYS = ("in_person", "phone", "to_all")
# What became of a unit that the feed could not match.
RESOLUTIONS = ("person_added", "not_a_person")
ROLES = ("primary", "responding", "dispatch", "added")
SOURCES = ("feed", "hand")
STEPS = ("relief", "medical_check", "equipment", "return_check", "contact")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class Incident(Base):
    """A critical incident: reference, canonical type, times. `closed` closes it for all who attended alike."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(_one_of("source", SOURCES), name="incident_source"),
        CheckConstraint("(source = 'hand') = (opened_by IS NOT NULL)", name="incident_by_hand"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    revision: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(64))
    occurred: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(8))
    opened: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by: Mapped[str | None] = mapped_column(String(32))
    closed: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class Attendance(Base):
    """One person at one incident, from the feed or added by hand. The times are the feed's, never the steps'."""

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("incident_id", "handle", name="attendance_once"),
        CheckConstraint(_one_of("role", ROLES), name="attendance_role"),
        CheckConstraint(_one_of("source", SOURCES), name="attendance_source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    handle: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(8))
    started: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Step(Base):
    """One step due to one person. `offered_at`, `offered_by`, `how` say that it was offered; `reached` false that the
    offer did not reach the person. Nothing here says what the person answered.
    """

    __tablename__ = "follow_up_step"
    __table_args__ = (
        UniqueConstraint("attendance_id", "name", "hours", name="step_once"),
        CheckConstraint(_one_of("name", STEPS), name="step_name"),
        CheckConstraint("hours > 0", name="step_hours"),
        CheckConstraint(f"how IS NULL OR {_one_of('how', WAYS)}", name="step_how"),
        CheckConstraint(
            "(offered_at IS NULL) = (offered_by IS NULL) AND (offered_at IS NULL) = (how IS NULL)"
            " AND (offered_at IS NULL) = (reached IS NULL)",
            name="step_offered_whole",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attendance_id: Mapped[int] = mapped_column(ForeignKey("attendance.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(16))
    hours: Mapped[int] = mapped_column(Integer)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    offered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offered_by: Mapped[str | None] = mapped_column(String(32))
    how: Mapped[str | None] = mapped_column(String(16))
    reached: Mapped[bool | None] = mapped_column(Boolean)


class UnmatchedUnit(Base):
    """A unit at an incident that the feed could not match to a person, until somebody says what it was."""

    __tablename__ = "unmatched_unit"
    __table_args__ = (
        UniqueConstraint("incident_id", "unit", name="unmatched_once"),
        CheckConstraint(f"resolution IS NULL OR {_one_of('resolution', RESOLUTIONS)}", name="unmatched_resolution"),
        CheckConstraint("(resolution IS NULL) = (resolved_at IS NULL)", name="unmatched_resolved_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    unit: Mapped[str] = mapped_column(String(64))
    resolution: Mapped[str | None] = mapped_column(String(16))
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ClosingRecord(Base):
    """What stands about one person's follow-up when the incident is closed: canonical JSON, padded to one size."""

    __tablename__ = "closing_record"
    __table_args__ = (UniqueConstraint("incident_id", "handle", name="closing_once"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    handle: Mapped[str] = mapped_column(String(32))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class FollowUpMonth(Base):
    """A month whose follow-up counts and practices went to press; it goes once."""

    __tablename__ = "follow_up_month"

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
