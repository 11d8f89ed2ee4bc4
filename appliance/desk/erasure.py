"""Leaving the program: everything of one person's private space is destroyed, here and in the other compartments.

Owns: the order of an erasure, and finishing one that was interrupted. First the erasure list has it, then the ledger
(a leaf without a name, and it forgets the key and the numbering), then desk's own rows go in one transaction that also
tells the intake; last the write-ahead log is emptied. What is left is what a person has who never enrolled. Must never
see: what was in the space. It tells nobody in the agency who left, and changes nothing that they are shown.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import date, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from appliance import clock, erasure_list
from appliance.crypto.sealing import info, seal
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import DeskAccount, Grant, Person
from appliance.desk.models.sessions import SessionRow
from appliance.desk.models.vault import Delivery, Entry, Head, KeptVault, ProvisionalKey, Vault, VaultVersion
from appliance.errors import WardwellError
from appliance.spool import delivery
from appliance.spool.append import LedgerDown, append
from appliance.spool.log_entries import Erased, request
from appliance.spool.messages import Forgotten, MailboxKeyWithdrawn
from appliance.storage import Store

WORD = "ERASE"
OWN_ROWS = (Vault, KeptVault, VaultVersion, Delivery, Entry, ProvisionalKey, Head)
_SCRUB_TRIES = 5


class NotConfirmed(WardwellError):
    """The word that confirms the erasure was not typed, or the space is not open where it was typed."""


def gone_by(today: date) -> date:
    """The day after which no backup holds what is erased `today`."""
    return today + timedelta(days=erasure_list.BACKUP_DAYS)


def challenge(store: Store, handle: str, session_id: str) -> bytes:
    """What only the space's owner can open, sealed to the mailbox key; the answer is good for this session alone.

    Without it a stolen slip and a reset password would erase a space that they cannot open, and the next one would be
    an officer's first, who is given the calls of before. Raises WardwellError when there is no space.
    """
    return seal(_mailbox_key(store, handle), _answer(store, session_id), info=info("leave", handle))


def erase(store: Store, handle: str, session_id: str, word: str, answer: bytes) -> date:
    """Destroy the private space of `handle`, whose own request this is; the day by which backups have none of it.

    Ends every session of the person. Raises NotConfirmed, WardwellError when there is no space, and LedgerDown; then
    nothing was destroyed.
    """
    if word.strip().upper() != WORD:
        raise NotConfirmed(f"The word {WORD} was not typed.", f"Type {WORD} if you want to leave.")
    key = _mailbox_key(store, handle)
    if not hmac.compare_digest(_answer(store, session_id), answer):
        raise NotConfirmed("This request did not come from the open space.", "Unlock your space and leave from there.")
    entry = erasure_list.new_entry(erasure_list.own_secret(store.home), handle, key)
    erasure_list.add(store.home, entry)
    try:
        _destroy(store, handle)
    except LedgerDown:
        erasure_list.remove(store.home, entry)
        raise
    return gone_by(clock.now().date())


def finish(store: Store) -> int:
    """Finish the erasures that were interrupted after they stood on the list; how many. Empties the write-ahead log.

    Only the very space that was to be erased counts, by its mailbox key: a later one of the same person is left alone.
    """
    listed = {entry.key for entry in erasure_list.entries(store.home)}
    secret = erasure_list.own_secret(store.home)
    with store.read() as session:
        rows = session.execute(select(Vault.handle, Vault.mailbox_key)).all() if listed else []
    left = [handle for handle, key in rows if erasure_list.key_of(secret, handle, key) in listed]
    for handle in left:
        _destroy(store, handle)
    # What came too late and was deleted since must not live on in the log either.
    store.scrub()
    return len(left)


def take_forgotten(session: Session, message: Forgotten) -> None:
    """The ledger forgot a person: what it had sent before about that person goes too; what it sends later is new."""
    for table in (Entry, ProvisionalKey, Head):
        session.execute(delete(table).where(table.handle == message.handle))


def _mailbox_key(store: Store, handle: str) -> bytes:
    with store.read() as session:
        key = session.scalar(select(Vault.mailbox_key).where(Vault.handle == handle))
    if key is None:
        raise WardwellError("There is no private space.", "There is nothing to erase.")
    return key


def _answer(store: Store, session_id: str) -> bytes:
    return hmac.digest(erasure_list.own_secret(store.home), b"wardwell/v1/leave/" + session_id.encode(), "sha256")


def _destroy(store: Store, handle: str) -> None:
    subject = hashlib.sha256(secrets.token_bytes(32) + bytes.fromhex(handle)).hexdigest()
    append(store.home, request(Erased(subject=subject), forget=handle))
    with store.write() as session:
        for table in OWN_ROWS:
            session.execute(delete(table).where(table.handle == handle))
        session.execute(delete(Outbox).where(func.instr(Outbox.body, handle.encode()) > 0, Outbox.receiver == "intake"))
        session.execute(delete(SessionRow).where(SessionRow.handle == handle))
        if not _works_here(session, handle):
            # As before the first slip: the old code generator opens nothing any more.
            session.execute(update(DeskAccount).where(DeskAccount.handle == handle).values(totp_secret="", totp_step=0))
        person = session.get(Person, handle)
        if person is not None:
            message = MailboxKeyWithdrawn(person_id=person.person_id, handle=handle)
            delivery.enqueue(session, Outbox, message, receiver="intake")
    delivery.flush(store, Outbox)
    # A reader may be in the way for a moment; the worker empties the log again within a minute.
    for _ in range(_SCRUB_TRIES):
        if store.scrub():
            break


def _works_here(session: Session, handle: str) -> bool:
    """Whether the sign-in is needed for more than a private space: a role that was granted, even one that waits."""
    return session.scalar(select(Grant.id).where(Grant.handle == handle, Grant.revoked_at.is_(None))) is not None
