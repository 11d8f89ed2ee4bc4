"""Promise: whoever enrols sees the own history within the charter's seconds, and entries from before enrolling too."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from appliance.charter import load_charter
from appliance.desk.models.vault import Delivery
from appliance.intake.models import Call, Involvement
from appliance.model.exposure import load_model
from appliance.storage import open_store
from provisioning.demo import enrol
from provisioning.demo.pockets import Pocket
from provisioning.demo.up import agency_of
from tests.support.system import System

pytestmark = [pytest.mark.system]


def test_a_newly_enrolled_officer_has_the_own_history_within_ten_seconds(agency: System, tmp_path: Path) -> None:
    people = agency_of(agency.home)
    taken = {person.number for person in people.roles.values()}
    weighing = [kind.id for kind in load_model().types if kind.weight > 0]
    intake, desk = open_store(agency.home, "intake"), open_store(agency.home, "desk")
    with intake.read() as session:
        number, calls = session.execute(
            select(Involvement.person_id, func.count())
            .join(Call, Call.id == Involvement.call_id)
            .where(Involvement.person_id.not_in(taken), Call.type.in_(weighing), Involvement.role != "assigned")
            .group_by(Involvement.person_id)
            .order_by(func.count().desc())
        ).first() or ("", 0)
    person = next(one for one in people.people if one.number == number)
    newcomer = Pocket("officer", person.display, person.name, person.password, number=number)
    newcomer.used_file = str(tmp_path / "used")
    newcomer.handle = enrol._handle(desk, newcomer)
    newcomer.slip = enrol._slip(agency.home, desk, newcomer)
    enrol._prepare(agency.home, newcomer, again=False)

    def arrived() -> bool:
        with desk.read() as session:
            kinds = session.scalars(select(Delivery.kind).where(Delivery.handle == newcomer.handle)).all()
        return "history" in kinds

    agency.wait(arrived, seconds=load_charter().constants.exposure_within_seconds, every=0.1)
    # Opened by the browser's own code: every weighing call is there, and the entry that the slip left before enrolling.
    seen = enrol.session(agency.home, newcomer)
    assert len(seen["exposure"]) == calls > 0
    assert any("slip" in str(entry).lower() for entry in seen["entries"])
    assert not seen["entries_problem"]
    intake.close()
    desk.close()
