"""Follow-up of critical incidents: opening, adding people, offering to all, closing for all alike.

Owns: every change to `models.follow_up`. What a page shows is read by `follow_up_views`. An offer goes to all who
attended, in one action; the only exception is "not reached". Must never see: an answer to an offer, an outcome, free
text; no function here finds incidents by a person.

Steps open for all who attended: the charter's contacts (`follow_up_hours` after the incident) and physical safety.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter
from appliance.crypto.canonical import canonical
from appliance.desk.models.corrections import Correction
from appliance.desk.models.follow_up import WAYS, Attendance, ClosingRecord, Incident, Step, UnmatchedUnit
from appliance.desk.models.people import Person
from appliance.errors import WardwellError
from appliance.spool.delivery import Handler
from appliance.spool.messages import IncidentNotice, Message

# Physical safety, hours after the incident. A choice, to be agreed with the officers' trustee: relief within the
# shift, a medical check the same day, equipment (weapon, vest, uniform held as evidence) before the third day, and a
# check before or soon after the return to duty.
SAFETY_HOURS: tuple[tuple[str, int], ...] = (
    ("relief", 4),
    ("medical_check", 24),
    ("equipment", 72),
    ("return_check", 336),
)
# An incident first heard of later than this (a re-drop of old exports) opens only the steps that still lie ahead.
LATE = timedelta(days=14)
RECORD_BYTES = 4096

Template = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class StepName:
    """Which step: its name and its hours after the incident. `key` is its form in addresses: "contact-24"."""

    name: str
    hours: int

    @property
    def key(self) -> str:
        return f"{self.name.replace('_', '-')}-{self.hours}"

    @classmethod
    def parse(cls, key: str) -> StepName:
        """Raises WardwellError for something that is no step."""
        name, _, hours = key.rpartition("-")
        if not name or not hours.isdigit():
            raise WardwellError("There is no such follow-up step.", "Go back to the incident.")
        return cls(name.replace("-", "_"), int(hours))


def template(charter: Charter) -> Template:
    """The steps that an incident opens, in the order in which they fall due."""
    contacts = [("contact", hours) for hours in charter.constants.follow_up_hours]
    return sorted([*SAFETY_HOURS, *contacts], key=lambda step: (step[1], step[0] == "contact"))


def handlers(charter: Charter) -> Mapping[type[Message], Handler]:
    """What desk's worker does with the messages of this module."""
    steps = template(charter)
    return {IncidentNotice: lambda session, notice: take_notice(session, notice, steps)}


def take_notice(session: Session, notice: IncidentNotice, steps: Template) -> None:
    """Create or update the incident of `notice`. A revision not higher than the stored one changes nothing.

    People whom the new revision no longer names stay when something was already offered to them: that is a fact.
    People whom it newly names re-open a closed incident, since nothing was offered to them yet.
    """
    now = clock.now()
    incident = session.scalar(select(Incident).where(Incident.reference == notice.reference))
    if incident is None:
        steps = _ahead(steps, notice.occurred, now)
        if not steps:
            return
        incident = Incident(
            reference=notice.reference,
            revision=notice.revision,
            kind=notice.kind,
            occurred=notice.occurred,
            source="feed",
            opened=now,
        )
        session.add(incident)
        session.flush()
    elif notice.revision <= incident.revision:
        return
    else:
        incident.revision, incident.kind = notice.revision, notice.kind
        _move(session, incident, notice.occurred)
        steps = _own_template(session, incident.id) or steps
    _attended_by_feed(session, incident, notice, steps, now)


def _ahead(steps: Template, occurred: datetime, now: datetime) -> Template:
    if now - occurred <= LATE:
        return steps
    return [(name, hours) for name, hours in steps if occurred + timedelta(hours=hours) > now]


def _move(session: Session, incident: Incident, occurred: datetime) -> None:
    """A corrected time moves what is not yet offered."""
    shift = occurred - incident.occurred
    incident.occurred = occurred
    if shift:
        for step in session.scalars(_steps_of(incident.id).where(Step.offered_at.is_(None))):
            step.due += shift


def _steps_of(incident_id: int) -> Select[Step]:
    return (
        select(Step).join(Attendance, Attendance.id == Step.attendance_id).where(Attendance.incident_id == incident_id)
    )


def _own_template(session: Session, incident_id: int) -> Template:
    rows = session.execute(
        select(Step.name, Step.hours)
        .join(Attendance, Attendance.id == Step.attendance_id)
        .where(Attendance.incident_id == incident_id)
        .distinct()
        .order_by(Step.hours, Step.name)
    )
    return [(name, hours) for name, hours in rows]


def _attended_by_feed(
    session: Session, incident: Incident, notice: IncidentNotice, steps: Template, now: datetime
) -> None:
    handle_of = _handles_by_number(session, [person.person_id for person in notice.attended])
    known = {
        row.handle: row for row in session.scalars(select(Attendance).where(Attendance.incident_id == incident.id))
    }
    # Someone the feed names but the roster does not know is shown like an unmatched unit, so that nobody is lost.
    units = list(
        dict.fromkeys(
            [*notice.unmatched_units, *(p.person_id for p in notice.attended if p.person_id not in handle_of)]
        )
    )
    base = incident.occurred if now - incident.opened < timedelta(days=1) else now
    corrected = _taken_off(session, incident.reference)
    for person in notice.attended:
        handle = handle_of.get(person.person_id)
        if handle is None:
            continue
        row = known.pop(handle, None)
        if row is None and handle in corrected:
            continue  # the feed repeats what was found to be wrong
        if row is None:
            _attend(session, incident, handle, person.role, "feed", steps, base, person.start, person.end)
        else:
            row.role, row.started, row.ended = person.role, person.start, person.end
    for row in known.values():
        offered = exists().where(Step.attendance_id == row.id, Step.offered_at.is_not(None))
        if row.source == "feed" and not session.scalar(select(offered)):
            session.execute(delete(Step).where(Step.attendance_id == row.id))
            session.delete(row)
    _unmatched(session, incident.id, units)


def _attend(
    session: Session,
    incident: Incident,
    handle: str,
    role: str,
    source: str,
    steps: Template,
    base: datetime,
    started: datetime | None = None,
    ended: datetime | None = None,
) -> None:
    row = Attendance(incident_id=incident.id, handle=handle, role=role, source=source, started=started, ended=ended)
    session.add(row)
    session.flush()
    session.add_all(
        Step(attendance_id=row.id, name=name, hours=hours, due=base + timedelta(hours=hours)) for name, hours in steps
    )
    incident.closed = None
    session.execute(delete(ClosingRecord).where(ClosingRecord.incident_id == incident.id))


def _taken_off(session: Session, reference: str) -> set[str]:
    """Handles of those whom a decided correction took off the incident."""
    grounds = Correction.ground.in_(("not_there", "other_person"))
    rows = select(Correction.handle).where(Correction.reference == reference, Correction.decision == "made", grounds)
    return set(session.scalars(rows))


def _unmatched(session: Session, incident_id: int, units: Iterable[str]) -> None:
    wanted = set(units)
    for row in session.scalars(select(UnmatchedUnit).where(UnmatchedUnit.incident_id == incident_id)):
        if row.unit in wanted:
            wanted.discard(row.unit)
        elif row.resolution is None:
            session.delete(row)
    session.add_all(UnmatchedUnit(incident_id=incident_id, unit=unit) for unit in sorted(wanted))


def _handles_by_number(session: Session, numbers: Sequence[str]) -> dict[str, str]:
    rows = session.execute(select(Person.person_id, Person.handle).where(Person.person_id.in_(numbers)))
    return {row.person_id: row.handle for row in rows}


# --- by the coordinator ----------------------------------------------------------------------------------------------


def open_by_hand(session: Session, kind: str, occurred: datetime, by: str) -> str:
    """Open an incident that no feed named; returns its reference ("H-" and eight hex digits).

    `by` is the coordinator's account id. Steps open with each person that is added.
    """
    if occurred > clock.now():
        raise WardwellError("That time is in the future.", "Enter when the incident happened.")
    incident = Incident(
        reference=f"H-{secrets.token_hex(4).upper()}",
        revision=0,
        kind=kind,
        occurred=occurred,
        source="hand",
        opened=clock.now(),
        opened_by=by,
    )
    session.add(incident)
    session.flush()
    return incident.reference


def incident_named(session: Session, reference: str) -> Incident:
    """The incident with `reference`. Raises WardwellError."""
    incident = session.scalar(select(Incident).where(Incident.reference == reference))
    if incident is None:
        raise WardwellError("There is no such incident.", "Go back to the queue.")
    return incident


def attended_handles(session: Session, reference: str) -> list[str]:
    """Handles of all who attended; empty for an unknown reference. For the access log, before anything is loaded."""
    rows = session.scalars(
        select(Attendance.handle)
        .join(Incident, Incident.id == Attendance.incident_id)
        .where(Incident.reference == reference)
        .order_by(Attendance.handle)
    )
    return list(rows)


def add_person(session: Session, reference: str, handle: str, steps: Template, unit: str = "") -> None:
    """Add someone from the roster; `unit` names the unmatched unit that this person was, if any.

    The same steps open as for everyone else at the incident, counted from now when the incident is older than a day.
    """
    incident = incident_named(session, reference)
    person = session.get(Person, handle)
    if person is None:
        raise WardwellError("That person is not on the roster.", "Ask the administrator for a new roster.")
    if handle not in attended_handles(session, reference):
        now = clock.now()
        base = incident.occurred if now - incident.occurred < timedelta(days=1) else now
        _attend(session, incident, handle, "added", "hand", _own_template(session, incident.id) or steps, base)
    if unit:
        resolve_unit(session, reference, unit, "person_added")


def take_off(session: Session, reference: str, handle: str) -> None:
    """Take someone off who was not there, with the steps not offered yet. What was offered stays, as a fact.

    Raises WardwellError when the person is not listed.
    """
    incident = incident_named(session, reference)
    row = session.scalar(select(Attendance).where(Attendance.incident_id == incident.id, Attendance.handle == handle))
    if row is None:
        raise WardwellError("That person is not listed at this incident.", "Keep the record as it is.")
    session.execute(delete(Step).where(Step.attendance_id == row.id, Step.offered_at.is_(None)))
    if not session.scalar(select(exists().where(Step.attendance_id == row.id))):
        session.delete(row)


def resolve_unit(session: Session, reference: str, unit: str, resolution: str = "not_a_person") -> None:
    """Say what an unmatched unit was: "person_added" or "not_a_person" (a boat, a dog, another agency)."""
    incident = incident_named(session, reference)
    row = session.scalar(
        select(UnmatchedUnit).where(UnmatchedUnit.incident_id == incident.id, UnmatchedUnit.unit == unit)
    )
    if row is None:
        raise WardwellError("That unit is not at this incident.", "Go back to the incident.")
    row.resolution, row.resolved_at = resolution, clock.now()


def offer_to_all(
    session: Session, reference: str, step: StepName, by: str, how: str = "to_all", not_reached: Sequence[str] = ()
) -> int:
    """Record that `step` was offered to all who attended, one time and one way for all; how many rows that touched.

    `not_reached` are the handles whom the offer did not reach. Asked again, it touches only those not reached before:
    who was reached stays as recorded. Raises WardwellError for a step or way that does not exist.
    """
    if how not in WAYS:
        raise WardwellError("There is no such way to offer.", "Choose one from the list.")
    incident = incident_named(session, reference)
    rows = session.execute(
        select(Step, Attendance.handle)
        .join(Attendance, Attendance.id == Step.attendance_id)
        .where(Attendance.incident_id == incident.id, Step.name == step.name, Step.hours == step.hours)
    ).all()
    if not rows:
        raise WardwellError("There is no such step at this incident.", "Go back to the incident.")
    now, touched = clock.now(), 0
    for row, handle in rows:
        if row.reached:
            continue
        row.offered_at, row.offered_by, row.how, row.reached = now, by, how, handle not in not_reached
        touched += 1
    return touched


def close(session: Session, reference: str) -> None:
    """Close the incident for all who attended at once, and write everybody's record, alike in shape, size and time.

    Raises WardwellError while a step is neither offered nor marked "not reached", or a unit is still unmatched.
    """
    incident = incident_named(session, reference)
    people = session.scalars(
        select(Attendance).where(Attendance.incident_id == incident.id).order_by(Attendance.handle)
    ).all()
    steps = {
        row.id: session.scalars(select(Step).where(Step.attendance_id == row.id).order_by(Step.hours, Step.name)).all()
        for row in people
    }
    if not people or any(step.offered_at is None for rows in steps.values() for step in rows):
        raise WardwellError("A step has not been offered to everyone yet.", "Offer it, or mark who was not reached.")
    if session.scalar(
        select(exists().where(UnmatchedUnit.incident_id == incident.id, UnmatchedUnit.resolution.is_(None)))
    ):
        raise WardwellError(
            "A unit has not been matched to a person yet.", "Add the person, or say that nobody was on it."
        )
    if incident.closed is not None:
        return
    incident.closed = clock.now()
    session.add_all(
        ClosingRecord(incident_id=incident.id, handle=row.handle, body=_record(incident, steps[row.id]))
        for row in people
    )


def _record(incident: Incident, steps: Sequence[Step]) -> bytes:
    """One person's closing record: no name, no answer; padded with spaces so that all have the same size."""
    assert incident.closed is not None
    body = canonical(
        {
            "v": 1,
            "reference": incident.reference,
            "kind": incident.kind,
            "occurred": _utc(incident.occurred),
            "closed": _utc(incident.closed),
            "steps": [
                {
                    "name": step.name,
                    "hours": step.hours,
                    "due": _utc(step.due),
                    "offered": _utc(step.offered_at) if step.offered_at else "",
                    "how": step.how,
                    "reached": 1 if step.reached else 0,
                }
                for step in steps
            ],
        }
    )
    if len(body) > RECORD_BYTES:
        raise ValueError("a closing record is longer than its fixed size")
    return body.ljust(RECORD_BYTES)


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
