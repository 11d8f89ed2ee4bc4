"""What leaves desk each month: groups of the floor or more only, once, and practices at any size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from appliance import clock
from appliance.charter import Charter
from appliance.charter.schema import SHIPPED
from appliance.desk.follow_up import monthly_counts
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import Person, RosterVersion
from appliance.spool.messages import AnyMessage, Attended, FollowUpCounts, IncidentNotice
from appliance.storage import Store

OCTOBER = datetime(2026, 10, 10, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture(autouse=True)
def october(store: Store, charter: Charter) -> Iterator[None]:
    """Two people attended in October; the first contact was offered in time to one of them; it is November now."""
    notice = IncidentNotice(
        reference="260001",
        revision=1,
        kind="suicide",
        occurred=OCTOBER,
        attended=[Attended(number, "responding", OCTOBER, None) for number in ("100", "101")],
        unmatched_units=[],
    )
    with clock.held(OCTOBER), store.write() as session:
        session.add(
            RosterVersion(
                version=7,
                taken_at=OCTOBER,
                sha256="00" * 32,
                headcount=30,
                agency_signer="a",
                trustee_signer="t",
                leaf_index=0,
            )
        )
        follow_up.take_notice(session, notice, follow_up.template(charter))
    with clock.held(OCTOBER + timedelta(hours=2)), store.write() as session:
        step = follow_up.StepName("contact", 24)
        follow_up.offer_to_all(session, "260001", step, "c" * 32, "phone", [f"{1:032x}"])
    with clock.held(datetime(2026, 11, 5, tzinfo=UTC)):
        yield


def sent(store: Store) -> list[Any]:
    with store.read() as session:
        return [msgspec.json.decode(body, type=AnyMessage) for body in session.scalars(select(Outbox.body))]


def test_a_month_goes_once_with_counts_and_practices(store: Store, charter: Charter) -> None:
    assert monthly_counts.send_due(store, charter)
    assert not monthly_counts.send_due(store, charter)
    follow_ups, facts = sent(store)
    assert isinstance(follow_ups, FollowUpCounts)
    assert (follow_ups.period, facts.period, follow_ups.roster_version) == ("2026-10", "2026-10", 7)
    whole = next(group for group in follow_ups.groups if group.group == "Agency")
    november = datetime(2026, 11, 1, 7, tzinfo=UTC)  # midnight in California
    within = [hours for _, hours in follow_up.template(charter) if OCTOBER + timedelta(hours=hours) < november]
    assert whole.headcount == 30
    assert whole.counts == {"steps_due": 2 * len(within), "steps_on_time": 1}
    assert facts.facts["Charter"].startswith("Version 1, not signed by the agency")
    assert set(facts.facts) >= {"Support directory", "Witness of the access log", "Feed of calls"}


def test_no_group_below_the_floor_leaves(store: Store, charter: Charter) -> None:
    with store.read() as session:
        groups = monthly_counts.counts(session, charter, "2026-10", ZONE).groups
    assert groups and all(group.headcount >= charter.constants.floor for group in groups)
    # The control: with a lower floor the two watches of fifteen do appear.
    lower = Charter(SHIPPED.read_bytes().replace(b"floor = 20", b"floor = 11"))
    with store.read() as session:
        groups = monthly_counts.counts(session, lower, "2026-10", ZONE).groups
    assert min(group.headcount for group in groups) == 15


def test_an_agency_below_the_floor_sends_no_group(store: Store, charter: Charter) -> None:
    with store.write() as session:
        for number in range(10, 30):
            session.get_one(Person, f"{number:032x}").active = False
    with store.read() as session:
        assert monthly_counts.counts(session, charter, "2026-10", ZONE).groups == []


def test_nothing_goes_before_the_first_roster(store: Store, charter: Charter) -> None:
    with store.write() as session:
        session.delete(session.get_one(RosterVersion, 7))
    assert not monthly_counts.send_due(store, charter)
    assert sent(store) == []
