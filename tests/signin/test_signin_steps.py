"""Promise: a sign-in needs password and code, and every wrong combination sounds alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from appliance import clock
from appliance.desk import slips
from appliance.desk.models.people import DeskAccount
from appliance.desk.models.sessions import SessionRow
from appliance.desk.sign_in import directory, lockout, sessions, totp
from appliance.storage import Store
from tests.support.desk_site import Browser, Space, add_member, add_person

NOON = datetime(2026, 11, 23, 12, 0, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that answers and knows nobody; the real ones have their own tests."""
    monkeypatch.setattr(directory, "check", lambda *_: directory.WrongPassword())


def test_password_and_code_give_a_token(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer", "coordinator")
    answer = space().sign_in(member)
    got = answer.get_json()
    assert answer.status_code == 200
    assert (got["state"], got["handle"], got["roles"]) == ("ready", member.handle, ["coordinator", "officer"])
    assert (got["enrolled"], got["idle_seconds"], got["warning_seconds"]) == (False, 900, 60)


def test_every_wrong_combination_sounds_alike(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    tries = [
        {"name": "reyes", "password": "wrong", "code": member.code()},
        {"name": "reyes", "password": member.password, "code": "000000"},
        {"name": "reyes", "password": member.password, "code": ""},
        {"name": "nobody", "password": member.password, "code": member.code()},
        {"name": "", "password": "", "code": ""},
        {"name": "reyes", "password": "", "code": member.code()},
    ]
    answers = [space().call("POST", "/api/sign-in", one) for one in tries]
    assert {(a.status_code, a.get_data()) for a in answers} == {(401, answers[0].get_data())}


@pytest.mark.parametrize("name", ["reyes", "never-heard-of"])
def test_five_failures_lock_known_and_unknown_names_alike(space: Callable[[], Space], desk: Store, name: str) -> None:
    member = add_member(desk, "reyes", "officer")
    with clock.held(NOON):
        seen = [
            space().call("POST", "/api/sign-in", {"name": name, "password": "x", "code": ""}).status_code
            for _ in range(7)
        ]
        assert seen == [401] * 5 + [423] * 2
        assert space().sign_in(member).status_code == (423 if name == "reyes" else 200)
    with clock.held(NOON + timedelta(minutes=15, seconds=1)):
        assert space().sign_in(member).status_code == 200


def test_wrong_codes_count_although_the_password_was_right(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    with clock.held(NOON):
        assert [space().sign_in(member, "111111").status_code for _ in range(6)] == [401] * 5 + [423]


def test_a_right_password_buys_no_new_tries_at_the_code(browser: Callable[[], Browser], desk: Store) -> None:
    member = add_member(desk, "reyes", "coordinator")
    with clock.held(NOON):
        statuses = []
        for _ in range(6):
            one = browser()
            one.fill("/sign-in", {"name": "reyes", "password": member.password})
            statuses.append(one.fill("/sign-in/code", {"code": "111111"}).status_code)
        assert statuses == [401] * 5 + [423]


def test_many_tries_at_once_get_no_more_than_one_after_another(desk: Store, charter: Any) -> None:
    key = lockout.key_of("name", "reyes")
    for _ in range(5):
        lockout.start(desk, charter, [key])
    with pytest.raises(lockout.LockedOut):
        lockout.start(desk, charter, [key])
    lockout.give_back(desk, [key])
    lockout.start(desk, charter, [key])


def test_a_code_is_good_once_and_no_older_one_after_it(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    with clock.held(NOON):
        assert space().sign_in(member).status_code == 200
        assert space().sign_in(member).status_code == 401
        assert space().sign_in(member, member.code(-1)).status_code == 401
        assert space().sign_in(member, member.code(1)).status_code == 200


def test_a_clock_out_of_step_is_told_from_a_wrong_code(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    with clock.held(NOON):
        codes = [(member.code(4), "clock"), (member.code(-5), "clock"), ("000000", "wrong"), (member.code(30), "wrong")]
        for code, expected in codes:
            assert space().sign_in(member, code).get_json()["error"]["code"] == expected
            lockout.clear(desk, [lockout.key_of("name", "reyes"), lockout.key_of("code", member.handle)])


def test_the_first_code_needs_the_persons_own_slip(space: Callable[[], Space], desk: Store, ledger: Any) -> None:
    member = add_member(desk, "reyes", "officer", enrolled=False)
    other = add_member(desk, "carver", "officer", enrolled=False)
    hers, his = slips.issue(desk, member.handle), slips.issue(desk, other.handle)
    browser = space()
    assert browser.sign_in(member, "").get_json()["state"] == "needs_slip"
    assert browser.call("GET", "/api/vault").status_code == 401
    assert browser.call("POST", "/api/totp/begin", {"slip": his.code}).status_code == 403
    assert browser.call("POST", "/api/totp/begin", {"slip": "0" * 20}).status_code == 403
    begun = browser.call("POST", "/api/totp/begin", {"slip": hers.code.lower().replace("-", " ")}).get_json()
    assert begun["uri"].startswith("otpauth://totp/Wardwell:") and "<svg" in begun["qr_svg"]
    assert "style=" not in begun["qr_svg"]
    assert browser.call("POST", "/api/totp/confirm", {"code": "000000"}).status_code == 400
    member.secret = begun["secret"]
    assert browser.call("POST", "/api/totp/confirm", {"code": member.code()}).get_json() == {"state": "ready"}
    assert browser.call("POST", "/api/extend", {}).get_json() == {"idle_seconds": 900}
    assert space().sign_in(member).status_code == 401, "the confirming code is used up"
    assert [e["note"] for e in ledger.entries(member.handle)] == [
        "A new secret for sign-in codes was set up with a slip"
    ]
    leaf = ledger.leaves("account")[0]
    assert set(leaf) == {"v", "kind", "at", "subject"} and member.handle not in str(leaf)


def test_a_slip_instead_of_the_code_replaces_a_lost_phone(space: Callable[[], Space], desk: Store, ledger: Any) -> None:
    member = add_member(desk, "reyes", "officer")
    old = space()
    assert old.sign_in(member).status_code == 200
    slip = slips.issue(desk, member.handle)
    browser = space()
    assert browser.sign_in(member, slip.code).get_json()["state"] == "needs_slip"
    begun = browser.call("POST", "/api/totp/begin", {"slip": slip.code}).get_json()
    code = pyotp.TOTP(begun["secret"]).generate_otp(int(clock.now().timestamp()) // 30)
    assert browser.call("POST", "/api/totp/confirm", {"code": code}).status_code == 200
    assert old.call("POST", "/api/extend", {}).status_code == 401, "sessions before the replacement are over"
    third = space()
    third.sign_in(member, slip.code)
    assert third.token == "", "a slip sets up codes once"


def test_a_slip_has_one_use_of_each_kind_and_ends_with_time_or_a_newer_one(desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    with clock.held(NOON):
        first = slips.issue(desk, member.handle)
        second = slips.issue(desk, member.handle)
        with pytest.raises(slips.WrongSlip):
            slips.find(desk, member.handle, first.code, "totp")
        slip_id = slips.find(desk, member.handle, second.code, "totp")
        with desk.write() as session:
            slips.use_up(session, slip_id, "totp")
        with pytest.raises(slips.WrongSlip):
            slips.find(desk, member.handle, second.code, "totp")
        assert slips.find(desk, member.handle, second.code, "vault") == slip_id
        assert slips.count_open(desk) == 1
    with clock.held(NOON + timedelta(days=14)):
        with pytest.raises(slips.WrongSlip):
            slips.find(desk, member.handle, second.code, "vault")
        assert slips.count_open(desk) == 0


def test_a_slip_is_stored_only_as_a_hash(desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    issued = slips.issue(desk, member.handle)
    with desk.write() as session:
        session.get_one(DeskAccount, member.handle).name = "CONTROLMARKER"
    with desk.reader.connect() as connection:
        tables = connection.exec_driver_sql("select name from sqlite_master where type = 'table'").scalars().all()
        everything = str([connection.exec_driver_sql(f"select * from {name}").all() for name in tables])
    assert "CONTROLMARKER" in everything
    for form in (issued.code, issued.code.replace("-", "")):
        assert form not in everything and form not in repr(issued)


def test_staff_sign_in_goes_step_by_step_under_a_new_token_each_time(
    browser: Callable[[], Browser], desk: Store
) -> None:
    member = add_member(desk, "reyes", "coordinator")
    one = browser()
    one.set_token("planted-by-somebody-else")
    answer = one.fill("/sign-in", {"name": "Reyes ", "password": member.password})
    first = one.token
    assert answer.headers["Location"] == "/sign-in/code" and first != "planted-by-somebody-else"
    assert one.get("/").headers["Location"] == "/sign-in", "the password alone opens nothing"
    answer = one.fill("/sign-in/code", {"code": member.code()})
    assert answer.headers["Location"] == "/" and one.token not in ("", first)
    for mark in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "__Host-wardwell="):
        assert any(mark in cookie for cookie in answer.headers.getlist("Set-Cookie"))
    assert "Domain=" not in str(answer.headers)
    late = browser()
    late.set_token(first)
    assert late.get("/sign-in/code").headers["Location"] == "/sign-in"
    assert one.get("/").status_code == 303
    assert one.post("/sign-out").status_code == 303
    assert one.get("/").headers["Location"] == "/sign-in"


def test_staff_set_up_codes_with_a_slip_and_a_drawing(browser: Callable[[], Browser], desk: Store, ledger: Any) -> None:
    member = add_member(desk, "reyes", "admin", enrolled=False)
    slip = slips.issue(desk, member.handle)
    one = browser()
    assert one.fill("/sign-in", {"name": "reyes", "password": member.password}).headers["Location"] == "/sign-in/slip"
    assert one.fill("/sign-in/slip", {"slip": "0" * 20}).status_code == 403
    assert one.fill("/sign-in/slip", {"slip": slip.code}).headers["Location"] == "/sign-in/app"
    page = one.get("/sign-in/app").get_data(as_text=True)
    assert "<svg" in page and "style=" not in page[page.index("<svg") : page.index("</svg>")]
    with desk.read() as session:
        found = session.query(SessionRow).one()
        member.secret = found.pending_totp
    assert one.fill("/sign-in/app", {"code": "abc"}).status_code == 401
    assert one.fill("/sign-in/app", {"code": member.code()}).headers["Location"] == "/"
    assert totp.enrolled(desk, member.handle)


def test_a_session_locks_when_idle_and_ends_after_twelve_hours(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    one = space()
    with clock.held(NOON):
        one.sign_in(member)
    with clock.held(NOON + timedelta(minutes=14)):
        assert one.call("POST", "/api/extend", {}).status_code == 200
    with clock.held(NOON + timedelta(minutes=28)):
        assert one.call("POST", "/api/extend", {}).status_code == 200
    with clock.held(NOON + timedelta(minutes=44)):
        assert one.call("POST", "/api/extend", {}).status_code == 401
    token = sessions.start(desk, member.handle, sessions.SPACE, "ready")
    with desk.write() as session:
        row = session.query(SessionRow).filter_by(token_hash=sessions._hash(token)).one()
        row.started_at = clock.now() - timedelta(hours=12)
    one.token = token
    assert one.call("POST", "/api/extend", {}).status_code == 401


def test_a_locked_token_is_dead_and_no_token_is_stored(space: Callable[[], Space], desk: Store) -> None:
    member = add_member(desk, "reyes", "officer")
    one = space()
    one.sign_in(member)
    with desk.reader.connect() as connection:
        rows = str(connection.exec_driver_sql("select * from session").all())
    assert member.handle in rows and one.token not in rows
    assert one.call("POST", "/api/lock", {}).get_json() == {}
    assert one.call("POST", "/api/extend", {}).status_code == 401


def test_a_cookie_opens_no_api_and_a_bearer_token_no_page(
    browser: Callable[[], Browser], space: Callable[[], Space], desk: Store
) -> None:
    member = add_member(desk, "reyes", "coordinator")
    one, other = browser().use(desk, member.handle), space()
    other.sign_in(member)
    assert one.client.get("/api/releases", base_url=one.base).status_code == 401
    bearer = {"Authorization": f"Bearer {other.token}"}
    assert one.client.get("/api/releases", base_url=one.base, headers=bearer).status_code == 200
    page = other.client.get("/queue", base_url=other.base, headers=bearer)
    assert page.status_code in (303, 404)


def test_who_leaves_the_roster_is_out_at_once(space: Callable[[], Space], desk: Store) -> None:
    from appliance.desk.models.people import Person
    from appliance.desk.sign_in import accounts

    handle = add_person(desk, "E1")
    assert accounts.of_person(desk, "E1") == handle
    one = space()
    one.token = sessions.start(desk, handle, sessions.SPACE, "ready")
    assert one.call("POST", "/api/extend", {}).status_code == 200
    with desk.write() as session:
        session.get_one(Person, handle).active = False
    assert one.call("POST", "/api/extend", {}).status_code == 401
    assert accounts.of_person(desk, "E1") is None
