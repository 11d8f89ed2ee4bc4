"""Press's tables: what arrived for a month, the releases made, the reports asked for.

Owns: the rows behind releases and reports. Must never see: a row about one person; the messages name groups only.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance.storage import OutboxMixin, SeenMixin, UtcDateTime


class Base(DeclarativeBase):
    """Every table of the press compartment."""


class Outbox(OutboxMixin, Base):
    """Messages from press that wait to be spooled."""


class SeenMessage(SeenMixin, Base):
    """Messages to press that were acted on."""


class Input(Base):
    """The newest message of one kind for one month, in its wire form; fixed once the month's release is made."""

    __tablename__ = "release_input"
    __table_args__ = (CheckConstraint("kind IN ('heavy_calls', 'follow_up', 'practices')", name="input_kind"),)

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Release(Base):
    """One month's release: its bytes, made once. `leaf_index` and `published_at` follow when the ledger has it."""

    __tablename__ = "monthly_release"

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leaf_index: Mapped[int | None]
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReportRequest(Base):
    """A report that the auditor's page asked for and that is not made yet."""

    __tablename__ = "report_request"

    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
