"""What a clock that jumps does to boards and releases: nothing is undone or made twice, whichever way it goes.

Sessions are in `test_break_glass.py`, the doctor's line in `test_conditions.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from appliance import clock
from appliance.charter import load_charter
from appliance.intake import serve
from appliance.intake.models import Call, TakenFile
from appliance.intake.serve import CLOCK_TOLERANCE_SECONDS, Watcher
from appliance.post import epochs
from appliance.press import publish
from appliance.press.models import Input, Release
from appliance.settings import Home
from appliance.storage import Store

NOON = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


class Few:
    """An epoch with fewer sessions than close a board."""

    def count(self, _epoch: int, _kind: str) -> int:
        return 2


def test_a_board_never_goes_back(home: Home, store_of: Callable[[str], Store]) -> None:
    post, charter, few = store_of("post"), load_charter(home), Few()
    memory: Any = few
    with clock.held(NOON):
        opened = epochs.current(post)
    for days in (-1, -400):
        with clock.held(NOON + timedelta(days=days)):
            assert epochs.current(post) == opened
            assert epochs.opened_days(post) == 0 and not epochs.due(post, memory, charter)
    # Forward, too few sessions close it once the longest wait seems to be over, and not before.
    longest = charter.constants.epoch_max_days
    with clock.held(NOON + timedelta(days=longest - 1)):
        assert not epochs.due(post, memory, charter)
    with clock.held(NOON + timedelta(days=longest)):
        assert epochs.due(post, memory, charter)


def test_a_release_is_made_for_closed_months_once(store_of: Callable[[str], Store]) -> None:
    press = store_of("press")
    with press.write() as session:
        session.add_all(
            Input(period="2026-11", kind=kind, body=b"", received_at=NOON) for kind in publish.KINDS.values()
        )
    with clock.held(NOON):
        assert publish.due_periods(press) == []
    with clock.held(NOON + timedelta(days=10)):
        assert publish.due_periods(press) == ["2026-11"]
        with press.write() as session:
            session.add(
                Release(
                    period="2026-11",
                    body=b"",
                    sha256="",
                    salt=b"",
                    made_at=clock.now(),
                    leaf_index=1,
                    published_at=clock.now(),
                )
            )
    for days in (-400, 0, 10, 400):
        with clock.held(NOON + timedelta(days=days)):
            assert publish.due_periods(press) == []


def test_a_clock_that_was_set_makes_the_intake_forget_nothing(
    store_of: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = store_of("intake")
    watcher = Watcher(intake.home)
    old = clock.now() - timedelta(days=1 + watcher.charter.constants.involvement_days)
    with intake.write() as session:
        session.add(TakenFile(sha256="a", feed="cad", name="old.csv", at=old, taken=True))
    true = clock.offset()
    for ahead in (CLOCK_TOLERANCE_SECONDS + 60, -CLOCK_TOLERANCE_SECONDS - 60, 400 * 86_400.0):
        monkeypatch.setattr(clock, "offset", lambda ahead=ahead: true + ahead)
        watcher.send_counts()
        assert _files(intake) == 1 and watcher.clock_set
    monkeypatch.setattr(clock, "offset", lambda: true + 2)  # the control, and what chrony does
    watcher.send_counts()
    assert _files(intake) == 0
    watcher.store.close()


@pytest.mark.parametrize(("newest", "left"), [(400, 3), (1, 1)])
def test_a_start_with_a_clock_far_ahead_forgets_a_day_an_hour(
    store_of: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, newest: int, left: int
) -> None:
    """Control: while calls of these days come in, the newest of yesterday, all that is too old goes at once."""
    intake = store_of("intake")
    watcher = Watcher(intake.home)
    window = watcher.charter.constants.involvement_days
    days = [window + 300, window + 200, window + 100, min(newest, window - 1)]
    with intake.write() as session:
        session.add_all(
            Call(
                feed="cad",
                number=str(n),
                stamp="",
                digest=b"what it said",
                revision=1,
                received=_ago(n),
                type="",
                noticed=False,
                open=False,
                merged_into="",
            )
            for n in days
        )
    watcher.send_counts()
    assert _calls(intake) == (4 if newest > 31 else 1)
    monkeypatch.setattr(serve, "DOUBTFUL_SECONDS", 0.0)
    watcher._next_doubtful = 0.0
    watcher.send_counts()
    assert _calls(intake) == left
    watcher.store.close()


def _ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days, hours=1)


def _calls(intake: Store) -> int:
    with intake.read() as session:
        return session.scalar(select(func.count()).select_from(Call)) or 0


def _files(intake: Store) -> int:
    with intake.read() as session:
        return session.scalar(select(func.count()).select_from(TakenFile)) or 0
