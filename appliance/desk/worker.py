"""Desk's background work: messages in, messages out, health, and what has run out.

Owns: the loop of `wardwell desk work`. It never answers a person. Must never see: a session's token, a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from appliance import clock, erasure_list, logs
from appliance.charter import Charter, load_charter
from appliance.desk import erasure, health, inbox, releases, slips, tickets, versions, vouching
from appliance.desk.feeds import receipts
from appliance.desk.follow_up import monthly_counts
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.models.base import Outbox, SeenMessage
from appliance.desk.people import holds
from appliance.desk.sign_in import lockout, sessions
from appliance.runtime.turns import HEALTH_SECONDS, Control, Duty, Turns
from appliance.settings import COMPARTMENTS, Home
from appliance.spool import delivery
from appliance.spool.delivery import Handler
from appliance.spool.messages import Health, Message
from appliance.storage import Store, open_store

POLL_SECONDS = 0.3
CLEAN_SECONDS = 60.0
SENDERS = ("intake", "ledger", "press", "post", "desk")

_log = structlog.get_logger("desk")


def handlers(charter: Charter) -> Mapping[type[Message], Handler]:
    """What desk does with each message, from the modules that own the effects."""
    return {
        **inbox.HANDLERS,
        **health.HANDLERS,
        **receipts.HANDLERS,
        **releases.HANDLERS,
        **follow_up.handlers(charter),
    }


def once(store: Store, handled: Mapping[type[Message], Handler]) -> int:
    """Act on every waiting message and send what waits; how many messages were new."""
    done = delivery.receive(store, SeenMessage, handled, SENDERS)
    delivery.flush(store, Outbox)
    return done


def own_health(store: Store) -> Health:
    """Desk's own line on the status page: counts only."""
    waiting = sum(1 for name in COMPARTMENTS for _ in store.home.spool(name, "desk").glob("[0-9]*.json"))
    refused = sum(1 for name in COMPARTMENTS for _ in store.home.spool(name, "desk").glob(".refused/*"))
    facts = {"messages waiting": str(waiting), "messages set aside": str(refused)}
    ok = refused == 0
    fix = "" if ok else "Look at the folders `.refused` under spool/: messages were set aside."
    return Health(compartment="desk", at=clock.now(), ok=ok, facts=facts, fix=fix)


def clean(store: Store, charter: Charter) -> None:
    """Delete what has run out: sessions, counters of failures, slips, holds."""
    sessions.clean(store, charter)
    lockout.clean(store)
    slips.clean(store)
    vouching.clean(store)
    holds.clean(store, charter)


def upkeep(store: Store, charter: Charter) -> None:
    """What is due now and then: clean up, erasures left half done, last month's counts, ticket keys, vault versions."""
    clean(store, charter)
    erasure.finish(store)
    erasure_list.drop_old(store.home)
    monthly_counts.send_due(store, charter)
    tickets.ensure_keys(store, store.home)
    versions.commit_due(store, charter)


def work(home: Home, control: Control, ready: Callable[[], None] = lambda: None) -> None:
    """Run until `control` says stop. A failing turn is tried again; nothing is lost by it."""
    logs.configure(home)
    store, charter = open_store(home, "desk"), load_charter(home)
    handled = handlers(charter)

    def report() -> None:
        with store.write() as session:
            health.take_health(session, own_health(store))

    ready()
    try:
        Turns(control, _log, pause=POLL_SECONDS).run(
            Duty(lambda: once(store, handled) > 0),
            Duty(report, HEALTH_SECONDS),
            Duty(lambda: upkeep(store, charter), CLEAN_SECONDS),
        )
    finally:
        store.close()
