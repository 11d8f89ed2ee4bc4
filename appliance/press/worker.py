"""Press's long-running process: takes what crossed, makes what is due, answers requests for reports, says how it is.

Owns: the loop behind `wardwell press work`. One problem (the ledger is down, counts contradict themselves) stops that
one matter until the next turn, never the loop. Must never see: anything but the messages named in its handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.errors import WardwellError
from appliance.press import pages, publish, report
from appliance.press.models import Outbox, Release, ReportRequest, SeenMessage
from appliance.runtime.turns import HEALTH_SECONDS, Control, Duty, Turns
from appliance.spool.delivery import enqueue, flush, receive, send
from appliance.spool.messages import (
    FollowUpCounts,
    Health,
    HeavyCallCounts,
    Message,
    Practices,
    ReportPublished,
    ReportRequested,
)
from appliance.storage import Store

TURN_SECONDS = 1.0
SENDERS = ("intake", "desk")
log = structlog.get_logger("press")


def _input_arrived(session: Session, message: HeavyCallCounts | FollowUpCounts | Practices) -> None:
    try:
        publish.store_input(session, message)
    except WardwellError:
        log.warning("counts for no month were dropped", kind=type(message).__name__)


def _report_asked(session: Session, message: ReportRequested) -> None:
    if session.get(ReportRequest, message.request_id) is None:
        session.add(
            ReportRequest(
                request_id=message.request_id,
                first_day=message.first_day,
                last_day=message.last_day,
                asked_at=clock.now(),
            )
        )


HANDLERS: dict[type[Message], Callable[[Session, Any], None]] = {
    HeavyCallCounts: _input_arrived,
    FollowUpCounts: _input_arrived,
    Practices: _input_arrived,
    ReportRequested: _report_asked,
}


def turn(store: Store) -> list[WardwellError]:
    """Everything that is to do now, once; the problems that stopped a part of it."""
    problems = []
    receive(store, SeenMessage, HANDLERS, SENDERS)
    flush(store, Outbox)
    for period in publish.due_periods(store):
        try:
            publish.make(store, period)
            log.info("release published", period=period)
        except WardwellError as problem:
            problems.append(problem)
    _answer_requests(store)
    flush(store, Outbox)
    return problems


def _answer_requests(store: Store) -> None:
    with store.read() as session:
        waiting = session.execute(
            select(ReportRequest.request_id, ReportRequest.first_day, ReportRequest.last_day).order_by(
                ReportRequest.asked_at
            )
        ).all()
    for request_id, first_day, last_day in waiting:
        made, problem = None, ""
        try:
            made = report.export(store.home, first_day, last_day)
        except WardwellError as error:
            problem = str(error)
        reply = ReportPublished(
            request_id=request_id,
            first_day=first_day,
            last_day=last_day,
            pdf=made.pdf if made else b"",
            json=made.json if made else b"",
            json_signature=made.json_signature if made else b"",
            pdf_signature=made.pdf_signature if made else b"",
            problem=problem,
        )
        with store.write() as session:
            session.execute(delete(ReportRequest).where(ReportRequest.request_id == request_id))
            enqueue(session, Outbox, reply, receiver="desk")
        log.info("report answered", made=made is not None)


def health(store: Store, problems: list[WardwellError]) -> Health:
    """What the status page says of press."""
    with store.read() as session:
        newest, published = session.execute(
            select(func.max(Release.period), func.count()).where(Release.published_at.is_not(None))
        ).one()
    facts = {"releases published": str(published), "newest release": newest or "none yet"}
    if problems:
        facts["problem"] = problems[0].message
    return Health(
        compartment="press", at=clock.now(), ok=not problems, facts=facts, fix=problems[0].fix if problems else ""
    )


def work(store: Store, control: Control) -> None:
    """Turn after turn until `control` says stop. Pages are rendered again when what they are made from has changed."""
    turns = Turns(control, log, pause=TURN_SECONDS, survives=())

    def render() -> None:
        try:
            pages.publish(store.home)
        except WardwellError as problem:
            turns.note(problem)

    def report_health() -> None:
        send(store.home, "press", "desk", health(store, turns.problems))

    turns.run(Duty(lambda: turns.note(*turn(store))), Duty(render, HEALTH_SECONDS), Duty(report_health, HEALTH_SECONDS))
