"""Who is on the roster, who holds an account, which roles were granted, which slips are out.

Nothing here says whether a person asked for support; whether a vault exists stands in `vault.py`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from appliance.desk.models.base import Base
from appliance.storage import UtcDateTime


class Person(Base):
    """One person of the agency's roster. `handle` was drawn at the first roster and never changes."""

    __tablename__ = "person"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    call_sign: Mapped[str] = mapped_column(String(32))
    unit: Mapped[str] = mapped_column(String(100))
    division: Mapped[str] = mapped_column(String(100))
    duties: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool]


class RosterVersion(Base):
    """One roster taken, and the two people who signed it."""

    __tablename__ = "roster_version"

    version: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))
    headcount: Mapped[int]
    agency_signer: Mapped[str] = mapped_column(String(200))
    trustee_signer: Mapped[str] = mapped_column(String(200))
    leaf_index: Mapped[int]


class DeskAccount(Base):
    """One account. `handle` is the person's for roster people, an own random one for appliance-local accounts.

    `password` is a scrypt line and `sign_in_name` is set for local accounts only; else the directory keeps both.
    `totp_step` is the last accepted time step: nothing as old or older is accepted again.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind in ('directory', 'local')", name="account_kind"),
        CheckConstraint("(kind = 'local') = (password <> '')", name="account_password_only_when_local"),
    )

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    sign_in_name: Mapped[str | None] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password: Mapped[str] = mapped_column(String(300))
    totp_secret: Mapped[str] = mapped_column(String(64))
    totp_step: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Lockout(Base):
    """Failures in a row for one sign-in name or one account. `key` is a SHA-256; unknown names have rows like known."""

    __tablename__ = "lockout"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Grant(Base):
    """A role for a person: proposed by one, countersigned by another, revoked by two again.

    `salt` opens the salted hash by which the ledger's public leaf names the person.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("proposed_by <> countersigned_by", name="grant_two_people"),
        CheckConstraint("revoke_proposed_by <> revoked_by or revoked_by = ''", name="revoke_two_people"),
        Index(
            "ix_role_grant_open",
            "handle",
            "role",
            unique=True,
            sqlite_where=text("revoked_at is null"),
            postgresql_where=text("revoked_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(32))
    salt: Mapped[str] = mapped_column(String(64))
    proposed_by: Mapped[str] = mapped_column(String(200))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    countersigned_by: Mapped[str] = mapped_column(String(200))
    countersigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leaf_index: Mapped[int]
    revoke_proposed_by: Mapped[str] = mapped_column(String(200))
    revoked_by: Mapped[str] = mapped_column(String(200))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Slip(Base):
    """A one-time slip for one person: only its hash. One use for a sign-in code's secret, one for a vault."""

    __tablename__ = "slip"

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(32), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    totp_used: Mapped[bool]
    vault_used: Mapped[bool]


class VouchingCode(Base):
    """One person's word for whose a private space is that was started over: only its hash. Two open the past."""

    __tablename__ = "vouching_code"

    handle: Mapped[str] = mapped_column(String(32), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
