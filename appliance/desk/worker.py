"""Desk's background work: messages in, messages out, health, and what has run out.

Owns: the loop of `wardwell desk work`. It never answers a person. Must never see: a session's token, a password.
"""

from __future__ import annotations

import threading
import time
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
from appliance.settings import COMPARTMENTS, Home
from appliance.spool import delivery
from appliance.spool.delivery import Handler
from appliance.spool.messages import Health, Message
from appliance.storage import Store, open_store

POLL_SECONDS = 0.3
HEALTH_SECONDS = 10.0
CLEAN_SECONDS = 60.0
RETRY_SECONDS = 3.0
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


def work(home: Home, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Run until `stop` is set. One failing turn is logged by its kind and tried again; nothing is lost by it."""
    logs.configure(home)
    store, charter = open_store(home, "desk"), load_charter(home)
    handled = handlers(charter)
    next_health = next_clean = 0.0
    ready()
    try:
        while not stop.is_set():
            try:
                busy = once(store, handled)
                moment = time.monotonic()
                if moment >= next_health:
                    next_health = moment + HEALTH_SECONDS
                    with store.write() as session:
                        health.take_health(session, own_health(store))
                if moment >= next_clean:
                    next_clean = moment + RETRY_SECONDS  # in case it fails: the ledger may still be starting
                    upkeep(store, charter)
                    next_clean = moment + CLEAN_SECONDS
            except Exception as error:
                # The kind of error only: its text may carry values of a row.
                _log.error("turn_failed", kind=type(error).__name__)
                _log.debug("turn_failed_at", places=logs.places(error))
                busy = 0
                stop.wait(1.0)
            if not busy:
                stop.wait(POLL_SECONDS)
    finally:
        store.close()
