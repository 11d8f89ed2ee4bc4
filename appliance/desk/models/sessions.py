"""Sessions, kept on the server: of the token only its SHA-256, of the person only the handle."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class SessionRow(Base):
    """One session. `id` is a random name that other tables may use; it opens nothing.

    `state`: "code" (password right, code awaited), "needs_slip" (password right, no code's secret yet), "ready".
    `pending_totp` is a secret shown but not yet confirmed.
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("kind in ('staff', 'space')", name="session_kind"),
        CheckConstraint("state in ('code', 'needs_slip', 'ready')", name="session_state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    handle: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    pending_totp: Mapped[str] = mapped_column(String(64))
    pending_slip: Mapped[int]
