"""Making a release once and showing it to everybody alike.

Owns: the order of publication. The bytes are made and stored first; then the ledger gets their digest; then the signed
file is written and desk is told. A crash at any point repeats a step with the same bytes. Must never see: anything but
what crossed to press.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from appliance import clock, durable
from appliance.charter import load_charter
from appliance.errors import WardwellError
from appliance.press import keys
from appliance.press.models import Input, Outbox, Release
from appliance.press.release import build, canonical_release, check_period
from appliance.rules.months import SETTLED, end
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.delivery import encode, enqueue, flush
from appliance.spool.log_entries import ReleaseMade, request
from appliance.spool.messages import FollowUpCounts, HeavyCallCounts, Practices, ReleasePublished
from appliance.storage import Store

TYPES: dict[str, type[HeavyCallCounts] | type[FollowUpCounts] | type[Practices]] = {
    "heavy_calls": HeavyCallCounts,
    "follow_up": FollowUpCounts,
    "practices": Practices,
}
KINDS = {message: kind for kind, message in TYPES.items()}
GRACE = timedelta(days=1)
# So long after the end of its month a release is out, with every figure or with the reason why one is missing.
LATEST_AFTER = SETTLED + GRACE


def store_input(session: Session, message: HeavyCallCounts | FollowUpCounts | Practices) -> None:
    """Keep `message` as the newest of its kind for its month; ignored once that month's release is made."""
    check_period(message.period)
    if session.get(Release, message.period) is not None:
        return
    row = session.get(Input, (message.period, KINDS[type(message)]))
    if row is None:
        row = Input(period=message.period, kind=KINDS[type(message)])
        session.add(row)
    row.body, row.received_at = encode(message), clock.now()


def due_periods(store: Store) -> list[str]:
    """Closed months whose release can be made now: all inputs are there, or the first has waited a day of grace.

    Made releases that are not published yet (the ledger was down) are due too.
    """
    zone = ZoneInfo(store.home.settings().time_zone)
    with store.read() as session:
        published = {
            row.period: row.published_at for row in session.execute(select(Release.period, Release.published_at))
        }
        arrived: dict[str, list[tuple[str, datetime]]] = {}
        for period, kind, at in session.execute(select(Input.period, Input.kind, Input.received_at)):
            arrived.setdefault(period, []).append((kind, at))
    due = [period for period, at in published.items() if at is None]
    for period, inputs in arrived.items():
        closed = end(period, zone)
        if period in published or clock.now() < closed:
            continue
        complete = {kind for kind, _ in inputs} == set(KINDS.values())
        if complete or clock.now() >= max(closed, min(at for _, at in inputs)) + GRACE:
            due.append(period)
    return sorted(due)


def make(store: Store, period: str) -> bytes:
    """The release of `period`: made, ledgered, signed and published once; asking again returns the same bytes.

    Raises WardwellError when the month is not over or the counts contradict themselves, LedgerDown when the ledger did
    not take it; then nothing was published and the next call goes on where this one stopped.
    """
    check_period(period)
    settings = store.home.settings()
    if clock.now() < end(period, ZoneInfo(settings.time_zone)):
        raise WardwellError(f"The month {period} is not over.", "Ask again after its last day.")
    with store.write() as session:
        row = session.get(Release, period)
        if row is None:
            row = _made(session, store.home, period)
            session.add(row)
    if row.published_at is None:
        _publish(store, row)
    return row.body


def _made(session: Session, home: Home, period: str) -> Release:
    inputs: dict[str, Any] = {
        kind: msgspec.json.decode(body, type=TYPES[kind])
        for kind, body in session.execute(select(Input.kind, Input.body).where(Input.period == period))
    }
    if not inputs:
        raise WardwellError(
            f"Nothing has arrived for {period}.",
            "Look at `wardwell status`: intake and desk send counts at month's end.",
        )
    made_at, salt = clock.now(), secrets.token_bytes(32)
    body = canonical_release(
        build(
            agency=home.settings().agency,
            period=period,
            made_at=made_at,
            charter=load_charter(home),
            heavy=inputs.get("heavy_calls"),
            follow_up=inputs.get("follow_up"),
            practices=inputs.get("practices"),
            salt=salt,
        )
    )
    digest = hashlib.sha256(body).hexdigest()
    return Release(period=period, body=body, sha256=digest, salt=salt, made_at=made_at)


def _publish(store: Store, row: Release) -> None:
    inputs = msgspec.json.decode(row.body)["inputs"]
    entry = ReleaseMade(period=row.period, sha256=row.sha256, inputs=inputs, epsilon=0)
    # A crash after this line appends the same digest again: two equal leaves, which verifiers accept as one.
    index = append(store.home, request(entry)).public_index
    folder = store.home.public / "releases"
    durable.replace(folder / f"{row.period}.json.sig", keys.sign(store.home, row.body), mode=0o644)
    durable.replace(folder / f"{row.period}.json", row.body, mode=0o644)
    with store.write() as session:
        fresh = session.get_one(Release, row.period)
        fresh.leaf_index, fresh.published_at = index, clock.now()
        enqueue(
            session,
            Outbox,
            ReleasePublished(period=row.period, release=row.body, leaf_index=index),
            receiver="desk",
        )
    row.leaf_index, row.published_at = fresh.leaf_index, fresh.published_at
    flush(store, Outbox)
