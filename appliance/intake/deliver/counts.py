"""Heavy calls per group and month, for the release.

Owns: one count in memory that leaves as groups of the floor or more (`appliance.rules.rollup`). Must never keep or
print: the count of a person, or of a group below the floor.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance.charter import Charter
from appliance.intake.models import Call, CountedPeriod, Involvement, Outbox, RosterRow
from appliance.rules.exposure_model import load_model
from appliance.rules.months import begin, end, is_settled, month_after, month_of
from appliance.rules.rollup import roll_up, withheld_groups
from appliance.spool import delivery
from appliance.spool.messages import HeavyCallCounts
from appliance.storage import Store


def complete_periods(session: Session, zone: ZoneInfo) -> list[str]:
    """Months that have calls, have ended and have not been counted, oldest first.

    Ended by the clock and by a later call: with a clock that is ahead, the exports of that month are still to come.
    """
    first, newest = session.execute(select(func.min(Call.received), func.max(Call.received))).one()
    if first is None:
        return []
    done = set(session.scalars(select(CountedPeriod.period)))
    periods: list[str] = []
    period = month_of(first.astimezone(zone))
    while is_settled(period, zone) and newest >= end(period, zone):
        if period not in done:
            periods.append(period)
        period = month_after(period)
    return periods


def count(session: Session, period: str, zone: ZoneInfo, floor: int) -> HeavyCallCounts:
    """The message for one month."""
    first, after = begin(period, zone), end(period, zone)
    heavy = [kind.id for kind in load_model().types if kind.heavy]
    query = (
        select(RosterRow.division, RosterRow.unit, func.count())
        .select_from(Involvement)
        .join(Call, Call.id == Involvement.call_id)
        .join(RosterRow, RosterRow.person_id == Involvement.person_id)
        .where(Call.received >= first, Call.received < after, Call.type.in_(heavy), Involvement.role != "assigned")
        .group_by(RosterRow.division, RosterRow.unit)
    )
    figures = Counter({(division, unit): number for division, unit, number in session.execute(query)})
    people = [(division, unit) for division, unit in session.execute(select(RosterRow.division, RosterRow.unit))]
    received = session.scalars(select(Call.received).where(Call.received >= first, Call.received < after))
    days = {moment.astimezone(zone).date() for moment in received}
    year, number = (int(part) for part in period.split("-"))
    return HeavyCallCounts(
        period=period,
        roster_version=session.scalar(select(func.max(RosterRow.roster_version))) or 0,
        groups=roll_up(people, {"heavy_calls": figures}, floor),
        withheld=withheld_groups(people, floor),
        feed_days_missing=monthrange(year, number)[1] - len(days),
    )


def send_due(store: Store, charter: Charter, zone: ZoneInfo) -> list[str]:
    """Send the counts of every month that is due, once each; the months sent."""
    with store.read() as session:
        due = complete_periods(session, zone)
    for period in due:
        with store.write() as session:
            message = count(session, period, zone, charter.constants.floor)
            delivery.enqueue(session, Outbox, message, receiver="press")
            session.add(CountedPeriod(period=period))
    return due
