"""Server-side sessions: a random token in the browser, its SHA-256 here.

Owns: starting, finding, promoting, extending and ending sessions. Every promotion makes a new token, so that a token
known before sign-in is worth nothing after it. Must never see: a password, a code.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from appliance import clock
from appliance.charter import Charter
from appliance.desk.models.sessions import SessionRow
from appliance.storage import Store

ABSOLUTE_HOURS = 12  # a shift; no session outlives it, however busy
HALFWAY_HOURS = 1  # "code" and "needs_slip" sessions: long enough to set up an authenticator app
# A session of a later time than now is over: the clock was set back, and with it every limit would last longer.
AHEAD_SECONDS = 120
TOUCH_SECONDS = 15  # `used_at` is written at most this often, so that reading stays reading

STAFF, SPACE = "staff", "space"


@dataclass(frozen=True)
class CurrentSession:
    """A living session. `id` names it in other tables and opens nothing."""

    id: str
    handle: str
    kind: str
    state: str
    pending_totp: str
    pending_slip: int


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def start(store: Store, handle: str, kind: str, state: str) -> str:
    """Start a session; return its token (43 URL-safe characters, 256 bits), which is stored nowhere."""
    token, now = secrets.token_urlsafe(32), clock.now()
    with store.write() as session:
        session.add(
            SessionRow(
                id=secrets.token_hex(16),
                token_hash=_hash(token),
                handle=handle,
                kind=kind,
                state=state,
                started_at=now,
                used_at=now,
                pending_totp="",
                pending_slip=0,
            )
        )
    return token


def _alive(row: SessionRow, charter: Charter) -> bool:
    now = clock.now()
    longest = timedelta(hours=ABSOLUTE_HOURS if row.state == "ready" else HALFWAY_HOURS)
    idle = timedelta(minutes=charter.constants.idle_minutes)
    earliest = -timedelta(seconds=AHEAD_SECONDS)
    return earliest < now - row.used_at < idle and earliest < now - row.started_at < longest


def find(store: Store, charter: Charter, token: str, kind: str, *, touch: bool = True) -> CurrentSession | None:
    """The living session of `token` and `kind`, or None when there is none, it idled or its day is over.

    With `touch` this counts as use.
    """
    if not token:
        return None
    with store.read() as session:
        row = session.scalar(select(SessionRow).where(SessionRow.token_hash == _hash(token)))
        if row is None or row.kind != kind or not _alive(row, charter):
            return None
        current = CurrentSession(row.id, row.handle, row.kind, row.state, row.pending_totp, row.pending_slip)
        stale = (clock.now() - row.used_at).total_seconds() >= TOUCH_SECONDS
    if touch and stale:
        extend(store, current.id)
    return current


def extend(store: Store, session_id: str) -> None:
    """Count this moment as use."""
    with store.write() as session:
        session.execute(update(SessionRow).where(SessionRow.id == session_id).values(used_at=clock.now()))


def promote(store: Store, session_id: str, state: str) -> str:
    """Move a session to `state` under a new token and a new name; the old token is dead. Returns the new token."""
    token = secrets.token_urlsafe(32)
    with store.write() as session:
        session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id)
            .values(
                id=secrets.token_hex(16),
                token_hash=_hash(token),
                state=state,
                used_at=clock.now(),
                pending_totp="",
                pending_slip=0,
            )
        )
    return token


def set_state(store: Store, session_id: str, state: str) -> None:
    """Move a bearer session to `state` and keep its token: the private space's contract has one token per session.

    A bearer token is handed only to who proved the password, is never sent by a browser on its own, and cannot be
    planted in somebody else's; so fixation does not arise there.
    """
    with store.write() as session:
        session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id)
            .values(state=state, used_at=clock.now(), pending_totp="", pending_slip=0)
        )


def remember_pending(store: Store, session_id: str, secret: str, slip_id: int) -> None:
    """Keep a shown but unconfirmed TOTP secret, and the slip that will be used up by it."""
    with store.write() as session:
        session.execute(
            update(SessionRow)
            .where(SessionRow.id == session_id)
            .values(pending_totp=secret, pending_slip=slip_id, used_at=clock.now())
        )


def end(store: Store, session_id: str) -> None:
    """End one session."""
    with store.write() as session:
        session.execute(delete(SessionRow).where(SessionRow.id == session_id))


def end_all(store: Store, handle: str, *, but: str = "") -> None:
    """End every session of `handle`, except the one named `but`: after a new code's secret or a revoked account."""
    with store.write() as session:
        session.execute(delete(SessionRow).where(SessionRow.handle == handle, SessionRow.id != but))


def clean(store: Store, charter: Charter) -> int:
    """Delete sessions that are over; how many."""
    now = clock.now()
    idle = now - timedelta(minutes=charter.constants.idle_minutes)
    oldest = now - timedelta(hours=ABSOLUTE_HOURS)
    with store.write() as session:
        over = delete(SessionRow).where((SessionRow.used_at <= idle) | (SessionRow.started_at <= oldest))
        return int(session.execute(over).rowcount)  # type: ignore[attr-defined]


def seconds(charter: Charter) -> tuple[int, int]:
    """(idle seconds, seconds of warning before the lock), as the browser is told."""
    return charter.constants.idle_minutes * 60, charter.constants.idle_warning_seconds
