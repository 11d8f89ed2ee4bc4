"""What became of each dropped file, for the CAD administrator's page.

Owns: counts, and where and why a row was refused. Must never see: what a row said.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class Receipt(Base):
    """One dropped file: taken or in quarantine, and its counts."""

    __tablename__ = "receipt"

    id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    taken: Mapped[bool] = mapped_column(Boolean)
    rows: Mapped[int] = mapped_column(Integer)
    calls: Mapped[int] = mapped_column(Integer)
    updates: Mapped[int] = mapped_column(Integer)
    repeats: Mapped[int] = mapped_column(Integer)
    involvements: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    flagged_times: Mapped[int] = mapped_column(Integer, server_default="0")
    chosen: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    # Only what would have become of the file: nothing of it was kept.
    dry_run: Mapped[bool] = mapped_column(Boolean, server_default="0", default=False)


class RefusedLine(Base):
    """One row that was not taken; `line` 0 means the whole file."""

    __tablename__ = "receipt_refused"

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id", ondelete="CASCADE"), index=True)
    file: Mapped[str] = mapped_column(String(255))
    line: Mapped[int] = mapped_column(Integer)
    column: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(String(1000))


class Unmapped(Base):
    """A unit or a call type in a file that the feed profile has no place for, and how often it stood there."""

    __tablename__ = "receipt_unmapped"

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(255))
    count: Mapped[int] = mapped_column(Integer)
    # Ids of the canonical types that a call type may mean, the likeliest first.
    nearest: Mapped[list[str]] = mapped_column(JSON, server_default="[]", default=list)
