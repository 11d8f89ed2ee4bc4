"""Accounts: who somebody is once the password was right, and the passwords of appliance-local accounts.

Owns: account rows, scrypt lines, the roles that count now. A directory account is made at the first sign-in of a person
on the roster; clinicians and outside trustees have local accounts, never directory entries. Must never see: a directory
password (`directory.py` alone does).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.account import Account
from appliance.desk.models.people import DeskAccount, Grant, Person
from appliance.errors import WardwellError
from appliance.storage import Store

# RFC 7914 scrypt at N = 2^16, r = 8, p = 1: 64 MiB and about 0.2 s, OWASP's line for 2023 and later.
_LOG_N, _R, _P = 16, 8, 1
_MEMORY = 128 * _R * (2**_LOG_N) * 2
SHORTEST_PASSWORD = 12


def normal_name(name: str) -> str:
    """The form under which a sign-in name is compared and counted: directories ignore case and outer spaces too."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _scrypt(password: str, salt: bytes, log_n: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**log_n, r=_R, p=_P, maxmem=_MEMORY, dklen=32)


def hash_password(password: str) -> str:
    """A scrypt line `scrypt$16$SALT$HASH` (base64). Raises WardwellError when the password is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise WardwellError(
            f"That password is shorter than {SHORTEST_PASSWORD} characters.", "Choose a longer one; words are fine."
        )
    salt = secrets.token_bytes(16)
    parts = ("scrypt", str(_LOG_N), *(base64.b64encode(p).decode() for p in (salt, _scrypt(password, salt, _LOG_N))))
    return "$".join(parts)


def password_fits(line: str, password: str) -> bool:
    """Whether `password` is the one behind a scrypt line. Raises ValueError for a damaged line."""
    kind, log_n, salt, expected = line.split("$")
    if kind != "scrypt" or int(log_n) > 20:
        raise ValueError("not a scrypt line")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt), int(log_n)), base64.b64decode(expected))


def add_local(store: Store, sign_in_name: str, name: str, password_line: str, *, handle: str = "") -> str:
    """Make an appliance-local account without any role; returns its handle.

    `password_line` comes from `hash_password`. It can do nothing before two people grant it a role and the trustee
    hands over a slip. Raises WardwellError when the name is taken.
    """
    handle = handle or secrets.token_hex(16)
    with store.write() as session:
        wanted = normal_name(sign_in_name)
        if session.scalar(select(DeskAccount).where(DeskAccount.sign_in_name == wanted)) is not None:
            raise WardwellError("That sign-in name is taken.", "Choose another.")
        session.add(
            DeskAccount(
                handle=handle,
                kind="local",
                sign_in_name=wanted,
                name=name,
                password=password_line,
                totp_secret="",
                totp_step=0,
                created_at=clock.now(),
            )
        )
    return handle


def find_local(store: Store, sign_in_name: str) -> tuple[str, str] | None:
    """(handle, scrypt line) of a local account, or None."""
    with store.read() as session:
        row = session.scalar(select(DeskAccount).where(DeskAccount.sign_in_name == normal_name(sign_in_name)))
        return (row.handle, row.password) if row is not None else None


def of_person(store: Store, person_id: str) -> str | None:
    """The handle of the account of a person on the present roster, made now when it is the first sign-in; else None."""
    with store.read() as session:
        person = session.scalar(select(Person).where(Person.person_id == person_id, Person.active))
        if person is None:
            return None
        handle, name = person.handle, person.name
        if session.get(DeskAccount, handle) is not None:
            return handle
    with store.write() as session:
        if session.get(DeskAccount, handle) is None:
            session.add(
                DeskAccount(
                    handle=handle,
                    kind="directory",
                    sign_in_name=None,
                    name=name,
                    password="",
                    totp_secret="",
                    totp_step=0,
                    created_at=clock.now(),
                )
            )
    return handle


def roles_of(session: Session, handle: str) -> frozenset[str]:
    """The roles that count now: granted, countersigned and not revoked; "officer" for people on the present roster."""
    granted = session.scalars(
        select(Grant.role).where(
            Grant.handle == handle, Grant.countersigned_at.is_not(None), Grant.revoked_at.is_(None)
        )
    )
    person = session.get(Person, handle)
    officer = {"officer"} if person is not None and person.active else set()
    return frozenset(granted) | officer


def load(store: Store, handle: str) -> Account | None:
    """The account of `handle` with its present roles, or None."""
    with store.read() as session:
        row = session.get(DeskAccount, handle)
        if row is None:
            return None
        person = session.get(Person, handle)
        if row.kind == "directory" and (person is None or not person.active):
            return None  # left the agency: every session dies with the roster that says so
        return Account(handle, person.name if person else row.name, roles_of(session, handle), handle)
