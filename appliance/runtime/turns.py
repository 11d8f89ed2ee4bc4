"""The one turn loop: work, what is due now and then, problems, pauses.

Owns: when each duty of a worker runs, how long it pauses, and how a problem is logged. Must never see: a row; of an
unexpected error the log gets the kind and the places in the code, since its text may carry values of a row.
"""

from __future__ import annotations

import contextlib
import math
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance import logs
from appliance.errors import WardwellError

HEALTH_SECONDS = 10.0
# After an error: the pause before the next turn, and the longest that the duty which failed waits. Often the ledger is
# only just starting.
BACK_OFF_SECONDS = 1.0
RETRY_SECONDS = 3.0


class Control:
    """Stop and upkeep-now for one worker; either may be asked for in a signal handler or in another thread.

    Not a threading.Event: its lock is not reentrant, so a handler that sets it can wait for the very code that it
    interrupted. `queue.SimpleQueue.put` is documented as safe there.
    """

    def __init__(self, record: Callable[[int, int], None] = lambda begun, done: None) -> None:
        """`record(begun, done)` is told how many upkeeps that were asked for have begun, and how many are complete."""
        self.stopped = False
        self.asked = 0
        self.record = record
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def stop(self) -> None:
        """End the loop after the present turn."""
        self.stopped = True
        self._wake.put(None)

    def upkeep(self) -> None:
        """At the next turn, which comes at once, do everything that is due now and then."""
        self.asked += 1
        self._wake.put(None)

    def wait(self, seconds: float) -> None:
        """Pause for `seconds`, or until something is asked for."""
        with contextlib.suppress(queue.Empty):
            self._wake.get(timeout=seconds)


@dataclass(eq=False)
class Duty:
    """What a worker does every `seconds`; 0: at every turn. When `act` returns True, no pause follows."""

    act: Callable[[], object]
    seconds: float = 0.0
    last: float = -math.inf

    def hasten(self) -> None:
        """Make it due at once."""
        self.last = -math.inf


class Turns:
    """The loop of one worker: its duties in order, each when it is due.

    An error that `survives` names ends the turn and is tried again after a pause; any other ends the loop.
    """

    def __init__(
        self,
        control: Control,
        log: Any,
        *,
        pause: float,
        survives: type[Exception] | tuple[()] = Exception,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._control, self._log, self._pause, self._survives, self._now = control, log, pause, survives, now
        self._problems: dict[Duty, list[Exception]] = {}
        self._noted: list[Exception] = []
        self._answered = self._begun = self._done = 0
        self._undone: set[Duty] = set()

    def run(self, *duties: Duty) -> None:
        """Turn after turn until the control says stop."""
        while not self._control.stopped:
            self._control.wait(self._turn(duties))

    def note(self, *problems: WardwellError) -> None:
        """Called by a duty: what hinders it, though it goes on. Logged when it appears, not again until it was gone."""
        self._noted += problems

    @property
    def problems(self) -> list[WardwellError]:
        """What hindered each duty when it ran last."""
        return [problem for kept in self._problems.values() for problem in kept if isinstance(problem, WardwellError)]

    def _turn(self, duties: tuple[Duty, ...]) -> float:
        """One turn; the pause after it, in seconds."""
        if self._answered != self._control.asked:
            self._answered = self._control.asked
            self._begun += 1
            self._undone = set(duties)
            for duty in duties:
                duty.hasten()
            self._control.record(self._begun, self._done)
        busy = False
        for duty in duties:
            moment = self._now()
            if moment < duty.last + duty.seconds:
                continue
            duty.last, self._noted = moment, []
            try:
                busy = duty.act() is True or busy
            except self._survives as error:
                duty.last = moment - max(duty.seconds - RETRY_SECONDS, 0.0)
                self._noted.append(error)
                self._log.debug("turn_failed_at", places=logs.places(error))
                return BACK_OFF_SECONDS
            finally:
                self._show(duty)
            self._undone.discard(duty)
        if self._done < self._begun and not self._undone:
            self._done = self._begun
            self._control.record(self._begun, self._done)
        return 0.0 if busy else self._pause

    def _show(self, duty: Duty) -> None:
        known = [_words(problem) for problem in self._problems.get(duty, [])]
        self._problems[duty] = self._noted
        for problem in self._noted:
            if _words(problem) not in known:
                self._log.error("turn_failed", **_words(problem))


def _words(problem: Exception) -> dict[str, str]:
    """What the log may say: a WardwellError's sentence is written to be shown, any other text may carry a row."""
    sentence = {"problem": problem.message} if isinstance(problem, WardwellError) else {}
    return {"kind": type(problem).__name__, **sentence}
