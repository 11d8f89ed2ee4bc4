"""Sealed deliveries: every enrolled officer gets one of equal size each cycle, empty or not.

Owns: contributions (one per officer and call, with an id that only intake could have made), what waits for the next
delivery, and sealing. Must never keep: a sum; it handles one contribution after the other and forgets it once sealed.
A delivery's plaintext is canonical JSON padded with spaces to the charter's size (docs/interfaces.md).

Each contribution carries what the browser needs to see patterns: the agency-local hour and shift day of when the
person's part began, their role, and the minutes, which are null while no end is known.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter
from appliance.crypto import sealing
from appliance.crypto.canonical import canonical
from appliance.crypto.trusted_keys import NotWitnessed, require_witnessed
from appliance.errors import WardwellError
from appliance.intake.models import Call, Involvement, MailboxKey, Outbox, RosterRow, State, Waiting
from appliance.rules.exposure_model import load_model
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.messages import HistoryReleased, MailboxKeyPublished, MailboxKeyWithdrawn, SealedExposure
from appliance.storage import Store

# Officers who are sealed to at once: what waits for them and what they are sent lies in memory.
_GROUP = 500
# In place of the key of somebody who left.
GONE = b""


def state(session: Session, name: str, default: str) -> State:
    """The row of one single fact, made with `default` when it is not there yet."""
    row = session.get(State, name)
    if row is None:
        row = State(name=name, value=default)
        session.add(row)
        session.flush()
    return row


class Subject(Protocol):
    """What a contribution says of a call; `received` in seconds since 1970."""

    number: str
    received: int
    type: str
    revision: int


# Its number, and the contribution as canonical JSON.
_Waiting = tuple[int, bytes]
# person_id, unit, role, start, end; seconds since 1970.
Person = tuple[str, str, str, int, int | None]


def shift_day(local: datetime) -> date:
    """The day that a shift began, for a time on the agency's clock: before the model's hour it is the day before."""
    return local.date() - timedelta(days=local.hour < load_model().shift_day.from_hour)


class Queue:
    """What changed for enrolled officers, queued in the transaction that changed it."""

    def __init__(self, session: Session, feed: str, zone: ZoneInfo, only: MailboxKey | None = None) -> None:
        """For everybody who is enrolled, or `only` for one of them; `zone` is the agency's."""
        self._session, self._feed, self._zone = session, feed, zone
        known = select(MailboxKey.person_id, MailboxKey.handle, MailboxKey.since)
        known = known.where(MailboxKey.witnessed, MailboxKey.public_key != GONE)
        keys = list(session.execute(known)) if only is None else [(only.person_id, only.handle, only.since)]
        self._handles = {person_id: handle for person_id, handle, _ in keys}
        self._since = {person_id: since.timestamp() for person_id, _, since in keys if since is not None}
        self._secret = bytes.fromhex(state(session, "secret", secrets.token_hex(32)).value)
        self._weighs = {kind.id for kind in load_model().types if kind.weight > 0}
        self._waiting: list[dict[str, Any]] = []

    def changed(self, call: Subject, before: Iterable[Person], now: Iterable[Person]) -> None:
        """Queue what `call` now says to each enrolled person on it, and withdraw it from those no longer on it."""
        if call.revision == 1 and call.type not in self._weighs:
            # It weighs nothing and never did: most calls.
            return
        handles = self._handles
        present = set()
        for person in now:
            present.add(person[0])
            if person[0] in handles:
                self._add(call, person, gone=False)
        for person in before:
            if person[0] in handles and person[0] not in present:
                self._add(call, person, gone=True)

    def _add(self, call: Subject, person: Person, *, gone: bool) -> None:
        person_id, _, role, start, end = person
        if call.received < self._since.get(person_id, 0):
            return
        weighs = call.type in self._weighs and role != "assigned"
        if not weighs and call.revision == 1:
            return
        named = f"{self._feed}\0{call.number}\0{person_id}".encode()
        local = datetime.fromtimestamp(start, self._zone)
        contribution = {
            "id": hmac.digest(self._secret, named, "sha256")[:16].hex(),
            "at": datetime.fromtimestamp(call.received, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "hour": local.hour,
            "shift_day": shift_day(local).isoformat(),
            "type": call.type,
            "role": role,
            "minutes": max(0, round((end - start) / 60)) if end is not None else None,
            "revision": call.revision,
            "gone": gone or not weighs,
        }
        self._waiting.append({"handle": self._handles[person_id], "contribution": canonical(contribution)})

    def history(self, call: Subject, person: Person) -> None:
        """Queue one call of the past, unless it weighs nothing."""
        if call.type in self._weighs and person[2] != "assigned":
            self._add(call, person, gone=False)

    def write(self) -> None:
        """Put what was queued into the database."""
        if self._waiting:
            self._session.execute(insert(Waiting), self._waiting)
            self._waiting = []


def _frame(cycle: int, *, more: bool) -> bytes:
    return canonical({"v": 1, "cycle": cycle, "contributions": [], "more": more})


def _payload(cycle: int, contributions: list[bytes], size: int, *, more: bool) -> bytes:
    # Each is canonical already, and the frame's one list is theirs.
    plain = _frame(cycle, more=more).replace(b"[]", b"[" + b",".join(contributions) + b"]")
    if len(plain) > size:
        raise ValueError("the contributions do not fit")
    return plain.ljust(size)


def _fitting(waiting: list[_Waiting], size: int) -> int:
    """How many of `waiting` fit beside the frame, oldest first."""
    room = size - len(_frame(2**40, more=False))
    for count, (_, contribution) in enumerate(waiting):
        room -= len(contribution) + 1
        if room < 0:
            return count
    return len(waiting)


def _deliver(session: Session, keys: Sequence[MailboxKey], kind: str, cycle: int, size: int) -> None:
    """One delivery of `size` bytes to each of `keys`, with what waits for it."""
    waiting = defaultdict[str, list[_Waiting]](list)
    query = select(Waiting.handle, Waiting.id, Waiting.contribution).order_by(Waiting.id)
    for handle, number, contribution in session.execute(query.where(Waiting.handle.in_([key.handle for key in keys]))):
        waiting[handle].append((number, contribution))
    sent: list[dict[str, int]] = []
    for key in keys:
        mine = waiting[key.handle]
        fitting = _fitting(mine, size)
        taken = mine[:fitting]
        plain = _payload(cycle, [contribution for _, contribution in taken], size, more=fitting < len(mine))
        sealed = sealing.seal(key.public_key, plain, info=sealing.info("exposure", key.handle))
        message = SealedExposure(handle=key.handle, kind=kind, cycle=cycle, sealed=sealed)
        delivery.enqueue(session, Outbox, message, receiver="desk")
        sent += [{"sent": number} for number, _ in taken]
    session.flush()
    if sent:
        session.connection().execute(delete(Waiting).where(Waiting.id == bindparam("sent")), sent)


def mark_cycle_due(session: Session) -> None:
    """A take brought something: the next look at deliveries is a cycle."""
    state(session, "cycle_due", "1").value = "1"


def run_cycle(store: Store, charter: Charter, zone: ZoneInfo) -> int:
    """When a cycle is due, one delivery of equal size to every enrolled officer; how many were made.

    Due: after a take that brought something, and once each day of the agency's `zone`, so that a quiet day and what
    was left over are delivered too.
    """
    today = clock.now().astimezone(zone).date().isoformat()
    with store.read() as session:
        due, day = session.get(State, "cycle_due"), session.get(State, "cycle_day")
        if (due is None or due.value != "1") and day is not None and day.value == today:
            return 0
    with store.write() as session:
        state(session, "cycle_due", "0").value = "0"
        state(session, "cycle_day", today).value = today
        count = state(session, "cycle", "0")
        count.value = str(int(count.value) + 1)
        there = MailboxKey.witnessed & (MailboxKey.public_key != GONE)
        keys = list(session.scalars(select(MailboxKey).where(there).order_by(MailboxKey.handle)))
        for begin in range(0, len(keys), _GROUP):
            # What is sealed and what is gone is written group by group, not by everybody's own question.
            group = keys[begin : begin + _GROUP]
            _deliver(session, group, "delta", int(count.value), charter.constants.delivery_bytes)
    return len(keys)


def accept_key(session: Session, message: MailboxKeyPublished) -> None:
    """Remember a mailbox key; nothing is sealed to it before the witness has seen its leaf.

    One that replaces another gets nothing of the time before, however it was come by: a slip and a password are things
    that can be stolen (see `release_history`).
    """
    before = session.get(MailboxKey, message.handle)
    since = None
    if before is not None:
        if (before.person_id, before.public_key, before.leaf_index) == (
            message.person_id,
            message.public_key,
            message.leaf_index,
        ):
            return
        since = before.since if before.public_key == message.public_key else clock.now()
    session.execute(delete(MailboxKey).where(MailboxKey.handle == message.handle))
    session.execute(delete(Waiting).where(Waiting.handle == message.handle))
    session.add(
        MailboxKey(
            handle=message.handle,
            person_id=message.person_id,
            public_key=message.public_key,
            leaf_index=message.leaf_index,
            witnessed=False,
            since=since,
        )
    )


def release_history(session: Session, message: HistoryReleased) -> None:
    """Two people vouched for whose replacement of a key it is: the next look at keys seals the time before to it."""
    key = session.get(MailboxKey, message.handle)
    if key is not None and key.since is not None:
        key.since, key.witnessed = None, False


def withdraw_key(session: Session, message: MailboxKeyWithdrawn) -> None:
    """An officer left: forget the key, what waits for it, and what was sealed to it but not sent yet.

    Of a key that had replaced another, and that nobody had vouched for, it is remembered that there was one: leaving
    must not be a way to the calls of before.
    """
    key = session.get(MailboxKey, message.handle)
    if key is not None and key.since is not None:
        key.public_key, key.leaf_index, key.witnessed = GONE, -1, True
    elif key is not None:
        session.delete(key)
    session.execute(delete(Waiting).where(Waiting.handle == message.handle))
    sealed = func.instr(Outbox.body, message.handle.encode()) > 0
    session.execute(delete(Outbox).where(Outbox.receiver == "desk", sealed))


def _is_in_the_ledger(home: Home, key: MailboxKey) -> bool:
    expected = {"kind": "mailbox-key", "handle": key.handle, "key": base64.b64encode(key.public_key).decode()}
    try:
        require_witnessed(
            home, key.leaf_index, lambda leaf: all(leaf.get(name) == value for name, value in expected.items())
        )
    except NotWitnessed:
        return False
    return True


def _is_the_rosters(store: Store, key: MailboxKey) -> bool:
    """Whether the person is on the roster by now. Raises WardwellError when the roster has another handle for them."""
    with store.read() as session:
        handle = session.scalar(select(RosterRow.handle).where(RosterRow.person_id == key.person_id))
    if handle is not None and handle != key.handle:
        # The leaf names a handle only; whose it is stands in the roster. No key may draw another person's calls.
        raise WardwellError("A mailbox key arrived under another person's name.", "Tell the officers' trustee.")
    return handle is not None


def admit_keys(store: Store, charter: Charter) -> tuple[int, int]:
    """Seal the first history to each key that the witness has seen by now: (admitted, refused as not the ledger's)."""
    with store.read() as session:
        fresh = list(session.scalars(select(MailboxKey).where(MailboxKey.witnessed.is_(False))))
        session.expunge_all()
    admitted = refused = 0
    for key in fresh:
        try:
            if not _is_the_rosters(store, key) or not _is_in_the_ledger(store.home, key):
                continue
        except WardwellError:
            refused += 1
            continue
        with store.write() as session:
            known = session.get(MailboxKey, key.handle)
            if known is None or known.public_key != key.public_key:
                continue
            known.witnessed = True
            _queue_history(session, known, ZoneInfo(store.home.settings().time_zone))
            session.flush()
            cycle = int(state(session, "cycle", "0").value)
            _deliver(session, [known], "history", cycle, charter.constants.history_bytes)
        admitted += 1
    return admitted, refused


class _Held(msgspec.Struct):
    """A call as a `Subject`."""

    number: str
    received: int
    type: str
    revision: int


def _queue_history(session: Session, key: MailboxKey, zone: ZoneInfo) -> None:
    # Newest first: should the history not fit into one delivery, the officer sees the recent calls at once.
    queues: dict[str, Queue] = {}
    first, last = session.execute(select(func.min(Involvement.month), func.max(Involvement.month))).one()
    months = [] if first is None else range(last, first - 1, -1)
    for month in months:
        # One month after the other, because that is how the rows are found.
        query = (
            select(Call, Involvement)
            .join(Involvement, Involvement.call_id == Call.id)
            .where(Involvement.person_id == key.person_id, Involvement.month == month)
            .order_by(Call.received.desc(), Call.id)
        )
        for call, involvement in session.execute(query):
            queue = queues.get(call.feed)
            if queue is None:
                queue = queues[call.feed] = Queue(session, call.feed, zone, only=key)
            held = _Held(call.number, int(call.received.timestamp()), call.type, call.revision)
            ended = int(involvement.end.timestamp()) if involvement.end else None
            queue.history(
                held,
                (involvement.person_id, involvement.unit, involvement.role, int(involvement.start.timestamp()), ended),
            )
        for queue in queues.values():
            queue.write()
