"""One-time codes (RFC 6238: SHA-1, 6 digits, 30 s, as authenticator apps expect them).

Owns: secrets, the last accepted time step of each account, and the two-step enrolment with a slip. Nothing as old as
the last accepted step is accepted again. Must never see: a password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Literal

import pyotp
from sqlalchemy import update

from appliance import clock
from appliance.account import Account
from appliance.charter import load_charter
from appliance.charter.person_entry import person_entry
from appliance.desk import slips
from appliance.desk.models.people import DeskAccount
from appliance.desk.sign_in import sessions
from appliance.errors import WardwellError
from appliance.spool import log_entries
from appliance.spool.append import append
from appliance.spool.log_entries import AccountChanged
from appliance.storage import Store

STEP_SECONDS = 30
WINDOW = 1  # steps before and after the present one that are accepted (RFC 6238, 5.2)
FAR = 10  # steps within which a code proves that a clock is wrong, not the code

Outcome = Literal["accepted", "wrong", "clock"]


class WrongCode(WardwellError):
    """The code does not belong to the secret that is being set up."""


def _step() -> int:
    return int(clock.now().timestamp()) // STEP_SECONDS


def _matching(secret: str, code: str, reach: int) -> int | None:
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    totp, present = pyotp.TOTP(secret), _step()
    matching = None
    # Every candidate is compared, matching or not: the time taken says nothing.
    for step in range(present - reach, present + reach + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            matching = step
    return matching


def enrolled(store: Store, handle: str) -> bool:
    """Whether the account has a confirmed secret."""
    with store.read() as session:
        row = session.get(DeskAccount, handle)
        return row is not None and row.totp_secret != ""


def accept(store: Store, handle: str, code: str) -> Outcome:
    """Judge `code` for the account; an accepted one is good for no second time.

    "clock" when the code belongs to a moment within five minutes, outside the window and not yet used.
    """
    with store.read() as session:
        row = session.get(DeskAccount, handle)
        if row is None or not row.totp_secret:
            return "wrong"
        secret, last = row.totp_secret, row.totp_step
    step = _matching(secret, code, WINDOW)
    if step is None:
        far = _matching(secret, code, FAR)
        return "clock" if far is not None and far > last else "wrong"
    with store.write() as session:
        # Compare and set in one statement: the same code sent twice at once is accepted once.
        done = session.execute(
            update(DeskAccount)
            .where(DeskAccount.handle == handle, DeskAccount.totp_secret == secret, DeskAccount.totp_step < step)
            .values(totp_step=step)
        )
        return "accepted" if done.rowcount == 1 else "wrong"  # type: ignore[attr-defined]


def begin(store: Store, session_id: str, handle: str, slip: str) -> tuple[str, str]:
    """Start a first or replacement secret with a slip: (secret in base32, otpauth URI). Raises WrongSlip.

    The secret is kept with the session and counts for nothing before `confirm`.
    """
    slip_id = slips.find(store, handle, slip, "totp")
    secret = pyotp.random_base32()
    sessions.remember_pending(store, session_id, secret, slip_id)
    return secret, uri_of(store, handle, secret)


def uri_of(store: Store, handle: str, secret: str) -> str:
    """The otpauth URI of `secret` for an authenticator app."""
    with store.read() as session:
        row = session.get(DeskAccount, handle)
        name = row.name if row is not None else ""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Wardwell")


def confirm(store: Store, current: sessions.CurrentSession, account: Account, code: str) -> None:
    """Take the pending secret when `code` belongs to it; use the slip up, end every other session of the person.

    The ledger has it first: the public leaf `account` with a salted hash, and an entry that the person can read.
    Raises WrongCode, WrongSlip when the slip was used meanwhile, LedgerDown.
    """
    step = _matching(current.pending_totp, code, WINDOW) if current.pending_totp else None
    if step is None:
        raise WrongCode("That code does not fit.", "Wait for the next one in the app, and check the phone's clock.")
    record_change(store, account, "A new secret for sign-in codes was set up with a slip")
    with store.write() as session:
        slips.use_up(session, current.pending_slip, "totp")
        session.execute(
            update(DeskAccount)
            .where(DeskAccount.handle == current.handle)
            .values(totp_secret=current.pending_totp, totp_step=step)
        )
    sessions.end_all(store, current.handle, but=current.id)


def record_change(store: Store, account: Account, note: str) -> None:
    """Put a replaced sign-in or vault into the ledger: a salted hash for everyone, an entry for the person."""
    salt = secrets.token_bytes(32)
    subject = hashlib.sha256(salt + bytes.fromhex(account.id)).hexdigest()
    about = person_entry(load_charter(store.home), account, "account", "own", note=note)
    append(store.home, log_entries.request(AccountChanged(subject=subject), about, [account.id]))
