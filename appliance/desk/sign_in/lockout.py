"""Failures in a row, and the wait after too many of them.

Owns: one counter per sign-in name (known or not: the same row, the same answer) and one per account for codes.
A try is counted before it is judged, so that many at once get no more tries than one after another. Must never see: the
name itself (its SHA-256 is the key), a password, a code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, update

from appliance import clock
from appliance.charter import Charter
from appliance.desk.models.people import Lockout
from appliance.storage import Store


class LockedOut(Exception):
    """Too many failures; the wait is not over."""


def key_of(kind: str, name: str) -> str:
    """The key of a counter: `kind` is "name" or "code"."""
    return hashlib.sha256(f"{kind}/{name}".encode()).hexdigest()


def start(store: Store, charter: Charter, keys: Iterable[str]) -> None:
    """Count one try on every key. Raises LockedOut, counting nothing, when one of them is waiting."""
    limit, wait, now = charter.constants.lockout_failures, charter.constants.lockout_minutes, clock.now()
    with store.write() as session:
        for key in keys:
            row = session.get(Lockout, key)
            if row is None:
                session.add(Lockout(key=key, failures=1, last_at=now))
                continue
            if row.failures >= limit:
                if now - row.last_at < timedelta(minutes=wait):
                    raise LockedOut
                row.failures = 0
            row.failures += 1
            row.last_at = now


def give_back(store: Store, keys: Iterable[str]) -> None:
    """Take one counted try back: it was no failure, or nobody could judge it."""
    with store.write() as session:
        session.execute(
            update(Lockout)
            .where(Lockout.key.in_(list(keys)), Lockout.failures > 0)
            .values(failures=Lockout.failures - 1)
        )


def clear(store: Store, keys: Iterable[str]) -> None:
    """Forget the failures: the sign-in is complete."""
    with store.write() as session:
        session.execute(delete(Lockout).where(Lockout.key.in_(list(keys))))


def clean(store: Store) -> None:
    """Forget counters that nobody touched for a day."""
    with store.write() as session:
        session.execute(delete(Lockout).where(Lockout.last_at < clock.now() - timedelta(days=1)))
