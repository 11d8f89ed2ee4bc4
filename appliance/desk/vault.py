"""Vaults: one opaque blob per person, its wraps and its mailbox key. Desk cannot open any of it.

Owns: enrolment, compare-and-swap saves, the versions kept at lock. Every blob has exactly the size that the years since
enrolment give, so that nothing about its content shows. Must never see: a master key, a passphrase, a seed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

import appliance.rules
from appliance import clock
from appliance.account import Account
from appliance.crypto.sealing import PUBLIC_KEY_BYTES, seal
from appliance.desk import slips
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import Person
from appliance.desk.models.vault import Delivery, KeptVault, ProvisionalKey, Vault, VaultVersion
from appliance.desk.sign_in import totp
from appliance.errors import WardwellError
from appliance.spool import delivery
from appliance.spool.append import append
from appliance.spool.log_entries import MailboxKey, request
from appliance.spool.messages import MailboxKeyPublished
from appliance.storage import Store

KEPT_DAYS = 5
WRAPS = ("passphrase", "recovery")
OPTIONAL_WRAPS = ("passkey",)
LARGEST_WRAP_BYTES = 4096
_SECRETS_CHANGED = "The secrets that open the private space were changed"
_KEY_ADDED = "A security key was added that opens the private space"


class WrongSize(WardwellError):
    """The blob, a wrap or the key has not the size that everybody's has."""


class VaultExists(WardwellError):
    """There is a vault already; a replacement must be asked for as such."""


class Conflict(Exception):
    """Somebody saved a newer version: `version` and `blob` say which. The blob is kept out of the error's text."""

    def __init__(self, version: int, blob: bytes) -> None:
        super().__init__()
        self.version, self.blob = version, blob


@dataclass(frozen=True)
class Opened:
    """A vault as the browser gets it."""

    version: int
    blob: bytes
    wraps: dict[str, str]
    enrolled_on: date


@dataclass(frozen=True)
class Kept:
    """One earlier version, with the day (UTC) of the lock that kept it."""

    day: date
    version: int
    blob: bytes


@cache
def _constants() -> dict[str, Any]:
    text = (Path(appliance.rules.__file__).parent / "constants.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def size(enrolled_on: date, today: date) -> int:
    """Bytes of a blob: the base size and one more step per whole year since enrolment."""
    years = today.year - enrolled_on.year - ((today.month, today.day) < (enrolled_on.month, enrolled_on.day))
    return int(_constants()["vault_base_bytes"]) + years * int(_constants()["vault_bytes_per_year"])


def _check_blob(blob: bytes, enrolled_on: date) -> None:
    if len(blob) != size(enrolled_on, clock.now().date()):
        raise WrongSize("The vault has not the size that it must have today.", "Lock, unlock and save again.")


def _check_wraps(wraps: dict[str, str]) -> None:
    allowed = {*WRAPS, *OPTIONAL_WRAPS}
    if not set(WRAPS) <= set(wraps) <= allowed or any(not 0 < len(w) <= LARGEST_WRAP_BYTES for w in wraps.values()):
        raise WrongSize("The wraps of the vault's key are not complete.", "Reload the page and begin again.")


def enrol(
    store: Store,
    account: Account,
    slip: str,
    wraps: dict[str, str],
    mailbox_key: bytes,
    blob: bytes,
    *,
    replace: bool = False,
) -> tuple[int, int]:
    """Make a person's vault and mailbox key with a slip: (version, index of the key's leaf).

    The key stands in the ledger before it is stored, and the intake learns of it after that. With `replace` an earlier
    vault is destroyed, and nothing sealed before is ever readable again. Raises WrongSlip, VaultExists, WrongSize,
    LedgerDown.
    """
    _check_key(mailbox_key)
    _check_wraps(wraps)
    today = clock.now().date()
    _check_blob(blob, today)
    with store.read() as session:
        replaced = session.scalar(select(Vault.enrolled_on).where(Vault.handle == account.id))
    slip_id = slips.find(store, account.id, slip, "vault")
    if replaced is not None and not replace:
        raise VaultExists("You have a private space already.", "Unlock it, or ask for a replacement with a new slip.")
    leaf_index = append(store.home, request(MailboxKey(handle=account.id, key=_base64(mailbox_key)))).public_index
    if replaced is not None:
        # After the new key's leaf, or it would be sealed to the key that goes, and nobody could ever read it. The day
        # tells an owner whether somebody else, with another slip, had made a space in between.
        made = f"{replaced:%Y-%m-%d}"
        totp.record_change(
            store, account, f"The private space was replaced with a slip; the one before was made on {made}"
        )
    with store.write() as session:
        slips.use_up(session, slip_id, "vault")
        if replaced is not None:
            _destroy(session, account.id)
        elif session.get(Vault, account.id) is not None:
            raise VaultExists("You have a private space already.", "Unlock it.")
        session.add(
            Vault(
                handle=account.id,
                version=1,
                blob=blob,
                wraps=wraps,
                enrolled_on=today,
                mailbox_key=mailbox_key,
                mailbox_leaf_index=leaf_index,
            )
        )
        person = session.get(Person, account.id)
        if person is not None:  # clinicians are on no roster: the intake knows nothing about them
            message = MailboxKeyPublished(
                person_id=person.person_id, handle=account.id, public_key=mailbox_key, leaf_index=leaf_index
            )
            delivery.enqueue(session, Outbox, message, receiver="intake")
    delivery.flush(store, Outbox)
    return 1, leaf_index


def _check_key(mailbox_key: bytes) -> None:
    try:
        if len(mailbox_key) != PUBLIC_KEY_BYTES:
            raise ValueError
        seal(mailbox_key, b"", info=b"trial")
    except ValueError:
        raise WrongSize("That is no mailbox key.", "Reload the page and begin again.") from None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _destroy(session: Session, handle: str) -> None:
    for table in (Vault, KeptVault, VaultVersion, Delivery, ProvisionalKey):
        session.execute(delete(table).where(table.handle == handle))


def load(store: Store, handle: str) -> Opened | None:
    """The vault of `handle`, or None."""
    with store.read() as session:
        row = session.get(Vault, handle)
        return None if row is None else Opened(row.version, row.blob, row.wraps, row.enrolled_on)


def kept(store: Store, handle: str) -> list[Kept]:
    """The versions kept at the last lock of each of the last days, newest first; none after a change of secrets."""
    with store.read() as session:
        rows = select(KeptVault).where(KeptVault.handle == handle).order_by(KeptVault.day.desc())
        return [Kept(row.day, row.version, row.blob) for row in session.scalars(rows)]


def enrolled(store: Store, handle: str) -> bool:
    """Whether `handle` has a vault. Only for that person's own session: nobody else may be told."""
    with store.read() as session:
        return session.scalar(select(Vault.version).where(Vault.handle == handle)) is not None


def mailbox_leaf(store: Store, handle: str) -> int:
    """Index of the ledger leaf that names the person's mailbox key, -1 for none."""
    with store.read() as session:
        found = session.scalar(select(Vault.mailbox_leaf_index).where(Vault.handle == handle))
        return -1 if found is None else found


def save(store: Store, handle: str, expected_version: int, blob: bytes, *, keep: bool) -> int:
    """Save the blob when the stored version is still the expected one; returns the new version.

    With `keep` (at lock) it is also the day's kept version; the last five distinct days stay. Raises Conflict with the
    newer blob, WrongSize, WardwellError when there is no vault.
    """

    def also(session: Session, version: int) -> None:
        if keep:
            _keep(session, handle, version, blob)

    return _swap(store, handle, expected_version, blob, {}, also)


def save_with_wraps(
    store: Store, account: Account, expected_version: int, blob: bytes, wraps: dict[str, str], *, added: bool = False
) -> int:
    """Save a blob under a new master key together with its wraps; versions under the old key are destroyed.

    `added`: under the same master key, to which a security key was added; what was kept stays. The person's access log
    says either first. Raises Conflict, WrongSize, WardwellError, LedgerDown.
    """
    _check_wraps(wraps)
    opened = load(store, account.id)
    if opened is not None and opened.version == expected_version:
        totp.record_change(store, account, _KEY_ADDED if added else _SECRETS_CHANGED)

    def also(session: Session, _version: int) -> None:
        if not added:
            session.execute(delete(KeptVault).where(KeptVault.handle == account.id))

    return _swap(store, account.id, expected_version, blob, {"wraps": wraps}, also)


def _swap(
    store: Store,
    handle: str,
    expected_version: int,
    blob: bytes,
    more: dict[str, Any],
    also: Callable[[Session, int], None],
) -> int:
    with store.write() as session:
        row = session.get(Vault, handle)
        if row is None:
            raise WardwellError("There is no private space yet.", "Create it with a slip.")
        _check_blob(blob, row.enrolled_on)
        if row.version != expected_version:
            raise Conflict(row.version, row.blob)
        version = expected_version + 1
        session.execute(update(Vault).where(Vault.handle == handle).values(version=version, blob=blob, **more))
        also(session, version)
    return version


def _keep(session: Session, handle: str, version: int, blob: bytes) -> None:
    today = clock.now().date()
    row = session.get(KeptVault, (handle, today))
    if row is None:
        session.add(KeptVault(handle=handle, day=today, version=version, blob=blob))
        session.flush()
    else:
        row.version, row.blob = version, blob
    days = select(KeptVault.day).where(KeptVault.handle == handle).order_by(KeptVault.day.desc())
    for day in session.scalars(days.offset(KEPT_DAYS)).all():
        session.execute(delete(KeptVault).where(KeptVault.handle == handle, KeptVault.day == day))
