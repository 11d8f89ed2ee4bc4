"""Versions of calls: which one counts, who was there by then, and what follows for officers and desk.

Owns: calls and involvement in the database, written a batch at a time. Must never keep: a narrative, a sum about a
person.

A version is newer by its own stamp, never by arrival. The same content again is a repeat, and so is an older view that
comes late, unless it adds. What was closed stays closed. The people of a call that was merged are on the other one, and
the merged one weighs nothing; a split call is a call of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, delete, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from appliance import clock
from appliance.intake.deliver import contributions
from appliance.intake.models import Call, Involvement, Outbox, month_of
from appliance.intake.read.matching import joined, joined_parts
from appliance.intake.records import Part, Person, Sighting
from appliance.intake.settle.crews import Crews, Manned, kept, parts_of, store_parts
from appliance.intake.settle.source import Source, Tally
from appliance.rules.exposure_model import load_model
from appliance.spool import delivery
from appliance.spool.messages import Attended, IncidentNotice
from appliance.storage import insert_rows, rows_among, update_rows

# Written out, not as a value: only so is the partial index of merged calls used.
_IS_MERGED = Call.merged_into != literal_column("''")
# Values per query: databases bound their number.
_GROUP = 1_000

_NOBODY = Manned([], [])

T = TypeVar("T")


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
    parts: list[Part] | None = None


class Versions:
    """The calls of one feed, in the caller's transaction."""

    def __init__(self, session: Session, source: Source) -> None:
        feed = source.feed
        self.tally = Tally()
        self._session, self._feed = session, feed
        self._next = (session.scalar(select(func.max(Call.id))) or 0) + 1
        self._queue = contributions.Queue(session, feed, source.zone)
        now = clock.now()
        self._settled = int((now - source.settled).timestamp())
        self._noticed_from = int((now - timedelta(days=load_model().incident_notice_days)).timestamp())
        self._with_log = kept(session)
        # Most feeds have no merged calls at all.
        self._merges = session.scalar(select(Call.id).where(Call.feed == feed, _IS_MERGED).limit(1)) is not None
        self._crews = Crews(session)
        self._critical = {kind.id for kind in load_model().types if kind.critical}
        self._concerns = {kind.id for kind in load_model().types if kind.weight > 0 or kind.critical}

    def take(self, batch: Sequence[Sighting]) -> None:
        """Bring the calls of `batch`, which are manned, to their newest versions, with everything that follows."""
        known = self._known(list(dict.fromkeys([version.number for version in batch])))
        self._merges = self._merges or any(version.merged_into for version in batch)
        batch = self._store_plain(batch, known)
        adding = [known[v.number].id for v in batch if v.adds and v.number in known]
        people = self._people(adding) if adding else {}
        parts = self._look_up(batch, people) if batch and batch[0].parts is not None else {}
        changes: dict[str, _Change] = {}
        touched: dict[int, Known] = {}
        tally = self.tally
        for version in batch:
            call = known.get(version.number)
            if call is None:
                call = known[version.number] = self._first(version)
                tally.calls += 1
                changes[version.number] = _Change(call, version, version.involved, version.parts)
            elif self._is_repeat(call, version):
                tally.repeats += 1
                if version.stamp > call.stamp:
                    call.stamp = version.stamp
                    touched[call.id] = call
            elif version.adds:
                before = changes.get(version.number)
                if before is None:
                    before = _Change(call, version, people.get(call.id, []), parts.get(call.id, []))
                self._add(version, before, changes, touched)
            else:
                tally.updates += 1
                call.revision += 1
                self._renew(call, version)
                changes[version.number] = _Change(call, version, version.involved, version.parts)
        self._write(list(changes.values()), touched)
        if self._merges:
            self._merge(changes)

    def _store_plain(self, batch: Sequence[Sighting], known: Mapping[str, Known]) -> Sequence[Sighting]:
        """Store those calls of `batch` from which nothing follows; what is left of it.

        Most calls are new, are said once and weigh nothing: telling what changed costs more than storing them.
        """
        if self._merges or self._with_log:
            return batch
        times_named = Counter([version.number for version in batch])
        feed, settled, concerns = self._feed, self._settled, self._concerns
        left = list[Sighting]()
        calls, people = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for seen in batch:
            number, received, kind = seen.number, seen.received, seen.type
            if kind in concerns or number in known or times_named[number] > 1:
                left.append(seen)
                continue
            call_id = self._next + len(calls)
            is_open = not seen.closed and received > settled
            calls.append((call_id, feed, number, seen.stamp, seen.digest, 1, received, kind, False, is_open, ""))
            month = month_of(received)
            for person_id, unit, role, start, end in seen.involved:
                people.append((call_id, person_id, month, unit, role, start, end))
        self._next += len(calls)
        self.tally.calls += len(calls)
        self.tally.involvements += len(people)
        insert_rows(self._session, Call, calls)
        insert_rows(self._session, Involvement, people)
        return left

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

    def manned(self, batch: Sequence[Sighting]) -> Sequence[Sighting]:
        """`batch` with who was there, where the child left that to the unit log."""
        if not batch or batch[0].parts is None:
            return batch
        self._crews.look_up(part for version in batch for part in version.parts or ())
        versions = []
        for version in batch:
            people, unmatched = self._crews.man(version.parts or [])
            versions.append(msgspec.structs.replace(version, involved=people, unmatched=unmatched))
        return versions

    def _look_up(self, batch: Sequence[Sighting], adding: Mapping[int, Sequence[Person]]) -> dict[int, list[Part]]:
        """The units at calls that are added to; their crews and those of `batch` are known from now on."""
        before = parts_of(self._session, adding) if adding else {}
        fresh = (part for version in batch if version.adds for part in version.parts or ())
        self._crews.look_up(chain(fresh, *before.values()))
        return before

    def _add(self, version: Sighting, before: _Change, changes: dict[str, _Change], touched: dict[int, Known]) -> None:
        """A version that says nothing by what it leaves out."""
        call, parts = before.call, None
        if version.parts is None:
            people, brought = joined(before.people, version.involved)
        else:
            parts = joined_parts(before.parts or [], version.parts)
            people, brought = self._crews.man(parts).people, parts != before.parts
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
        changes[call.number] = _Change(call, version, people, parts)

    # --- the database ------------------------------------------------------------------------------------------------

    def _known(self, numbers: Sequence[Any], by: Any = Call.number) -> dict[str, Known]:
        received = type_coerce(Call.received, BigInteger)
        columns: list[Any] = [Call.id, Call.number, Call.stamp, Call.digest, Call.revision, received, Call.type]
        query = select(*columns, Call.noticed, Call.open, Call.merged_into)
        feed = (_column(Call.feed), self._feed)
        known = {}
        for row in rows_among(self._session, query, feed, _column(by), numbers):
            call = known[row[1]] = Known(*row)
            call.noticed, call.open = bool(call.noticed), bool(call.open)
        return known

    def _people(self, ids: Iterable[int]) -> dict[int, list[Person]]:
        people: dict[int, list[Person]] = {}
        table = Involvement
        times: list[Any] = [type_coerce(column, BigInteger) for column in (table.start, table.end)]
        query: Any = select(table.call_id, table.person_id, table.unit, table.role, *times)
        for row in rows_among(self._session, query, None, _column(table.call_id), sorted(set(ids))):
            people.setdefault(row[0], []).append((row[1], row[2], row[3], row[4], row[5]))
        return people

    def _write(self, changes: list[_Change], touched: dict[int, Known]) -> None:
        fresh = [change.call for change in changes if change.call.fresh]
        later = {change.call.id: change.call for change in changes if not change.call.fresh}
        before = self._people(later) if later else {}
        self._notice(changes)
        session, feed = self._session, self._feed
        calls = [
            (c.id, feed, c.number, c.stamp, c.digest, c.revision, c.received, c.type, c.noticed, c.open, c.merged_into)
            for c in fresh
        ]
        insert_rows(session, Call, calls)
        self._update(later.values())
        # Of a repeat only the stamp is newer: no index is touched.
        stamps = [(c.stamp, c.id) for c in touched.values() if not c.fresh and c.id not in later]
        update_rows(session, Call, ["stamp"], stamps)
        self._write_people(changes, before)
        if self._with_log:
            parts = {change.call.id: change.parts for change in changes if change.parts is not None}
            store_parts(self._session, parts)
        for change in changes:
            change.call.fresh = False
            self._queue.changed(change.call, before.get(change.call.id, ()), change.people)
        self._queue.write()

    def _write_people(self, changes: list[_Change], before: dict[int, list[Person]]) -> None:
        """Store who was on the changed calls, of which `before` has who was until now."""
        stale, rows = [], []
        for change in changes:
            call_id, people = change.call.id, change.people
            self.tally.involvements += len(people)
            if call_id in before:
                stale.append(call_id)
            month = month_of(change.call.received)
            rows += [
                (call_id, person_id, month, unit, role, start, end) for person_id, unit, role, start, end in people
            ]
        for group in _groups(stale):
            self._session.execute(delete(Involvement).where(Involvement.call_id.in_(group)))
        insert_rows(self._session, Involvement, rows)

    def _update(self, calls: Iterable[Known]) -> None:
        names = ["stamp", "digest", "revision", "received", "type", "noticed", "open", "merged_into"]
        rows = [
            (c.stamp, c.digest, c.revision, c.received, c.type, c.noticed, c.open, c.merged_into, c.id) for c in calls
        ]
        update_rows(self._session, Call, names, rows)

    def _merge(self, changes: dict[str, _Change]) -> None:
        """Carry the people of merged calls over to the calls that they were merged into, as far as those are known."""
        targets = {change.call.merged_into for change in changes.values()} - {""}
        query, feed = select(Call.merged_into).where(_IS_MERGED), (_column(Call.feed), self._feed)
        rows = rows_among(self._session, query, feed, _column(Call.merged_into), sorted(changes))
        targets.update(number for (number,) in rows)
        if not targets:
            return
        known = self._known(sorted(targets))
        self._write(
            self._revised(known, {changed_number: changes[changed_number].version for changed_number in changes}), {}
        )

    def _revised(self, known: Mapping[str, Known], versions: Mapping[str, Sighting]) -> list[_Change]:
        """Those of the `known` calls on which other people are by now: their own and those merged into them."""
        stored = self._people(call.id for call in known.values())
        own = {call_id: Manned(there, []) for call_id, there in stored.items()}
        if self._with_log:
            parts = parts_of(self._session, {call.id: stored.get(call.id, []) for call in known.values()})
            self._crews.look_up(chain(*parts.values()))
            own = {call_id: self._crews.man(there) for call_id, there in parts.items()}
        changed = []
        for number, call in sorted(known.items()):
            people, unmatched = own.get(call.id, _NOBODY)
            if self._merges:
                merged = select(Call.id).where(Call.feed == self._feed, Call.merged_into == number, _IS_MERGED)
                more = [person for group in self._people(self._session.scalars(merged)).values() for person in group]
                people, _ = joined(people, more)
            if people != sorted(stored.get(call.id, [])):
                call.revision += 1
                changed.append(_Change(call, versions.get(number) or _quiet(call, unmatched), people))
        return changed

    def revise(self, ids: Sequence[int]) -> int:
        """Match those of the calls with `ids` that are of this feed anew; how many turned out otherwise."""
        count = 0
        for group in _groups(ids):
            changes = self._revised(self._known(group, by=Call.id), {})
            self._write(changes, {})
            if self._merges:
                self._merge({change.call.number: change for change in changes})
            count += len(changes)
        return count

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
                reference=reference_of(call.number),
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


def reference_of(number: str) -> str:
    """What desk calls the incident of a call, as it may stand in a page's address."""
    return "CI-" + number.replace("/", ".").replace(" ", "_")


def moment(seconds: int) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def _column(attribute: Any) -> ColumnElement[Any]:
    column: ColumnElement[Any] = attribute.expression
    return column


def _quiet(call: Known, unmatched: list[str]) -> Sighting:
    """A version that says nothing beyond what is known of `call`: it opens no follow-up that was not opened."""
    changed, quiet = call, not call.noticed
    return Sighting(
        0,
        changed.number,
        changed.stamp,
        changed.digest,
        changed.received,
        changed.type,
        quiet,
        not changed.open,
        True,
        "",
        [],
        unmatched,
        [],
    )


def _groups(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[begin : begin + _GROUP] for begin in range(0, len(values), _GROUP)]
