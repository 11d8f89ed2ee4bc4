"""Ticket keys, and that a session has drawn its tickets: a number of rows that is the same for everybody."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base


class TicketKey(Base):
    """The key of one purpose and period. `leaf_index` is None until the ledger has it; no ticket is signed before."""

    __tablename__ = "ticket_key"

    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    private: Mapped[bytes] = mapped_column(LargeBinary)
    spki: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int | None]


class TicketDraw(Base):
    """A session has drawn its tickets of one purpose. The row goes when the session goes."""

    __tablename__ = "ticket_draw"

    session_id: Mapped[str] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE", onupdate="CASCADE"), primary_key=True
    )
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
