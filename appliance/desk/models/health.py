"""The newest health of each compartment, for the administrator's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class HealthRow(Base):
    """What one compartment last said of itself; nothing about a person."""

    __tablename__ = "health"

    compartment: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ok: Mapped[bool]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    fix: Mapped[str] = mapped_column(String(500))
