"""Promise: the private space gets its own rows and nobody else's; saves lose no newer version."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from appliance import clock
from appliance.crypto.sealing import key_pair
from appliance.desk import inbox, slips, vault, worker
from appliance.desk.models.people import Person
from appliance.desk.models.vault import KeptVault, Vault
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.messages import HeadProof, Health, ProvisionalKeyHandedOver, SealedEntry, SealedExposure
from appliance.storage import Store
from tests.support.desk_site import Member, Space, add_member
from tests.support.ledger import RunningLedger

SIZE = 262144
WRAPS = {"passphrase": "age passphrase file", "recovery": "age recovery file"}
KEY = key_pair(b"k" * 32).public


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def enrolment(code: str, **changes: Any) -> dict[str, Any]:
    return {"slip": code, "wraps": WRAPS, "mailbox_key": b64(KEY), "blob": b64(b"\1" * SIZE), **changes}


def enrolled(one: Space, desk: Store, member: Member) -> None:
    answer = one.call("POST", "/api/enrol", enrolment(slips.issue(desk, member.handle).code))
    assert answer.status_code == 200, answer.get_json()


def test_enrolment_ledgers_the_key_and_then_tells_the_intake(
    one: Space, desk: Store, member: Member, ledger: Any
) -> None:
    assert one.call("GET", "/api/vault").status_code == 404
    slip = slips.issue(desk, member.handle).code
    answer = one.call("POST", "/api/enrol", enrolment(slip))
    leaf = ledger.leaves("mailbox-key")[0]
    assert answer.get_json() == {"version": 1, "leaf_index": 0}
    assert (leaf["handle"], leaf["key"]) == (member.handle, b64(KEY))
    sent = [json.loads(path.read_bytes()) for path in desk.home.spool("desk", "intake").glob("*.json")]
    assert [(m["message"], m["person_id"], m["handle"], m["leaf_index"]) for m in sent] == [
        ("MailboxKeyPublished", "N-reyes", member.handle, 0)
    ]
    got = one.call("GET", "/api/vault").get_json()
    assert (got["version"], got["wraps"], base64.b64decode(got["blob"])) == (1, WRAPS, b"\1" * SIZE)
    assert date.fromisoformat(got["enrolled_on"]) == clock.now().date()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"slip": "0" * 20}, 403),
        ({"blob": b64(b"\1" * (SIZE - 1))}, 400),
        ({"blob": b64(b"\1" * (2 * SIZE))}, 400),
        ({"mailbox_key": b64(b"short")}, 400),
        ({"mailbox_key": b64(b"\xff" * 1216)}, 400),
        ({"wraps": {"passphrase": "only one"}}, 400),
        ({"wraps": {**WRAPS, "another": "x"}}, 400),
        ({"surprise": 1}, 400),
    ],
)
def test_an_enrolment_that_is_not_right_leaves_nothing(
    one: Space, desk: Store, member: Member, changes: dict[str, Any], status: int
) -> None:
    slip = slips.issue(desk, member.handle).code
    assert one.call("POST", "/api/enrol", enrolment(slip, **changes)).status_code == status
    assert not vault.enrolled(desk, member.handle)
    assert list(desk.home.spool("desk", "intake").glob("*.json")) == []
    assert one.call("POST", "/api/enrol", enrolment(slip)).status_code == 200, "the slip is still good"


def test_without_the_ledger_there_is_no_vault(one: Space, desk: Store, member: Member, ledger: Any) -> None:
    slip = slips.issue(desk, member.handle).code
    ledger.down = True
    assert one.call("POST", "/api/enrol", enrolment(slip)).status_code == 503
    assert not vault.enrolled(desk, member.handle)
    ledger.down = False
    assert one.call("POST", "/api/enrol", enrolment(slip)).status_code == 200


def test_a_second_vault_needs_to_be_asked_for_with_a_new_slip(
    one: Space, desk: Store, member: Member, ledger: RunningLedger
) -> None:
    first = slips.issue(desk, member.handle).code
    assert one.call("POST", "/api/enrol", enrolment(first)).status_code == 200
    assert one.call("POST", "/api/enrol", enrolment(first)).status_code == 403
    second = slips.issue(desk, member.handle).code
    assert one.call("POST", "/api/enrol", enrolment(second)).status_code == 409
    with desk.write() as session:
        session.get_one(Vault, member.handle).enrolled_on = date(2026, 11, 3)
    replaced = one.call("POST", "/api/enrol", enrolment(second, replace=True, blob=b64(b"\2" * SIZE)))
    assert replaced.status_code == 200
    assert base64.b64decode(one.call("GET", "/api/vault").get_json()["blob"]) == b"\2" * SIZE
    # The new space can read how it came about, and nothing of before. The day tells whether the owner made that one.
    said = "The private space was replaced with a slip; the one before was made on 2026-11-03"
    assert [entry["note"] for entry in ledger.entries(member.handle)] == [said]


def test_a_save_on_an_older_version_gets_the_newer_one(one: Space, desk: Store, member: Member) -> None:
    enrolled(one, desk, member)
    newer = {"expected_version": 1, "blob": b64(b"\2" * SIZE), "keep": False}
    assert one.call("PUT", "/api/vault", newer).get_json() == {"version": 2}
    late = one.call("PUT", "/api/vault", {**newer, "blob": b64(b"\3" * SIZE)})
    assert late.status_code == 409
    assert (late.get_json()["version"], base64.b64decode(late.get_json()["blob"])) == (2, b"\2" * SIZE)
    assert vault.load(desk, member.handle).blob == b"\2" * SIZE  # type: ignore[union-attr]


def test_every_size_but_the_right_one_is_refused_and_it_grows_by_years(one: Space, desk: Store, member: Member) -> None:
    enrolled(one, desk, member)
    for size in (0, SIZE - 1, SIZE + 1, 2 * SIZE):
        sent = {"expected_version": 1, "blob": b64(b"\2" * size), "keep": False}
        assert one.call("PUT", "/api/vault", sent).status_code == 400
    assert vault.size(date(2026, 11, 23), date(2027, 11, 22)) == SIZE
    assert vault.size(date(2026, 11, 23), date(2027, 11, 23)) == 2 * SIZE
    assert vault.size(date(2024, 2, 29), date(2025, 2, 28)) == SIZE
    assert vault.size(date(2024, 2, 29), date(2025, 3, 1)) == 2 * SIZE


def test_the_last_five_days_are_kept_at_lock_only_and_handed_to_their_owner(
    one: Space, space: Callable[[], Space], desk: Store, member: Member
) -> None:
    start = datetime(2026, 11, 1, 9, tzinfo=UTC)
    with desk.write() as session:
        session.add(
            Vault(
                handle=member.handle,
                version=1,
                blob=b"\1" * SIZE,
                wraps=WRAPS,
                enrolled_on=start.date(),
                mailbox_key=KEY,
                mailbox_leaf_index=0,
            )
        )
    version = 1
    for day in range(7):
        with clock.held(start + timedelta(days=day)):
            version = vault.save(desk, member.handle, version, bytes([day + 10]) * SIZE, keep=True)
            version = vault.save(desk, member.handle, version, bytes([day + 20]) * SIZE, keep=True)
            version = vault.save(desk, member.handle, version, bytes([day + 30]) * SIZE, keep=False)
    with desk.read() as session:
        kept = session.query(KeptVault).order_by(KeptVault.day).all()
        assert [(row.day.day, row.blob[0]) for row in kept] == [(day + 1, day + 20) for day in range(2, 7)]
    handed = one.call("GET", "/api/vault/kept").get_json()["kept"]
    assert [row["day"] for row in handed] == [f"2026-11-0{day + 1}" for day in range(6, 1, -1)]
    assert [base64.b64decode(row["blob"])[0] for row in handed] == [day + 20 for day in range(6, 1, -1)]
    assert [row["version"] for row in handed] == [3 * day + 3 for day in range(6, 1, -1)]


def test_new_secrets_replace_wraps_and_blob_together_and_old_versions_go(
    one: Space, desk: Store, member: Member, ledger: Any
) -> None:
    enrolled(one, desk, member)
    one.call("PUT", "/api/vault", {"expected_version": 1, "blob": b64(b"\2" * SIZE), "keep": True})
    wraps = {**WRAPS, "passphrase": "new one"}
    sent = {"expected_version": 1, "blob": b64(b"\3" * SIZE), "wraps": wraps}
    assert one.call("PUT", "/api/vault/wraps", sent).status_code == 409
    assert one.call("PUT", "/api/vault/wraps", {**sent, "expected_version": 2}).get_json() == {"version": 3}
    opened = vault.load(desk, member.handle)
    assert opened is not None and (opened.wraps, opened.blob[0]) == (wraps, 3)
    with desk.read() as session:
        assert session.query(KeptVault).count() == 0
    assert len(ledger.leaves("account")) == 1


def test_a_wrap_that_is_added_leaves_the_old_versions(one: Space, desk: Store, member: Member, ledger: Any) -> None:
    enrolled(one, desk, member)
    one.call("PUT", "/api/vault", {"expected_version": 1, "blob": b64(b"\2" * SIZE), "keep": True})
    wraps = {**WRAPS, "passkey": "one more"}
    sent = {"expected_version": 2, "blob": b64(b"\3" * SIZE), "wraps": wraps, "added": True}
    assert one.call("PUT", "/api/vault/wraps", sent).get_json() == {"version": 3}
    assert one.call("GET", "/api/vault").get_json()["wraps"] == wraps
    with desk.read() as session:
        assert session.query(KeptVault).count() == 1
    assert len(ledger.leaves("account")) == 1


def _spooled(desk: Store, *messages: Any) -> None:
    for message in messages:
        delivery.send(desk.home, message.crosses[0] if message.crosses[0] != "any" else "post", "desk", message)


def test_what_arrives_is_handed_to_its_own_officer_alone(
    one: Space, space: Callable[[], Space], desk: Store, member: Member, charter: Any
) -> None:
    other = add_member(desk, "carver", "officer")
    enrolled(one, desk, member)
    head = HeadProof(
        handle=member.handle,
        epoch=3,
        leaf_index=9,
        last_sequence=1,
        key_hash="",
        salt="00",
        position=0,
        rows=1,
        proof=[],
    )
    _spooled(
        desk,
        SealedExposure(handle=member.handle, kind="delta", cycle=2, sealed=b"delta"),
        SealedExposure(handle=member.handle, kind="history", cycle=1, sealed=b"history"),
        SealedEntry(handle=member.handle, sequence=1, leaf_index=7, provisional=True, sealed=b"entry"),
        ProvisionalKeyHandedOver(handle=member.handle, sealed=b"seed"),
        head,
        Health(compartment="post", at=clock.now(), ok=True, facts={"cells": "0"}, fix=""),
    )
    assert worker.once(desk, worker.handlers(charter)) == 6
    waiting = one.call("GET", "/api/deliveries").get_json()["deliveries"]
    assert [(d["kind"], base64.b64decode(d["sealed"])) for d in waiting] == [
        ("history", b"history"),
        ("delta", b"delta"),
    ]
    got = one.call("GET", "/api/entries?after=0").get_json()
    assert got["entries"] == [{"sequence": 1, "leaf_index": 7, "provisional": True, "sealed": b64(b"entry")}]
    assert (got["provisional_key"], got["mailbox_leaf_index"]) == (b64(b"seed"), 0)
    assert got["head"]["epoch"] == 3 and set(got["head"]) == set(inbox.HEAD_FIELDS)
    assert one.call("GET", "/api/entries?after=1").get_json()["entries"] == []
    assert one.call("GET", "/api/entries?after=-1").status_code == 400

    stranger = space()
    stranger.sign_in(other)
    assert stranger.call("GET", "/api/deliveries").get_json() == {"deliveries": []}
    assert stranger.call("GET", "/api/entries").get_json()["entries"] == []
    ids = [d["id"] for d in waiting]
    assert stranger.call("POST", "/api/deliveries/taken", {"ids": ids}).status_code == 200
    assert len(one.call("GET", "/api/deliveries").get_json()["deliveries"]) == 2
    assert one.call("POST", "/api/deliveries/taken", {"ids": ids}).get_json() == {}
    assert one.call("GET", "/api/deliveries").get_json() == {"deliveries": []}


def test_an_entry_is_never_written_over_and_a_head_never_goes_back(desk: Store, member: Member, charter: Any) -> None:
    def head(epoch: int) -> HeadProof:
        return HeadProof(
            handle=member.handle,
            epoch=epoch,
            leaf_index=epoch,
            last_sequence=1,
            key_hash="",
            salt="00",
            position=0,
            rows=1,
            proof=[],
        )

    def entry(sealed: bytes) -> SealedEntry:
        return SealedEntry(handle=member.handle, sequence=1, leaf_index=7, provisional=False, sealed=sealed)

    _spooled(desk, entry(b"first"), head(5))
    worker.once(desk, worker.handlers(charter))
    _spooled(desk, entry(b"second"), head(4))
    worker.once(desk, worker.handlers(charter))
    assert [row.sealed for row in inbox.entries(desk, member.handle, 0)] == [b"first"]
    assert inbox.head(desk, member.handle)["epoch"] == 5  # type: ignore[index]


def test_a_clinician_has_a_vault_and_the_intake_never_hears_of_it(
    space: Callable[[], Space], desk: Store, app: Flask
) -> None:
    clinician = add_member(desk, "okafor", "clinician")
    browser = space()
    browser.sign_in(clinician)
    enrolled(browser, desk, clinician)
    assert list(desk.home.spool("desk", "intake").glob("*.json")) == []
    with desk.read() as session:
        assert session.get(Person, clinician.handle) is None


def test_only_the_exact_origin_of_the_space_may_call(app: Flask, home: Home) -> None:
    hosts = home.settings().hosts
    client, base = app.test_client(), f"https://{hosts.desk}"
    good = f"https://{hosts.space}"
    preflight = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    answer = client.options("/api/vault", base_url=base, headers={"Origin": good, **preflight})
    assert answer.status_code == 204 and answer.headers["Access-Control-Allow-Origin"] == good
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    for origin in ("https://evil.example", base, good.replace("https", "http"), good + ".evil.example", "null"):
        for method in ("OPTIONS", "POST"):
            answer = client.open("/api/sign-in", method=method, base_url=base, headers={"Origin": origin}, json={})
            assert answer.status_code in (401, 403) and "Access-Control-Allow-Origin" not in answer.headers


def test_a_body_is_never_repeated_in_an_error(one: Space) -> None:
    answer = one.call("PUT", "/api/vault", {"expected_version": "MARKER-IN-BODY", "blob": "!!"})
    assert answer.status_code == 400 and "MARKER-IN-BODY" not in answer.get_data(as_text=True)
    assert set(answer.get_json()["error"]) == {"code", "message", "fix"}
