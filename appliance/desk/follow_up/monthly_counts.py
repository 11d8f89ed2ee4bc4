"""What desk tells press once a month: follow-up steps per group, and practices with no person behind them.

Owns: the two messages of a month and that they go once. Steps are counted in memory, per division and unit, and rolled
up to the charter's floor before anything leaves (`appliance.rules.rollup`). Must never see: a figure of one person; no
sum is stored.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.charter import Charter, signatures
from appliance.desk.log_state import log_state
from appliance.desk.models.base import Outbox
from appliance.desk.models.follow_up import Attendance, FollowUpMonth, Step
from appliance.desk.models.people import Grant, Person, RosterVersion
from appliance.desk.models.receipts import Receipt
from appliance.rules.months import begin, end, last_settled
from appliance.rules.rollup import roll_up
from appliance.settings import Home
from appliance.spool.delivery import enqueue
from appliance.spool.messages import FollowUpCounts, Practices
from appliance.storage import Store


def send_due(store: Store, charter: Charter) -> bool:
    """Queue the messages of the last settled month unless they went already or there is no roster; whether it did.

    Cheap when there is nothing to do: desk's worker asks every minute.
    """
    zone = ZoneInfo(store.home.settings().time_zone)
    period = last_settled(zone)
    with store.read() as session:
        if session.get(FollowUpMonth, period) is not None or _roster_version(session) == 0:
            return False
    facts = practices(store, charter, period, zone)
    with store.write() as session:
        if session.get(FollowUpMonth, period) is not None:
            return False
        session.add(FollowUpMonth(period=period, sent_at=clock.now()))
        enqueue(session, Outbox, counts(session, charter, period, zone), receiver="press")
        enqueue(session, Outbox, Practices(period=period, facts=facts), receiver="press")
    return True


def _roster_version(session: Session) -> int:
    return int(session.scalar(select(func.max(RosterVersion.version))) or 0)


def counts(session: Session, charter: Charter, period: str, zone: ZoneInfo) -> FollowUpCounts:
    """Steps due in the month and those offered by then, per group of the floor or more.

    On time means offered, and the person reached, until the step was due. What was answered is not known here.
    """
    first, after = begin(period, zone), end(period, zone)
    due: Counter[tuple[str, str]] = Counter()
    on_time: Counter[tuple[str, str]] = Counter()
    steps = session.execute(
        select(Person.division, Person.unit, Step.due, Step.offered_at, Step.reached)
        .join(Attendance, Attendance.id == Step.attendance_id)
        .join(Person, Person.handle == Attendance.handle)
        .where(Step.due >= first, Step.due < after, Person.active.is_(True))
    )
    for division, unit, due_at, offered_at, reached in steps:
        due[division, unit] += 1
        on_time[division, unit] += bool(reached and offered_at is not None and offered_at <= due_at)
    people = [(row[0], row[1]) for row in session.execute(select(Person.division, Person.unit).where(Person.active))]
    groups = roll_up(people, {"steps_due": due, "steps_on_time": on_time}, charter.constants.floor)
    return FollowUpCounts(period=period, roster_version=_roster_version(session), groups=groups)


def practices(store: Store, charter: Charter, period: str, zone: ZoneInfo) -> dict[str, str]:
    """Facts that have no person behind them: title -> value, in the order in which a page shows them."""
    with store.read() as session:
        coordinators = session.scalar(
            select(func.count())
            .select_from(Grant)
            .where(Grant.role == "coordinator", Grant.countersigned_at.is_not(None), Grant.revoked_at.is_(None))
        )
        feed = _feed(session, begin(period, zone), end(period, zone))
    return {
        "Charter": _charter(store.home, charter),
        "Wellness coordinators": f"{coordinators or 0} appointed",
        "Support directory": _directory(store.home),
        "Witness of the access log": _witness(store.home, charter, zone),
        "Feed of calls": feed,
    }


def _charter(home: Home, charter: Charter) -> str:
    unsigned = [signatures.SIGNERS[signed.signer] for signed in signatures.verify(home) if signed.problem]
    signed = f"not signed by {' and '.join(unsigned)}" if unsigned else "signed by the agency and the officers' trustee"
    return f"Version {charter.version}, {signed}"


def _directory(home: Home) -> str:
    try:
        listed = json.loads((home.public / "keylist.json").read_text())["supporters"]
        roles = Counter(supporter["role"] for supporter in listed)
    except (OSError, ValueError, KeyError, TypeError):
        return "No list of peers and clinicians yet"
    peers, clinicians = roles["peer"], roles["clinician"]
    return f"{peers} peer{'' if peers == 1 else 's'} and {clinicians} clinician{'' if clinicians == 1 else 's'}"


def _witness(home: Home, charter: Charter, zone: ZoneInfo) -> str:
    state = log_state(home, timedelta(hours=charter.constants.cosignature_age_hours))
    if state.witnessed is None:
        return "Has not signed yet"
    day = state.witnessed.astimezone(zone)
    return f"Last signed {day:%b} {day.day}, {day.year}{'; that is too long ago' if state.problem else ''}"


def _feed(session: Session, first: datetime, after: datetime) -> str:
    files, taken = session.execute(
        select(func.count(), func.count().filter(Receipt.taken.is_(True))).where(
            Receipt.at >= first, Receipt.at < after
        )
    ).one()
    return f"{taken} of {files} files taken" if files else "No file arrived in this month"
