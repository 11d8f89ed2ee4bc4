"""Post's tables: which epoch it is and which boards exist. Nothing about a cell, a ticket or a request is a row."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from appliance.storage import OutboxMixin


class Base(DeclarativeBase):
    """Every table of the post compartment."""


class Outbox(OutboxMixin, Base):
    """Messages from post that wait to be spooled."""


class EpochState(Base):
    """The one row: the open epoch, the day it was opened, and the closed epoch whose boards are not out yet."""

    __tablename__ = "epoch_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_epoch"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    opened_day: Mapped[str] = mapped_column(String(10))
    publishing: Mapped[int | None]


class Board(Base):
    """A closed board: its digest (hex) and its leaf in the ledger."""

    __tablename__ = "board"

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    cells: Mapped[int]
    leaf_index: Mapped[int]
