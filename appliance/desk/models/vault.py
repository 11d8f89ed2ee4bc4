"""What lies on desk for an officer alone, opaque all of it: vault, deliveries, access-log entries, proofs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage.types import UtcDateTime


class Vault(Base):
    """One encrypted blob per enrolled person, with the age files that wrap its master key, and the mailbox key.

    No time of the last save: one slot without history.
    """

    __tablename__ = "vault"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]
    blob: Mapped[bytes] = mapped_column(LargeBinary)
    wraps: Mapped[dict[str, Any]] = mapped_column(JSON)
    enrolled_on: Mapped[date] = mapped_column(Date)
    mailbox_key: Mapped[bytes] = mapped_column(LargeBinary)
    mailbox_leaf_index: Mapped[int]


class KeptVault(Base):
    """The version kept at a day's last lock; the last five distinct days stay."""

    __tablename__ = "vault_kept"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    version: Mapped[int]
    blob: Mapped[bytes] = mapped_column(LargeBinary)


class VaultVersion(Base):
    """One row of a batch that the access log commits to: which version of a vault was the newest then, and its proof.

    `leaf_index` is -1 while the log has not answered yet; `root` is the same in all rows of a batch.
    """

    __tablename__ = "vault_version"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    leaf_index: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    salt: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    rows: Mapped[int]
    proof: Mapped[list[str]] = mapped_column(JSON)
    root: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Base):
    """One sealed exposure delivery that waits for its officer's next unlock."""

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    handle: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    cycle: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Entry(Base):
    """One sealed entry of a person's access log."""

    __tablename__ = "entry"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    leaf_index: Mapped[int]
    provisional: Mapped[bool]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ProvisionalKey(Base):
    """The provisional key's seed, sealed to the officer's mailbox key; the ledger has no copy any more."""

    __tablename__ = "provisional_key"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Head(Base):
    """The newest heads row of one person with its proof (a HeadProof message's fields)."""

    __tablename__ = "head"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    epoch: Mapped[int]
    proof: Mapped[dict[str, Any]] = mapped_column(JSON)
