"""What the coordinator's pages show: the queue of incidents, one incident's steps, and the people who attended it.

Owns: reading `models.follow_up`. The queue holds counts and times only; people are loaded for one incident at a time,
inside `reveal`, after everyone's access log has the look. Must never see: a question that starts from a person; there
is no function here from a handle to incidents, and a test looks for one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from appliance import clock
from appliance.desk.follow_up.steps import StepName, incident_named
from appliance.desk.models.follow_up import Attendance, Incident, Step, UnmatchedUnit
from appliance.desk.models.people import Person

SOON = timedelta(hours=24)
SHOWS = ("due", "not-started", "open", "closed")
SEARCH_LIMIT = 8
SEARCH_LEAST = 3


@dataclass(frozen=True)
class QueueRow:
    """One incident in the queue. `status`: "new", "overdue", "soon", "going", "offered", "closed"."""

    reference: str
    kind: str
    occurred: datetime
    people: int
    unmatched: int
    due: datetime | None
    next_step: StepName | None
    status: str


@dataclass(frozen=True)
class StepView:
    """One step over everyone at an incident: how many it is due to, was offered to, did not reach."""

    name: StepName
    due: datetime
    people: int
    offered: int
    not_reached: int
    last_offered: datetime | None
    how: tuple[str, ...]

    @property
    def open(self) -> int:
        """How many people nobody has offered it to."""
        return self.people - self.offered - self.not_reached

    @property
    def status(self) -> str:
        """ "overdue", "soon", "due", "not_reached" or "offered"."""
        if self.open:
            return _urgency(self.due)
        return "not_reached" if self.not_reached else "offered"


@dataclass(frozen=True)
class PersonView:
    """One person at one incident, with the steps by name. Only ever loaded inside `reveal`."""

    handle: str
    person_id: str
    name: str
    unit: str
    role: str
    offered: int
    steps: int
    not_reached: tuple[StepName, ...]
    next_due: datetime | None


@dataclass(frozen=True)
class IncidentView:
    """One incident without its people."""

    reference: str
    kind: str
    occurred: datetime
    source: str
    opened: datetime
    closed: datetime | None
    people: int
    steps: list[StepView]
    unmatched: list[str]
    resolved_units: list[tuple[str, str]]

    @property
    def may_close(self) -> bool:
        return not self.closed and self.people > 0 and not self.unmatched and not any(s.open for s in self.steps)


@dataclass(frozen=True)
class Candidate:
    """Somebody on the roster who could be added to an incident."""

    handle: str
    person_id: str
    name: str
    unit: str


@dataclass
class _Counts:
    due: list[tuple[datetime, StepName]] = field(default_factory=list)
    offered: int = 0


def _urgency(due: datetime) -> str:
    left = due - clock.now()
    if left < timedelta(0):
        return "overdue"
    return "soon" if left <= SOON else "due"


def queue(session: Session, show: str = "open", find: str = "") -> list[QueueRow]:
    """The incidents of one saved filter, soonest due first.

    `show`: "due" (a step overdue or due in 24 hours), "not-started", "open", "closed". `find` matches the reference or
    the incident's type, never a person.
    """
    wanted = select(Incident)
    wanted = wanted.where(Incident.closed.is_not(None) if show == "closed" else Incident.closed.is_(None))
    if find:
        pattern = f"%{_escaped(find.strip().replace(' ', '_'))}%"
        wanted = wanted.where(
            or_(Incident.reference.ilike(pattern, escape="\\"), Incident.kind.ilike(pattern, escape="\\"))
        )
    incidents = session.scalars(wanted).all()
    ids = [incident.id for incident in incidents]
    people = _counted(session, Attendance.incident_id, ids)
    unmatched = _counted(session, UnmatchedUnit.incident_id, ids, UnmatchedUnit.resolution.is_(None))
    steps = _open_steps(session, ids)
    rows = []
    for incident in incidents:
        row = _row(incident, people[incident.id], unmatched[incident.id], steps[incident.id])
        if show == "due" and (row.due is None or row.due > clock.now() + SOON):
            continue
        if show == "not-started" and steps[incident.id].offered:
            continue
        rows.append(row)
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.due or far, row.reference))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%")


def _counted(
    session: Session, column: InstrumentedAttribute[int], ids: list[int], *where: ColumnElement[bool]
) -> dict[int, int]:
    statement = select(column, func.count()).where(column.in_(ids), *where).group_by(column)
    return defaultdict(int, {row[0]: row[1] for row in session.execute(statement)})


def _open_steps(session: Session, ids: list[int]) -> dict[int, _Counts]:
    counts: dict[int, _Counts] = defaultdict(_Counts)
    statement = (
        select(
            Attendance.incident_id,
            Step.name,
            Step.hours,
            Step.offered_at.is_not(None),
            func.min(Step.due),
            func.count(),
        )
        .join(Attendance, Attendance.id == Step.attendance_id)
        .where(Attendance.incident_id.in_(ids))
        .group_by(Attendance.incident_id, Step.name, Step.hours, Step.offered_at.is_not(None))
    )
    for incident_id, name, hours, offered, due, count in session.execute(statement):
        if offered:
            counts[incident_id].offered += count
        else:
            counts[incident_id].due.append((due, StepName(name, hours)))
    return counts


def _row(incident: Incident, people: int, unmatched: int, counts: _Counts) -> QueueRow:
    due, step = min(counts.due, default=(None, None), key=lambda pair: (pair[0], pair[1].key))
    if incident.closed is not None:
        status = "closed"
    elif due is None:
        status = "offered" if counts.offered else "new"
    elif _urgency(due) != "due":
        status = _urgency(due)
    else:
        status = "going" if counts.offered else "new"
    return QueueRow(incident.reference, incident.kind, incident.occurred, people, unmatched, due, step, status)


def incident(session: Session, reference: str) -> IncidentView:
    """One incident with its steps over everybody, without people. Raises WardwellError."""
    incident = incident_named(session, reference)
    units = session.scalars(
        select(UnmatchedUnit).where(UnmatchedUnit.incident_id == incident.id).order_by(UnmatchedUnit.unit)
    ).all()
    people = _counted(session, Attendance.incident_id, [incident.id])[incident.id]
    return IncidentView(
        incident.reference,
        incident.kind,
        incident.occurred,
        incident.source,
        incident.opened,
        incident.closed,
        people,
        _steps(session, incident.id),
        [unit.unit for unit in units if unit.resolution is None],
        [(unit.unit, unit.resolution) for unit in units if unit.resolution is not None],
    )


def _steps(session: Session, incident_id: int) -> list[StepView]:
    grouped: dict[StepName, list[Step]] = defaultdict(list)
    statement = (
        select(Step)
        .join(Attendance, Attendance.id == Step.attendance_id)
        .where(Attendance.incident_id == incident_id)
        .order_by(Step.hours, Step.name.desc())
    )
    for step in session.scalars(statement):
        grouped[StepName(step.name, step.hours)].append(step)
    return [_step_view(name, steps) for name, steps in grouped.items()]


def _step_view(name: StepName, steps: list[Step]) -> StepView:
    offered = [step for step in steps if step.reached]
    missed = [step for step in steps if step.reached is False]
    waiting = [step.due for step in steps if step.offered_at is None]
    return StepView(
        name,
        min(waiting or [step.due for step in steps]),
        len(steps),
        len(offered),
        len(missed),
        max((step.offered_at for step in steps if step.offered_at is not None), default=None),
        tuple(dict.fromkeys(step.how for step in [*offered, *missed] if step.how is not None)),
    )


def people_at(session: Session, reference: str) -> list[PersonView]:
    """Everyone who attended, by name. Call it inside `reveal` only."""
    incident = incident_named(session, reference)
    steps: dict[int, list[Step]] = defaultdict(list)
    for step in session.scalars(
        select(Step)
        .join(Attendance, Attendance.id == Step.attendance_id)
        .where(Attendance.incident_id == incident.id)
        .order_by(Step.hours)
    ):
        steps[step.attendance_id].append(step)
    rows = session.execute(
        select(Attendance, Person)
        .join(Person, Person.handle == Attendance.handle)
        .where(Attendance.incident_id == incident.id)
        .order_by(Person.name, Person.person_id)
    )
    return [_person_view(attendance, person, steps[attendance.id]) for attendance, person in rows]


def _person_view(attendance: Attendance, person: Person, steps: list[Step]) -> PersonView:
    return PersonView(
        person.handle,
        person.person_id,
        person.name,
        person.unit,
        attendance.role,
        sum(1 for step in steps if step.reached),
        len(steps),
        tuple(StepName(step.name, step.hours) for step in steps if step.reached is False),
        min((step.due for step in steps if step.offered_at is None), default=None),
    )


def find_on_roster(session: Session, text: str) -> list[str]:
    """Handles of people on the roster whose name, number or call sign starts like `text`, for adding to an incident.

    At least SEARCH_LEAST characters, at most SEARCH_LIMIT people: it is no list of the agency. The caller reveals them.
    """
    text = text.strip()
    if len(text) < SEARCH_LEAST:
        return []
    start = f"{_escaped(text).replace('_', chr(92) + '_')}%"
    statement = (
        select(Person.handle)
        .where(
            Person.active.is_(True),
            or_(
                Person.person_id == text,
                Person.call_sign.ilike(start, escape="\\"),
                Person.name.ilike(start, escape="\\"),
                Person.name.ilike(f"% {start}", escape="\\"),
            ),
        )
        .order_by(Person.name, Person.person_id)
        .limit(SEARCH_LIMIT)
    )
    return list(session.scalars(statement))


def candidates(session: Session, handles: list[str]) -> list[Candidate]:
    """The roster's words for `handles`. Call it inside `reveal` only."""
    rows = session.scalars(select(Person).where(Person.handle.in_(handles)).order_by(Person.name, Person.person_id))
    return [Candidate(row.handle, row.person_id, row.name, row.unit) for row in rows]
