"""What a request to each route needs to be a sensible one: path arguments and bodies, from a small prepared agency.

A route without arguments and body needs no entry here. A route that needs one and has none makes the matrix test fail
with its name, so that nobody forgets it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from appliance import clock
from appliance.account import Account
from appliance.charter import Charter
from appliance.crypto import sshsig
from appliance.crypto.canonical import canonical
from appliance.desk import releases, tickets
from appliance.desk.feeds import receipts
from appliance.desk.follow_up import corrections
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.models.receipts import Receipt
from appliance.desk.models.releases import Report
from appliance.desk.people import grants, holds
from appliance.rules import months
from appliance.spool.messages import Attended, FileReceipt, IncidentNotice, ReleasePublished
from appliance.storage import Store
from tests.support.desk_site import add_grant, add_person

REFERENCE, PERIOD = "CI-2026-0001", "2026-10"


@dataclass
class Example:
    """Path arguments, a form or a JSON body, and the statuses by which the view says that it did its work."""

    arguments: dict[str, Any] | None = None
    form: dict[str, Any] | None = None
    body: Any = None
    done: tuple[int, ...] = (200, 204, 303)


@dataclass
class Agency:
    """What was prepared: who attended, and the examples by endpoint."""

    attended: list[str]
    examples: dict[str, Example]


def prepare(store: Store, charter: Charter) -> Agency:
    """An incident with two people, a release, a receipt, a report, proposed and active grants, ticket keys."""
    attended = [add_person(store, f"A{n}", f"Attending {n}") for n in range(2)]
    other = add_person(store, "A9", "Another")
    now = clock.now()
    with store.write() as session:
        follow_up.take_notice(
            session,
            IncidentNotice(
                reference=REFERENCE,
                revision=1,
                kind="officer_involved_shooting",
                occurred=now - timedelta(hours=2),
                attended=[Attended(f"A{n}", "responding", now - timedelta(hours=2), None) for n in range(2)],
                unmatched_units=["X99"],
            ),
            follow_up.template(charter),
        )
        releases.store_release(session, ReleasePublished(period=PERIOD, release=_release(charter), leaf_index=1))
        receipts.store_receipt(session, _receipt())
        session.add(_report())
        key = corrections.ask(session, attended[1], REFERENCE, "A0", "not_there")
        session.flush()
        receipt_id = session.query(Receipt).one().id
    admin = Account("f" * 32, "IT", frozenset({"admin"}), "f" * 32)
    proposed = grants.propose(store, charter, admin, attended[0], "hr")
    add_grant(store, attended[1], "hr")
    active = next(held.id for held in grants.listed(store) if held.handle == attended[1])
    trustee = Account("e" * 32, "Trustee", frozenset({"trustee"}), "e" * 32)
    add_grant(store, trustee.id, "trustee")
    holds.propose(store, charter, trustee, attended[0], "LIT-2026-1")
    with store.read() as session:
        hold = holds.listed(session)[0].id
    tickets.ensure_keys(store, store.home)
    _keys(store)
    incident = {"reference": REFERENCE}
    step = {**incident, "key": "contact-24"}
    blinded = [base64.b64encode(bytes(255) + b"\2").decode()] * charter.constants.tickets_per_session
    size = 262144
    vault = {"expected_version": 1, "blob": base64.b64encode(bytes(size)).decode()}
    wraps = {"passphrase": "x", "recovery": "y"}
    # 404 and 403 with the API's own code "slip" are answers of the view itself: there is no vault, no slip yet.
    return Agency(
        attended,
        {
            "static": Example({"filename": "skin.css"}),
            "coordinator.incident": Example(incident),
            "coordinator.add_form": Example(incident),
            "coordinator.add": Example(incident, {"handle": other}),
            "coordinator.step": Example(step),
            "coordinator.offer_with_exceptions": Example(step, {"how": "in_person"}),
            "coordinator.offer_all": Example(step, {"how": "in_person"}),
            "coordinator.unit": Example(incident, {"unit": "X99"}),
            # Refused by the view itself: not every step is done yet.
            "coordinator.close": Example(incident, {}, done=(400,)),
            "coordinator.open_incident": Example(None, {"kind": "suicide", "day": "2026-01-02", "time": "03:04"}),
            "coordinator.queue": Example(),
            "corrections.ask": Example(None, {"reference": REFERENCE, "ground": "not_there"}),
            "corrections.one": Example({"key": key}),
            "corrections.decide": Example({"key": key}, {"decision": "kept"}),
            "cad.receipt": Example({"receipt_id": receipt_id}),
            "cad.receipt_csv": Example({"receipt_id": receipt_id}),
            "cad.receipt_json": Example({"receipt_id": receipt_id}),
            "command.release": Example({"period": PERIOD}),
            "command.release_json": Example({"period": PERIOD}),
            "auditor.request_report": Example(None, {"first": "2026-10-01", "last": "2026-10-31"}),
            "auditor.download": Example({"request_id": "a" * 32, "part": "json"}),
            "roles.propose": Example(None, {"person": "A9", "role": "cad"}),
            "roles.end": Example({"grant_id": active}, {}),
            "roles.countersign": Example({"grant_id": proposed}, {}),
            "holds.propose": Example(None, {"person": "A9", "matter": "LIT-2026-7"}),
            "holds.countersign": Example({"hold_id": hold}, {}),
            # Refused by the views themselves: that hold is in force only once somebody countersigns it.
            "holds.review": Example({"hold_id": hold}, {}, done=(303, 400)),
            "holds.end": Example({"hold_id": hold}, {}, done=(303, 400)),
            "trustee.slip_for_one": Example(None, {"person": "A0"}),
            "trustee.code_for_the_past": Example(None, {"person": "A0"}),
            "trustee.slips_for_everyone": Example(None, {}),
            "signin.password": Example(None, {"name": "nobody", "password": "x"}, done=(401, 423)),
            "signin.check_code": Example(None, {"code": "x"}, done=(401, 423)),
            "signin.check_slip": Example(None, {"slip": "x"}, done=(403,)),
            "signin.confirm": Example(None, {"code": "x"}, done=(303,)),
            "signin.sign_out": Example(None, {}),
            "signin.extend": Example(None, {}),
            "api_signin.sign_in": Example(body={"name": "nobody", "password": "x", "code": ""}, done=(401, 423)),
            "api_signin.begin": Example(body={"slip": "x"}, done=(403,)),
            "api_signin.confirm": Example(body={"code": "x"}, done=(400,)),
            "api_signin.extend": Example(body={}),
            "api_signin.lock": Example(body={}),
            "api_vault.load": Example(done=(404,)),
            "api_vault.save": Example(body=vault, done=(400,)),
            "api_vault.save_wraps": Example(body={**vault, "wraps": wraps}, done=(400,)),
            "api_vault.enrol": Example(body={"slip": "", "wraps": wraps, "mailbox_key": "", "blob": ""}, done=(400,)),
            "api_vault.open_past": Example(body={"codes": []}, done=(403,)),
            "api_leave.before": Example(done=(400,)),
            "api_leave.leave": Example(body={"word": "no", "answer": ""}, done=(400,)),
            "api_inbox.taken": Example(body={"ids": []}),
            "api_tickets.draw": Example(
                body={"purpose": "request", "period": months.month_of(now), "blinded": blinded}, done=(200, 400)
            ),
        },
    )


def _receipt() -> FileReceipt:
    return FileReceipt(
        feed="cad",
        file="calls.csv",
        sha256="0" * 64,
        at=clock.now(),
        taken=True,
        rows=1,
        calls=1,
        updates=0,
        repeats=0,
        involvements=1,
        refused=[],
        unmapped_units={},
        unmapped_types={},
    )


def _release(charter: Charter) -> bytes:
    """A release in press's format, with one shown group."""
    cell = {"group": "Agency", "value": 92, "of": 48, "text": "44 of 48 (92%)", "reason": ""}
    indicator = {"id": "steps_on_time", "title": "Steps on time", "unit": "percent", "why": "Because.", "cells": [cell]}
    return canonical(
        {
            "v": 1,
            "agency": "Test Agency",
            "period": PERIOD,
            "made_at": "2026-11-01T08:00:00Z",
            "charter_digest": "00",
            "floor": charter.constants.floor,
            "roster_version": 3,
            "notice": "",
            "groups": [{"path": "Agency", "name": "Agency", "depth": 0, "headcount": 40, "reason": ""}],
            "indicators": [indicator],
            "practices": [{"title": "Charter", "value": "Version 1"}],
            "epsilon": 0,
            "epsilon_words": "No noise.",
            "inputs": {"intake": None, "desk": None, "practices": None},
        }
    )


def _report() -> Report:
    return Report(
        request_id="a" * 32,
        first_day="2026-10-01",
        last_day="2026-10-31",
        requested=clock.now(),
        made=clock.now(),
        problem="",
        pdf=b"%PDF",
        json=json.dumps({}).encode(),
        json_signature=b"s",
        pdf_signature=b"s",
    )


def _keys(store: Store) -> None:
    """The trustee's public key, which slips name."""
    path = store.home.root / "trustee.key"
    path.write_bytes(sshsig.generate_private_openssh())
    line = sshsig.public_line(sshsig.load_private(path), "trustee")
    (store.home.public / "trustee.pub").write_text(line)
