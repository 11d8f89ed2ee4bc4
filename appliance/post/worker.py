"""Post's long-running process: closes epochs when they are due, finishes what was left, says how it is.

Owns: the loop behind `wardwell post work`. Must never see: a request; the web application writes cells by itself.
"""

from __future__ import annotations

import structlog

from appliance import clock
from appliance.charter import Charter
from appliance.errors import WardwellError
from appliance.post import epochs
from appliance.post.memory import Memory
from appliance.runtime.turns import HEALTH_SECONDS, Control, Duty, Turns
from appliance.spool.delivery import send
from appliance.spool.messages import Health
from appliance.storage import Store

TURN_SECONDS = 1.0
log = structlog.get_logger("post")


def once(store: Store, memory: Memory, charter: Charter) -> WardwellError | None:
    """What is to do now; the problem that stopped it, if any."""
    try:
        epochs.finish(store, memory)
        if epochs.due(store, memory, charter):
            epochs.turn(store, memory)
            log.info("epoch closed")
    except WardwellError as problem:
        return problem
    return None


def health(store: Store, problem: WardwellError | None) -> Health:
    """What the status page says of post: no count of anything that an open epoch holds."""
    facts = {"epoch": str(epochs.current(store).epoch)}
    if problem is not None:
        facts["problem"] = problem.message
    return Health(
        compartment="post", at=clock.now(), ok=problem is None, facts=facts, fix=problem.fix if problem else ""
    )


def work(store: Store, memory: Memory, charter: Charter, control: Control) -> None:
    """Turn after turn until `control` says stop."""
    turns = Turns(control, log, pause=TURN_SECONDS, survives=())

    def turn() -> None:
        if problem := once(store, memory, charter):
            turns.note(problem)

    def report() -> None:
        send(store.home, "post", "desk", health(store, next(iter(turns.problems), None)))

    turns.run(Duty(turn), Duty(report, HEALTH_SECONDS))
