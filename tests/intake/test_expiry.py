"""Promise: what is held for one person changes nothing for the others, also when old exports are dropped again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance import clock
from appliance.charter import load_charter
from appliance.intake.models import Call, Involvement
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.expiry import expire, take_hold
from appliance.intake.settle.take import take_files
from appliance.spool.messages import LegalHold
from appliance.storage import Store
from tests.intake.support import file, roster, row

PROFILE = load_profile("san-luis-obispo")
NOW = datetime(2026, 10, 15, 18, tzinfo=UTC)
HELD, OTHER, YOUNG = "E0001", "E0002", "E0003"


@pytest.mark.parametrize("held", [True, False])
def test_an_old_export_dropped_again_brings_everybodys_history(
    store_of: Callable[[str], Store], tmp_path: Path, held: bool
) -> None:
    store = store_of("intake")
    charter = load_charter(store.home)
    roster(store)
    path = file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202"))

    def people() -> list[str]:
        with store.read() as session:
            return sorted(session.scalars(select(Involvement.person_id).where(Involvement.person_id != YOUNG)))

    with clock.held(NOW):
        assert take_files(store, "cad", PROFILE, [path], keep=True).taken == 1
        assert people() == [HELD, OTHER]
    if held:
        with store.write() as session:
            take_hold(session, LegalHold(person_id=HELD, held=True))
    later = NOW + timedelta(days=charter.constants.involvement_days + 1)
    with clock.held(later):
        # Calls come in as ever, so the clock is not in doubt.
        young = row("2", "4203", day=f"{later:%m/%d/%y}")
        take_files(store, "cad", PROFILE, [file(tmp_path, f"cad_export_{later:%Y%m%d}_233100.csv", young)])
        expire(store, charter, doubtful_too=False)
        assert people() == ([HELD] if held else [])
        assert take_files(store, "cad", PROFILE, [path], keep=True).taken == 1
        # Who enrols late is given this call, hold or none.
        assert people() == [HELD, OTHER]
        with store.read() as session:
            assert session.scalars(select(Call.number)).all().count("1") == 1
        expire(store, charter, doubtful_too=False)
        assert people() == ([HELD] if held else [])


@pytest.mark.parametrize("doubtful_too", [True, False])
def test_what_is_held_does_not_stop_the_slow_forgetting_of_a_doubtful_clock(
    store_of: Callable[[str], Store], tmp_path: Path, doubtful_too: bool
) -> None:
    store = store_of("intake")
    charter = load_charter(store.home)
    roster(store)
    with clock.held(NOW):
        path = file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201"), row("2", "4202", day="10/10/26"))
        take_files(store, "cad", PROFILE, [path], keep=True)
    with store.write() as session:
        take_hold(session, LegalHold(person_id=OTHER, held=True))
    # No call since: the clock is in doubt. The held call is the oldest; the other goes by the second look.
    with clock.held(NOW + timedelta(days=charter.constants.involvement_days + 30)):
        expire(store, charter, doubtful_too=doubtful_too)
        expire(store, charter, doubtful_too=doubtful_too)
    with store.read() as session:
        assert sorted(session.scalars(select(Involvement.person_id))) == ([OTHER] if doubtful_too else [HELD, OTHER])
