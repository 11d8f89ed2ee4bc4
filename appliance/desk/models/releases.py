"""Monthly releases and signed reports as press made them.

Owns: the bytes, unchanged. Must never see: a figure that is not in a release.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class Release(Base):
    """One month's release: canonical JSON, and its leaf in the ledger."""

    __tablename__ = "release"

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int] = mapped_column(Integer)
    arrived: Mapped[datetime] = mapped_column(UtcDateTime)


class Report(Base):
    """One requested report. While press works on it there are no bytes; `problem` says why there are none after."""

    __tablename__ = "report"

    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    requested: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    made: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary)
    json: Mapped[bytes | None] = mapped_column(LargeBinary)
    json_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    pdf_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    problem: Mapped[str] = mapped_column(String(1000))
