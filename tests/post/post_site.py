"""What tests of the sealed post share: desk with its keys and sessions, tickets, and bytes that look like a cell."""

from __future__ import annotations

import base64
import secrets

from appliance import clock
from appliance.crypto import blindrsa
from appliance.desk import tickets
from appliance.desk.models import Grant, SessionRow
from appliance.desk.sign_in import accounts, sessions
from appliance.post import tickets as post_tickets
from appliance.post.boards import CELL_BYTES
from appliance.rules import months
from appliance.storage import Store


class Desk:
    """Desk with its ticket keys, accounts and sessions."""

    def __init__(self, store: Store) -> None:
        self.store = store
        tickets.ensure_keys(store, store.home)

    def session(self, *roles: str) -> str:
        """A fresh, signed-in session of a new account holding `roles`; its id."""
        handle = self.account(*roles)
        sessions.start(self.store, handle, "space", "ready")
        with self.store.read() as session:
            return str(session.query(SessionRow.id).filter_by(handle=handle).scalar())

    def account(self, *roles: str) -> str:
        """A new account holding `roles`; its handle."""
        handle = secrets.token_hex(16)
        accounts.add_local(self.store, handle, "A. Person", "scrypt$16$AAAA$AAAA", handle=handle)
        with self.store.write() as session:
            for role in roles:
                session.add(
                    Grant(
                        handle=handle,
                        role=role,
                        salt="00",
                        proposed_by="x",
                        proposed_at=clock.now(),
                        countersigned_by="y",
                        countersigned_at=clock.now(),
                        leaf_index=0,
                        revoke_proposed_by="",
                        revoked_by="",
                        revoked_at=None,
                    )
                )
        return handle

    def draw(self, epoch: int, purpose: str = "request", period: str = "", role: str = "peer") -> list[bytes]:
        """Fresh tickets of a new session, as they travel to post."""
        period = period or months.month_of(clock.now())
        entry = next(k for k in tickets.keys(self.store) if (k["purpose"], k["period"]) == (purpose, period))
        key = blindrsa.load_public(base64.b64decode(entry["spki"]), 2048)
        number = {"request": 2, "reply": 8}[purpose]
        randoms = [secrets.token_bytes(32) for _ in range(number)]
        prepared = [blindrsa.prepare(post_tickets.message(purpose, period, epoch, r)) for r in randoms]
        blinded = [blindrsa.blind(key, p) for p in prepared]
        signed = tickets.sign(self.store, self.session(role), purpose, period, [b.message for b in blinded])
        drawn = []
        for p, b, s in zip(prepared, blinded, signed, strict=True):
            signature = blindrsa.finalize(key, p, s, b.inverse)
            drawn.append(epoch.to_bytes(4) + p[:32] + p[-32:] + signature)
        return drawn


def cell() -> bytes:
    """Bytes that look like a cell."""
    return secrets.token_bytes(CELL_BYTES)
