"""Versions of calls: which one counts, who was there by then, and what follows for officers and desk.

Owns: calls and involvement in the database, written a batch at a time. Must never keep: a narrative, a sum about a
person.

A version is newer by its own stamp, never by arrival. The same content again is a repeat, and so is an older view that
comes late, unless it adds. What was closed stays closed. The people of a call that was merged are on the other one, and
the merged one weighs nothing; a split call is a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, bindparam, delete, func, literal_column, select, type_coerce, update
from sqlalchemy.orm import Session

from appliance import clock
from appliance.intake import contributions
from appliance.intake.matching import Involved, joined
from appliance.intake.models import Call, Involvement, Outbox, month_of
from appliance.intake.records import Sighting
from appliance.model.exposure import load_model
from appliance.spool import delivery
from appliance.spool.messages import Attended, IncidentNotice
from appliance.storage import Store, insert_rows, rows_among

# A call that nobody has closed counts as settled after this long.
SETTLED = timedelta(hours=72)
# Written out, not as a value: only so is the partial index of merged calls used.
_IS_MERGED = Call.merged_into != literal_column("''")
# Values per query: databases bound their number.
_GROUP = 1_000

T = TypeVar("T")
# person_id, unit, role, start, end; seconds since 1970.
Person = tuple[str, str, str, int, int | None]


@dataclass
class Tally:
    """What one file amounted to."""

    calls: int = 0
    updates: int = 0
    repeats: int = 0
    involvements: int = 0


class Known(msgspec.Struct, gc=False):
    """One call as the database has it, or will have it at the end of the batch. `received` in seconds since 1970."""

    id: int
    number: str
    stamp: str
    digest: bytes
    revision: int
    received: int
    type: str
    noticed: bool
    open: bool
    merged_into: str
    fresh: bool = False


class _Change(msgspec.Struct, gc=False):
    """A call that this batch changes: its newest version and everybody on it by then."""

    call: Known
    version: Sighting
    people: list[Person]


class Versions:
    """The calls of one feed, in the caller's transaction."""

    def __init__(self, session: Session, feed: str) -> None:
        self.tally = Tally()
        self._session, self._feed = session, feed
        self._next = (session.scalar(select(func.max(Call.id))) or 0) + 1
        self._queue = contributions.Queue(session, feed)
        now = clock.now()
        self._settled = int((now - SETTLED).timestamp())
        self._noticed_from = int((now - timedelta(days=load_model().incident_notice_days)).timestamp())
        self._critical = {kind.id for kind in load_model().types if kind.critical}

    def take(self, batch: Sequence[Sighting]) -> None:
        """Bring the calls of `batch` to their newest versions, with everything that follows."""
        known = self._known({version.number for version in batch})
        adding = [known[v.number].id for v in batch if v.adds and v.number in known]
        people = self._people(adding) if adding else {}
        changes: dict[str, _Change] = {}
        touched: dict[int, Known] = {}
        tally = self.tally
        for version in batch:
            call = known.get(version.number)
            if call is None:
                call = known[version.number] = self._first(version)
                tally.calls += 1
                changes[version.number] = _Change(call, version, version.involved)
            elif self._is_repeat(call, version):
                tally.repeats += 1
                if version.stamp > call.stamp:
                    call.stamp = version.stamp
                    touched[call.id] = call
            elif version.adds:
                before = changes[version.number].people if version.number in changes else people.get(call.id, [])
                self._add(call, version, before, changes, touched)
            else:
                tally.updates += 1
                call.revision += 1
                self._renew(call, version)
                changes[version.number] = _Change(call, version, version.involved)
        self._write(list(changes.values()), touched)
        self._merge(changes)

    @staticmethod
    def _is_repeat(call: Known, version: Sighting) -> bool:
        return call.digest == version.digest or (version.stamp < call.stamp and not version.adds)

    def _first(self, version: Sighting) -> Known:
        call = Known(
            self._next, version.number, version.stamp, version.digest, 1, version.received, "", False, True, "", True
        )
        self._next += 1
        self._renew(call, version)
        return call

    def _renew(self, call: Known, version: Sighting) -> None:
        call.stamp, call.digest, call.received = version.stamp, version.digest, version.received
        call.merged_into = version.merged_into
        call.type = "" if version.merged_into else version.type
        call.open = call.open and not version.closed and version.received > self._settled

    def _add(
        self,
        call: Known,
        version: Sighting,
        before: list[Person],
        changes: dict[str, _Change],
        touched: dict[int, Known],
    ) -> None:
        """A version that says nothing by what it leaves out."""
        people, brought = together(before, version.involved)
        older = version.stamp < call.stamp
        kind = "" if version.merged_into else version.type
        same = (kind, version.received, version.merged_into) == (call.type, call.received, call.merged_into)
        if (older or (same and not (version.closed and call.open))) and not brought:
            self.tally.repeats += 1
            if not older:
                call.stamp = version.stamp
                touched[call.id] = call
            return
        self.tally.updates += 1
        call.revision += 1
        if not older:
            self._renew(call, version)
        changes[call.number] = _Change(call, version, people)

    # --- the database ------------------------------------------------------------------------------------------------

    def _known(self, numbers: Iterable[str]) -> dict[str, Known]:
        received = type_coerce(Call.received, BigInteger)
        columns: list[Any] = [Call.id, Call.number, Call.stamp, Call.digest, Call.revision, received, Call.type]
        query = select(*columns, Call.noticed, Call.open, Call.merged_into)
        feed = (_column(Call.feed), self._feed)
        found = {}
        for row in rows_among(self._session, query, feed, _column(Call.number), sorted(numbers)):
            call = found[row[1]] = Known(*row)
            call.noticed, call.open = bool(call.noticed), bool(call.open)
        return found

    def _people(self, ids: Iterable[int]) -> dict[int, list[Person]]:
        found: dict[int, list[Person]] = {}
        columns = (Involvement.call_id, Involvement.person_id, Involvement.unit, Involvement.role)
        for group in _groups(sorted(set(ids))):
            query = select(*columns, Involvement.start, Involvement.end).where(Involvement.call_id.in_(group))
            for call_id, person_id, unit, role, start, end in self._session.execute(query):
                ended = int(end.timestamp()) if end else None
                found.setdefault(call_id, []).append((person_id, unit, role, int(start.timestamp()), ended))
        return found

    def _write(self, changes: list[_Change], touched: dict[int, Known]) -> None:
        fresh = [change.call for change in changes if change.call.fresh]
        later = [change.call for change in changes if not change.call.fresh]
        before = self._people(call.id for call in later) if later else {}
        self._notice(changes)
        session, feed = self._session, self._feed
        insert_rows(
            session,
            Call,
            [
                (
                    c.id,
                    feed,
                    c.number,
                    c.stamp,
                    c.digest,
                    c.revision,
                    c.received,
                    c.type,
                    c.noticed,
                    c.open,
                    c.merged_into,
                )
                for c in fresh
            ],
        )
        touched.update((call.id, call) for call in later)
        self._update([call for call in touched.values() if not call.fresh])
        for group in _groups([call.id for call in later]):
            session.execute(delete(Involvement).where(Involvement.call_id.in_(group)))
        rows = []
        for change in changes:
            call_id, month = change.call.id, month_of(change.call.received)
            rows += [
                (call_id, person_id, month, unit, role, start, end)
                for person_id, unit, role, start, end in change.people
            ]
        insert_rows(session, Involvement, rows)
        self.tally.involvements += len(rows)
        for change in changes:
            change.call.fresh = False
            self._queue.changed(change.call, before.get(change.call.id, ()), change.people)
        self._queue.write()

    def _update(self, calls: Sequence[Known]) -> None:
        if not calls:
            return
        table: Any = Call.__table__
        names = ("stamp", "digest", "revision", "received", "type", "noticed", "open", "merged_into")
        statement = update(table).where(table.c.id == bindparam("call_id"))
        statement = statement.values({name: bindparam(f"new_{name}") for name in names})
        values = []
        for call in calls:
            row: dict[str, Any] = {f"new_{name}": getattr(call, name) for name in names}
            values.append({**row, "new_received": moment(call.received), "call_id": call.id})
        self._session.connection().execute(statement, values)

    def _merge(self, changes: dict[str, _Change]) -> None:
        """Carry the people of merged calls over to the calls that they were merged into, as far as those are known."""
        targets = {change.call.merged_into for change in changes.values()} - {""}
        for group in _groups(sorted(changes)):
            query = select(Call.merged_into).where(Call.feed == self._feed, Call.merged_into.in_(group), _IS_MERGED)
            targets.update(self._session.scalars(query))
        if not targets:
            return
        known = self._known(targets)
        people = self._people(call.id for call in known.values())
        carried = []
        for number, call in sorted(known.items()):
            merged = select(Call.id).where(Call.feed == self._feed, Call.merged_into == number, _IS_MERGED)
            more = [one for group in self._people(self._session.scalars(merged)).values() for one in group]
            everybody, brought = together(people.get(call.id, []), more)
            if brought:
                call.revision += 1
                version = changes[number].version if number in changes else _quiet(call)
                carried.append(_Change(call, version, everybody))
        self._write(carried, {})

    # --- what follows ------------------------------------------------------------------------------------------------

    def _notice(self, changes: list[_Change]) -> None:
        """Tell desk of critical incidents and their changes. Old exports that are loaded later open no follow-up."""
        for change in changes:
            call = change.call
            critical = call.type in self._critical and not change.version.canceled
            if not call.noticed and not (critical and call.received > self._noticed_from):
                continue
            call.noticed = True
            notice = IncidentNotice(
                reference=f"CI-{call.number}",
                revision=call.revision,
                kind=call.type,
                occurred=moment(call.received),
                attended=[
                    Attended(person_id, role, moment(start), moment(end) if end is not None else None)
                    for person_id, _, role, start, end in change.people
                    if role != "assigned"
                ],
                unmatched_units=change.version.unmatched,
            )
            delivery.enqueue(self._session, Outbox, notice, receiver="desk")


def settle(store: Store) -> None:
    """Close the calls that nobody has closed within `SETTLED` of their begin."""
    with store.read() as session:
        before = clock.now() - SETTLED
        waiting = session.scalar(select(Call.id).where(Call.open, Call.received <= before).limit(1))
    if waiting is not None:
        with store.write() as session:
            session.execute(update(Call).where(Call.open, Call.received <= before).values(open=False))


def moment(seconds: int) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def together(before: Sequence[Person], more: Sequence[Person]) -> tuple[list[Person], bool]:
    """Who was at a call by two views that add to each other, and whether the second brought anything."""
    found, brought = joined([_involved(one) for one in before], [_involved(one) for one in more])
    return [_person(one) for one in found], brought


def _involved(person: Person) -> Involved:
    person_id, unit, role, start, end = person
    return Involved(person_id, unit, role, moment(start), None if end is None else moment(end))


def _person(one: Involved) -> Person:
    ended = None if one.end is None else int(one.end.timestamp())
    return (one.person_id, one.unit, one.role, int(one.start.timestamp()), ended)


def _column(attribute: Any) -> ColumnElement[Any]:
    column: ColumnElement[Any] = attribute.expression
    return column


def _quiet(call: Known) -> Sighting:
    """A version that says nothing beyond what is known of `call`."""
    return Sighting(
        0, call.number, call.stamp, call.digest, call.received, call.type, False, not call.open, True, "", [], [], []
    )


def _groups(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[begin : begin + _GROUP] for begin in range(0, len(values), _GROUP)]
