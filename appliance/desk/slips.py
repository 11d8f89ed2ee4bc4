"""One-time slips: what the officers' trustee hands over in person, and what a new sign-in or vault needs.

Owns: issuing, recognizing and using up slips. A slip belongs to one person and is good for 14 days. It has two uses,
one of each kind: one first or replacement secret for sign-in codes, and one first or replacement vault with its mailbox
key. A new slip for the same person ends the earlier one. Only the SHA-256 of a slip is stored (100 random bits need no
slow hash), so nobody, the administrator included, can list slips. Must never see: what a use leads to.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from appliance import clock
from appliance.desk.models.people import DeskAccount, Person, Slip
from appliance.errors import WardwellError
from appliance.storage import Store

DAYS = 14
GROUPS, GROUP = 4, 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\u2013": None})

Use = Literal["totp", "vault"]


@dataclass(frozen=True)
class Issued:
    """A slip in clear, once: `code` is four groups of five characters."""

    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "Issued(code=<secret>)"


class WrongSlip(WardwellError):
    """Not this person's slip, used up, or too old; which of them is not said."""

    def __init__(self) -> None:
        super().__init__("That slip is not valid here.", "Check each character, or ask the officers' trustee for one.")


def _normal(code: str) -> str:
    return code.upper().translate(_MEANT)


def _hash(code: str) -> bytes:
    return hashlib.sha256(b"wardwell/v1/slip/" + _normal(code).encode()).digest()


def looks_like_slip(code: str) -> bool:
    """Whether `code` has the form of a slip (and so is no six-digit code)."""
    normal = _normal(code)
    return len(normal) == GROUPS * GROUP and set(normal) <= set(_ALPHABET)


def new_code() -> str:
    """A fresh slip: four groups of five characters, 100 random bits."""
    characters = [secrets.choice(_ALPHABET) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(characters[i : i + GROUP]) for i in range(0, len(characters), GROUP))


def digest(code: str) -> str:
    """What is stored of a slip, in hex: 100 random bits need no stretching."""
    return _hash(code).hex()


def issue(store: Store, handle: str) -> Issued:
    """Make a slip for the person of `handle`; earlier ones of that person end. Raises WardwellError for nobody.

    Call it as `reveal`'s `load`: the person's access log says that a slip was issued before there is one.
    """
    code, until = new_code(), clock.now() + timedelta(days=DAYS)
    enter(store, handle, digest(code), until)
    return Issued(code, until)


def enter(store: Store, handle: str, code_digest: str, until: datetime) -> None:
    """Store the hash of a slip that the trustee made, in place of earlier ones of that person. As `issue` otherwise."""
    with store.write() as session:
        person = session.get(Person, handle)
        if (person is None or not person.active) and session.get(DeskAccount, handle) is None:
            raise WardwellError("There is no such person.", "Take the roster first, or make the local account.")
        session.execute(delete(Slip).where(Slip.handle == handle))
        session.add(
            Slip(
                handle=handle,
                code_hash=bytes.fromhex(code_digest),
                issued_at=clock.now(),
                expires_at=until,
                totp_used=False,
                vault_used=False,
            )
        )


def find(store: Store, handle: str, code: str, use: Use) -> int:
    """The slip's id when it is this person's, not too old, and not yet used for `use`. Raises WrongSlip."""
    with store.read() as session:
        row = session.scalar(select(Slip).where(Slip.code_hash == _hash(code), Slip.handle == handle))
        used = row is None or (row.totp_used if use == "totp" else row.vault_used)
        if row is None or used or row.expires_at <= clock.now():
            raise WrongSlip
        return row.id


def use_up(session: Session, slip_id: int, use: Use) -> None:
    """Use a slip up, in the transaction of what it was good for. Raises WrongSlip when somebody was faster."""
    column = Slip.totp_used if use == "totp" else Slip.vault_used
    done = session.execute(
        update(Slip).where(Slip.id == slip_id, column.is_(False), Slip.expires_at > clock.now()).values({column: True})
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongSlip


def count_open(store: Store) -> int:
    """How many slips are out and good for something; for the trustee's page, without saying whose."""
    with store.read() as session:
        good = select(func.count()).where(
            Slip.expires_at > clock.now(), or_(Slip.totp_used.is_(False), Slip.vault_used.is_(False))
        )
        return int(session.scalar(good) or 0)


def clean(store: Store) -> None:
    """Delete slips that are good for nothing any more."""
    with store.write() as session:
        used_up = Slip.totp_used.is_(True) & Slip.vault_used.is_(True)
        session.execute(delete(Slip).where(or_(Slip.expires_at <= clock.now(), used_up)))
