"""Correcting the duty-of-care record: anybody may ask under their own name, the coordinator decides, both stay.

Owns: requests and decisions, and carrying a decision out in the record. It has nothing to do with what an officer
leaves out of their own sums. Must never see: a private space. Whether an incident or a person exists is never told to
whoever asks: every request is taken alike.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.models.corrections import DECISIONS, GROUNDS, Correction
from appliance.desk.models.people import DeskAccount, Person
from appliance.errors import WardwellError

# How many requests of one person may wait at a time.
MOST_OPEN = 20
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,40}")


@dataclass(frozen=True)
class Asked:
    """One request without people, as its asker and the coordinator's list see it."""

    key: str
    reference: str
    ground: str
    asked_at: datetime
    decision: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class Whole(Asked):
    """One request with people: made inside `reveal` only. `name` is "" for a number that the roster does not have."""

    number: str
    name: str
    asker: str
    own: bool


def read(reference: str, number: str, ground: str) -> tuple[str, str, str]:
    """The three fields as they may be stored. Raises WardwellError."""
    reference, number = reference.strip(), number.strip()
    if not _REFERENCE.fullmatch(reference):
        raise WardwellError("That is not the reference of an incident.", "Copy it from your access log or the offer.")
    if number and not _NUMBER.fullmatch(number):
        raise WardwellError("That is not an employee number.", "Leave it empty if the request is about yourself.")
    if ground not in GROUNDS:
        raise WardwellError("Say what is wrong.", "Choose one from the list.")
    return reference, number, ground


def concerned(session: Session, asked_by: str, number: str) -> tuple[str, str]:
    """(number, handle) of whom a request is about: the asker without a number; handle "" when nobody has it."""
    if not number:
        person = session.get(Person, asked_by)
        return (person.person_id if person else "", asked_by)
    handle = session.scalar(select(Person.handle).where(Person.person_id == number))
    return number, handle or ""


def ask(session: Session, asked_by: str, reference: str, number: str, ground: str) -> str:
    """Keep a request; its key. Raises WardwellError for fields that are none, or when too many of one person wait."""
    reference, number, ground = read(reference, number, ground)
    waiting = select(func.count()).where(Correction.asked_by == asked_by, Correction.decision.is_(None))
    if (session.scalar(waiting) or 0) >= MOST_OPEN:
        raise WardwellError(f"{MOST_OPEN} of your requests still wait.", "Wait until the coordinator has decided some.")
    number, handle = concerned(session, asked_by, number)
    row = Correction(
        key=secrets.token_hex(16),
        reference=reference,
        number=number,
        handle=handle,
        ground=ground,
        asked_by=asked_by,
        asked_at=clock.now(),
    )
    session.add(row)
    return row.key


def _asked(row: Correction) -> Asked:
    return Asked(row.key, row.reference, row.ground, row.asked_at, row.decision, row.decided_at)


def own(session: Session, asked_by: str) -> list[Asked]:
    """What one person asked for, newest first; for that person alone."""
    rows = session.scalars(select(Correction).where(Correction.asked_by == asked_by))
    return sorted(map(_asked, rows), key=lambda request: request.asked_at, reverse=True)


def waiting(session: Session) -> list[Asked]:
    """Requests that nobody decided yet, oldest first; without people."""
    rows = session.scalars(select(Correction).where(Correction.decision.is_(None)).order_by(Correction.asked_at))
    return [_asked(row) for row in rows]


def of_incident(session: Session, reference: str) -> list[Asked]:
    """Every request about one incident, oldest first: it stays beside the record. Without people."""
    rows = session.scalars(select(Correction).where(Correction.reference == reference).order_by(Correction.asked_at))
    return [_asked(row) for row in rows]


def people_of(session: Session, key: str) -> list[str]:
    """Handles of whom a request is about and who made it; for their access logs, before anything is loaded."""
    row = session.get(Correction, key)
    return [] if row is None else [handle for handle in dict.fromkeys((row.handle, row.asked_by)) if handle]


def _found(session: Session, key: str) -> Correction:
    row = session.get(Correction, key)
    if row is None:
        raise WardwellError("There is no such request.", "Go back to the list.")
    return row


def whole(session: Session, key: str, by: str) -> Whole:
    """One request with its people; `own` when `by` made it. Call it inside `reveal` only. Raises WardwellError."""
    row = _found(session, key)
    person, asker = session.get(Person, row.handle), session.get(DeskAccount, row.asked_by)
    known = _asked(row)
    return Whole(
        **vars(known),
        number=row.number,
        name=person.name if person else "",
        asker=asker.name if asker else "",
        own=row.asked_by == by,
    )


def decide(session: Session, key: str, decision: str, by: str, steps: follow_up.Template) -> None:
    """Decide a request and, when it is "made", carry it out. Both stay for good.

    "not_there" and "other_person" take the person off the incident, "not_listed" adds the person; a wrong call is
    corrected by the dispatch records' next export. Raises WardwellError when it was decided, is one's own, or cannot
    be carried out.
    """
    row = _found(session, key)
    if decision not in DECISIONS:
        raise WardwellError("There is no such decision.", "Choose one of the two.")
    if row.decision is not None:
        raise WardwellError("This request has already been decided.", "Ask again if the record is still wrong.")
    if row.asked_by == by:
        raise WardwellError("Nobody decides their own request.", "Leave it to another coordinator.")
    if decision == "made":
        _carry_out(session, row, steps)
    row.decision, row.decided_by, row.decided_at = decision, by, clock.now()


def _carry_out(session: Session, row: Correction, steps: follow_up.Template) -> None:
    follow_up.incident_named(session, row.reference)
    if row.ground == "not_listed":
        follow_up.add_person(session, row.reference, row.handle, steps)
    elif row.ground != "wrong_call":
        follow_up.take_off(session, row.reference, row.handle)
