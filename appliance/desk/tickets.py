"""Blind tickets: desk says that somebody is entitled to send, and cannot recognise what it signed.

Owns: one RSA key per purpose and month, made ahead, and the signatures that each session draws. A key stands in the
ledger before its first use: one key for everybody is what makes a ticket say "someone entitled" instead of who.
Must never see: a ticket, a cell, an epoch's board. Every session draws the same number, so drawing tells nothing.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from appliance import clock, durable
from appliance.charter import load_charter
from appliance.crypto import blindrsa
from appliance.crypto.tlog import PublicLog
from appliance.desk.models.sessions import SessionRow
from appliance.desk.models.tickets import TicketDraw, TicketKey
from appliance.desk.sign_in.accounts import roles_of
from appliance.errors import WardwellError
from appliance.rules.months import month_after, month_before, month_of
from appliance.settings import Home
from appliance.spool import log_entries
from appliance.spool.append import append
from appliance.storage import Store

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "rules" / "constants.json").read_bytes())
PURPOSES: tuple[str, ...] = tuple(CONSTANTS["ticket_purposes"])
KEY_BITS: int = CONSTANTS["ticket_key_bits"]
SUPPORTERS = frozenset({"peer", "clinician"})


def keys(store: Store) -> list[dict[str, Any]]:
    """The public keys that are in the ledger: `[{purpose, period, spki (base64 DER), leaf_index}]`, oldest first."""
    with store.read() as session:
        rows = session.scalars(
            select(TicketKey).where(TicketKey.leaf_index.is_not(None)).order_by(TicketKey.period, TicketKey.purpose)
        )
        return [
            {
                "purpose": row.purpose,
                "period": row.period,
                "spki": base64.b64encode(row.spki).decode(),
                "leaf_index": row.leaf_index,
            }
            for row in rows
        ]


def ensure_keys(store: Store, home: Home) -> int:
    """Have keys for this month and the next, ledgered and published; how many were made now.

    Raises LedgerDown when the ledger does not take a key; the key then waits, unused, for the next call.
    """
    this = month_of(clock.now())
    made = 0
    for period in (this, month_after(this)):
        for purpose in PURPOSES:
            made += _ensure(store, home, purpose, period)
    oldest = month_before(this)
    with store.write() as session:
        # Tickets of the month before may still be spent, never drawn; older keys have nothing left to do.
        session.execute(delete(TicketKey).where(TicketKey.period < oldest))
    _publish(store, home)
    return made


def sign(store: Store, session_id: str, purpose: str, period: str, blinded: list[bytes]) -> list[bytes]:
    """Sign `blinded` for the session: exactly the charter's number for the purpose, once, for this month or the next.

    "reply" is for peers and clinicians. Raises WardwellError for anything else.
    """
    constants = load_charter(store.home).constants
    numbers = {"request": constants.tickets_per_session, "reply": constants.reply_cells_per_session}
    size = KEY_BITS // 8
    if len(blinded) != numbers.get(purpose, -1) or any(len(one) != size for one in blinded):
        raise WardwellError("That is not the number of tickets that a session draws.", "Reload the page.")
    this = month_of(clock.now())
    if period not in (this, month_after(this)):
        raise WardwellError("Tickets are drawn for this month only.", "Reload the page and unlock again.")
    with store.write() as session:
        row = session.get(SessionRow, session_id)
        if row is None or row.state != "ready":
            raise WardwellError("That session is over.", "Sign in again.")
        if purpose == "reply" and not SUPPORTERS & roles_of(session, row.handle):
            raise WardwellError("Only peers and clinicians draw these tickets.", "Ask the officers' trustee.")
        if session.get(TicketDraw, (session_id, purpose)) is not None:
            raise WardwellError("This session has drawn its tickets.", "They are drawn once, at unlock.")
        key = _usable(session, purpose, period)
        session.add(TicketDraw(session_id=session_id, purpose=purpose))
    # Signed after the draw is on disk: a crash here costs a session its tickets, never gives it more.
    private = _private(key)
    return [blindrsa.blind_sign(private, one) for one in blinded]


def _usable(session: Session, purpose: str, period: str) -> bytes:
    row = session.get(TicketKey, (purpose, period))
    if row is None or row.leaf_index is None:
        raise WardwellError("This month's ticket key is not in the access log yet.", "Try again in a minute.")
    return row.private


@lru_cache(maxsize=4)
def _private(der: bytes) -> rsa.RSAPrivateKey:
    return blindrsa.load_private(der)


def _ensure(store: Store, home: Home, purpose: str, period: str) -> int:
    with store.read() as session:
        row = session.get(TicketKey, (purpose, period))
        found = (row.spki, row.leaf_index) if row is not None else None
    made = 0
    if found is None:
        private = blindrsa.generate(KEY_BITS)
        found = (blindrsa.spki(private.public_key()), None)
        # Kept before it is ledgered: a key that is in the ledger and lost would leave the month without tickets,
        # because a witness accepts no second one.
        with store.write() as session:
            if session.get(TicketKey, (purpose, period)) is not None:
                return 0
            session.add(
                TicketKey(
                    purpose=purpose,
                    period=period,
                    private=blindrsa.private_der(private),
                    spki=found[0],
                    leaf_index=None,
                )
            )
        made = 1
    spki, leaf_index = found
    if leaf_index is None:
        public = {"purpose": purpose, "period": period, "spki": base64.b64encode(spki).decode()}
        leaf_index = None if made else _already_ledgered(home, public)
        if leaf_index is None:
            leaf_index = append(home, log_entries.request(log_entries.TicketKey(**public))).public_index
        with store.write() as session:
            session.execute(
                update(TicketKey)
                .where(TicketKey.purpose == purpose, TicketKey.period == period)
                .values(leaf_index=leaf_index)
            )
    return made


def _already_ledgered(home: Home, public: dict[str, str]) -> int | None:
    """The leaf of a key whose append was acknowledged to a process that died before writing it down."""
    try:
        log = PublicLog(home.public / "ledger")
        for index, entry in enumerate(log.entries(0, log.size)):
            leaf = json.loads(entry)
            if leaf.get("kind") == "ticket-key" and all(leaf.get(name) == value for name, value in public.items()):
                return index
    except WardwellError:
        return None
    return None


def _publish(store: Store, home: Home) -> None:
    path = home.public / "desk" / "ticket-keys.json"
    data = (json.dumps(keys(store), indent=1) + "\n").encode()
    if not path.exists() or path.read_bytes() != data:
        durable.replace(path, data)
