"""Promise: a worker stops when told, does at once what is due now and then when asked, and outlives its errors.

No test waits: the pause between two turns is a step of a clock that the test holds.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from appliance.errors import WardwellError
from appliance.runtime.turns import BACK_OFF_SECONDS, HEALTH_SECONDS, RETRY_SECONDS, Control, Duty, Turns

LOG = structlog.get_logger("worker")
ROW = "ZZ-A-ROW-OF-SOMEBODY"


class Held(Control):
    """A control whose pauses pass at once on a clock of its own; after `turns` turns it stops."""

    def __init__(self, turns: int) -> None:
        super().__init__(lambda begun, done: self.recorded.append((begun, done)))
        self.recorded: list[tuple[int, int]] = []
        self.pauses: list[float] = []
        self.at, self._left = 0.0, turns
        self.between: Callable[[int], None] = lambda turn: None

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds
        self._left -= 1
        self.between(len(self.pauses))
        if not self._left:
            self.stop()

    def run(self, *duties: Duty, pause: float = 1.0, survives: type[Exception] | tuple[()] = Exception) -> Turns:
        turns = Turns(self, LOG, pause=pause, survives=survives, now=lambda: self.at)
        turns.run(*duties)
        return turns


def raising(*errors: Exception | None) -> Callable[[], None]:
    """Raises these in turn; None: all is well, and so it stays at the end."""
    left = list(errors)

    def act() -> None:
        if left and (error := left.pop(0)) is not None:
            raise error

    return act


def failures(lines: list[EventDict]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in line.items() if name not in ("event", "log_level")}
        for line in lines
        if line["log_level"] == "error"
    ]


def test_it_stops_after_the_turn_that_is_under_way() -> None:
    control, done = Held(100), list[str]()

    def turn() -> None:
        control.stop()
        done.append("the rest of the turn")

    control.run(Duty(turn), Duty(lambda: done.append("the other duty")))
    assert done == ["the rest of the turn", "the other duty"]


def test_it_never_begins_when_it_was_stopped_before() -> None:
    control, done = Held(100), list[float]()
    control.stop()
    control.run(Duty(lambda: done.append(control.at)))
    assert done == []
    Held(3).run(Duty(lambda: done.append(0)))  # the control
    assert done == [0, 0, 0]


def test_what_is_asked_while_it_pauses_ends_the_pause() -> None:
    """The real wait: an hour passes at once when something was asked, as it was by a signal before the wait began."""
    for ask in (Control.stop, Control.upkeep):
        control = Control()
        ask(control)
        control.wait(3600.0)
    control.wait(0.0)  # and nothing is left over that would end the next one: this one times out
    assert control._wake.empty()


def test_health_is_sent_at_the_start_and_then_every_ten_seconds() -> None:
    control, sent = Held(36), list[float]()
    control.run(Duty(lambda: None), Duty(lambda: sent.append(control.at), HEALTH_SECONDS))
    assert sent == [0.0, 10.0, 20.0, 30.0]


def test_no_pause_while_more_is_waiting() -> None:
    control, left = Held(4), [True, True, False, False]
    control.run(Duty(lambda: left.pop(0)), pause=0.3)
    assert control.pauses == [0.0, 0.0, 0.3, 0.3]


def test_everything_is_due_at_the_turn_after_upkeep_was_asked_for() -> None:
    control, done = Held(20), list[tuple[str, float]]()
    control.between = lambda turn: control.upkeep() if turn == 5 else None
    control.run(
        Duty(lambda: done.append(("health", control.at)), HEALTH_SECONDS),
        Duty(lambda: done.append(("clean", control.at)), 60.0),
    )
    # The next one is a whole interval after it: asked for, nothing comes twice.
    assert done == [("health", 0), ("clean", 0), ("health", 5), ("clean", 5), ("health", 15)]
    assert control.recorded == [(1, 0), (1, 1)]


def test_upkeep_that_is_asked_for_during_a_turn_is_another_one() -> None:
    """The turn may have passed the duty already that the asker means."""
    control, cleaned = Held(3), list[float]()

    def clean() -> None:
        cleaned.append(control.at)
        if len(cleaned) == 1:
            control.upkeep()

    control.run(Duty(clean, 60.0), Duty(lambda: None))
    assert cleaned == [0.0, 1.0]
    assert control.recorded == [(1, 0), (1, 1)]


def test_upkeep_asked_for_twice_before_a_turn_is_one_and_after_it_two() -> None:
    control, cleaned = Held(9), list[float]()

    def between(turn: int) -> None:
        for _ in range({2: 2, 5: 1}.get(turn, 0)):
            control.upkeep()

    control.between = between
    control.run(Duty(lambda: cleaned.append(control.at), 60.0))
    assert cleaned == [0.0, 2.0, 5.0]
    assert control.recorded == [(1, 0), (1, 1), (2, 1), (2, 2)]


def test_upkeep_is_done_when_every_duty_succeeded() -> None:
    control, cleaned = Held(12), list[float]()
    failing = raising(None, OSError(), OSError())

    def clean() -> None:
        failing()
        cleaned.append(control.at)

    control.between = lambda turn: control.upkeep() if turn == 1 else None
    control.run(Duty(lambda: None), Duty(clean, 60.0))
    assert cleaned == [0.0, 1.0 + 2 * RETRY_SECONDS]
    assert control.recorded == [(1, 0), (1, 1)]


def test_an_error_ends_the_turn_and_is_followed_by_a_pause_although_more_is_waiting() -> None:
    control, reported = Held(3), list[float]()
    failing = raising(None, OSError())

    def busy() -> bool:
        failing()
        return True

    # What comes after it in the turn does not run: a worker whose turns fail does not say that it is well.
    control.run(Duty(busy), Duty(lambda: reported.append(control.at)))
    assert control.pauses == [0.0, BACK_OFF_SECONDS, 0.0]
    assert reported == [0.0, BACK_OFF_SECONDS]


def test_a_duty_that_failed_is_tried_before_its_interval_is_over() -> None:
    control, tried = Held(70), list[float]()
    failing = raising(OSError())

    def clean() -> None:
        tried.append(control.at)
        failing()

    control.run(Duty(clean, 60.0))
    assert tried == [0.0, RETRY_SECONDS, RETRY_SECONDS + 60.0]


def test_an_error_that_is_not_survived_ends_the_loop() -> None:
    with pytest.raises(OSError, match=ROW):
        Held(3).run(Duty(raising(OSError(ROW))), survives=())
    with pytest.raises(OSError, match=ROW):
        Held(3).run(Duty(raising(OSError(ROW))), survives=WardwellError)
    Held(3).run(Duty(raising(WardwellError("the control"))), survives=WardwellError)


def test_the_text_of_an_error_is_not_logged() -> None:
    with capture_logs() as lines:
        Held(1).run(Duty(raising(ValueError(ROW))))
    assert ROW not in str(lines)
    assert failures(lines) == [{"kind": "ValueError"}]
    assert any("raising" in str(line.get("places")) or "act" in str(line.get("places")) for line in lines)
    with capture_logs() as lines:  # the control: a sentence that is written to be shown is logged
        Held(1).run(Duty(raising(WardwellError(ROW))))
    assert failures(lines) == [{"kind": "WardwellError", "problem": ROW}]


def test_a_problem_is_logged_once_until_it_changes() -> None:
    first, second = WardwellError("first"), WardwellError("second")
    with capture_logs() as lines:
        Held(7).run(Duty(raising(first, first, second, second, None, second, second)))
    assert [line["problem"] for line in failures(lines)] == ["first", "second", "second"]


def test_a_noted_problem_stays_until_its_duty_runs_again_and_ends_no_turn() -> None:
    control, seen = Held(25), list[tuple[float, list[str]]]()
    noted = [[WardwellError("no list")], [WardwellError("no list"), WardwellError("no key")], []]
    turns = Turns(control, LOG, pause=1.0, now=lambda: control.at)

    def look() -> None:
        said = [problem.message for problem in turns.problems]
        if not seen or seen[-1][1] != said:
            seen.append((control.at, said))

    with capture_logs() as lines:
        turns.run(Duty(lambda: turns.note(*noted.pop(0)), 10.0), Duty(look))
    assert seen == [(0.0, ["no list"]), (10.0, ["no list", "no key"]), (20.0, [])]
    assert [line["problem"] for line in failures(lines)] == ["no list", "no key"]
