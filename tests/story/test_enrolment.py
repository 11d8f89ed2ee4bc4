"""Promise: whoever enrols sees the own history within the charter's seconds, and entries from before enrolling too."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.charter import load_charter
from appliance.desk.models.vault import Delivery
from appliance.storage import open_store
from tests.demonstration import enrol
from tests.story.newcomers import newcomer
from tests.support.system import System
from tests.support.waiting import until

pytestmark = [pytest.mark.system]


def test_a_newly_enrolled_officer_has_the_own_history_within_ten_seconds(agency: System, tmp_path: Path) -> None:
    person, calls = newcomer(agency, tmp_path / "used")
    desk = open_store(agency.home, "desk")
    enrol._prepare(agency.home, person, again=False)

    def arrived() -> bool:
        with desk.read() as session:
            kinds = session.scalars(select(Delivery.kind).where(Delivery.handle == person.handle)).all()
        return "history" in kinds

    until(arrived, seconds=load_charter().constants.exposure_within_seconds, every=0.1)
    # Opened by the browser's own code: every weighing call is there, and the entry that the slip left before enrolling.
    seen = enrol.session(agency.home, person)
    assert len(seen["exposure"]) == calls > 0
    assert any("slip" in str(entry).lower() for entry in seen["entries"])
    assert not seen["entries_problem"]
    desk.close()
