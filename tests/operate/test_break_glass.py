"""The directory is down, or a clock jumps: who gets in, who stays in, and who does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import clock
from appliance.desk.sign_in import accounts, directory
from appliance.errors import Refused
from appliance.operate import break_glass
from appliance.operate.admin_commands import admin
from appliance.storage import Store
from tests.support.desk_fixtures import app, browser, charter, desk, ledger, space
from tests.support.desk_site import Browser, Member, Space, add_member

__all__ = ["app", "browser", "charter", "desk", "ledger", "space"]
NEW = "correct horse battery"


@pytest.fixture
def directory_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "check", lambda *_: directory.Unknown("unreachable"))


@pytest.fixture
def local(desk: Store) -> Member:
    """A local administrator with an app for codes."""
    return add_member(desk, "breakglass", "admin")


def staff(browser: Callable[[], Browser], member: Member, password: str = "") -> Browser:
    one = browser()
    one.fill("/sign-in", {"name": member.name, "password": password or member.password})
    one.fill("/sign-in/code", {"code": member.code()})
    return one


def test_the_local_administrator_signs_in_while_the_directory_is_down(
    browser: Callable[[], Browser], space: Callable[[], Space], local: Member, directory_down: None
) -> None:
    assert staff(browser, local).get("/status/").status_code == 200
    other = space().call("POST", "/api/sign-in", {"name": "reyes", "password": "x" * 12, "code": "123456"})
    assert (other.status_code, other.get_json()["error"]["code"]) == (503, "directory_unknown")


def test_who_is_in_stays_in_until_their_time(
    browser: Callable[[], Browser], desk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = browser().use(desk, add_member(desk, "chen", "coordinator").handle)
    monkeypatch.setattr(directory, "check", lambda *_: directory.Unknown("unreachable"))
    assert one.get("/coordinator/open").status_code == 200
    with clock.held(clock.now() + timedelta(hours=13)):
        assert one.get("/coordinator/open").status_code == 303


@pytest.mark.parametrize("minutes", [-5, -60 * 24, 60 * 24])
def test_a_clock_that_jumps_ends_sessions_either_way(browser: Callable[[], Browser], desk: Store, minutes: int) -> None:
    handle = add_member(desk, "chen", "coordinator").handle
    one = browser().use(desk, handle)
    assert one.get("/coordinator/open").status_code == 200
    with clock.held(clock.now() - timedelta(seconds=30)):  # what a server slews is no jump
        assert one.get("/coordinator/open").status_code == 200
    with clock.held(clock.now() + timedelta(minutes=minutes)):
        assert one.get("/coordinator/open").status_code == 303
        # Signing in goes on at once, whatever the clock says.
        assert browser().use(desk, handle).get("/coordinator/open").status_code == 200


def test_a_new_password_is_in_the_log_first_and_ends_what_was(
    browser: Callable[[], Browser], desk: Store, local: Member, ledger: Any, directory_down: None
) -> None:
    before = browser().use(desk, local.handle)
    assert before.get("/status/").status_code == 200
    break_glass.reset(desk, local.name, NEW)
    assert before.get("/status/").status_code == 303
    old = browser().fill("/sign-in", {"name": local.name, "password": local.password})
    assert old.status_code == 401
    assert len(ledger.leaves("account")) == 1
    assert local.handle not in json.dumps(ledger.leaves("account"))
    with clock.held(clock.now() + timedelta(minutes=2)):
        assert staff(browser, local, NEW).get("/status/").status_code == 200


def test_the_phone_is_still_needed(space: Callable[[], Space], desk: Store, local: Member, ledger: Any) -> None:
    break_glass.reset(desk, local.name, NEW)
    wrong = space().call("POST", "/api/sign-in", {"name": local.name, "password": NEW, "code": "000000"})
    assert wrong.status_code == 401
    right = space().call("POST", "/api/sign-in", {"name": local.name, "password": NEW, "code": local.code()})
    assert right.status_code == 200


@pytest.mark.parametrize("roles", [("clinician",), ("trustee",), ("admin", "auditor"), ()])
def test_nobody_else_gets_a_password_from_root(desk: Store, ledger: Any, roles: tuple[str, ...]) -> None:
    other = add_member(desk, "other", *roles)
    line = accounts.find_local(desk, "other")
    with pytest.raises(Refused):
        break_glass.reset(desk, "other", NEW)
    assert accounts.find_local(desk, "other") == line and other.handle
    with pytest.raises(Refused):
        break_glass.reset(desk, "nobody", NEW)
    assert ledger.leaves("account") == []


def test_without_the_log_nothing_is_set(desk: Store, local: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.desk.sign_in import totp
    from appliance.spool.append import LedgerDown

    def down(*_given: Any) -> None:
        raise LedgerDown("The access log is not answering.", "Look.")

    monkeypatch.setattr(totp, "append", down)
    line = accounts.find_local(desk, local.name)
    with pytest.raises(LedgerDown):
        break_glass.reset(desk, local.name, NEW)
    assert accounts.find_local(desk, local.name) == line


def test_the_command(desk: Store, local: Member, ledger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(desk.home.root))
    shown = CliRunner().invoke(admin, ["reset-access", local.name, "--stdin"], input=f"{NEW}\n")
    assert shown.exit_code == 0, shown.output
    assert "phone stays" in shown.output and NEW not in shown.output
    found = accounts.find_local(desk, local.name)
    assert found is not None and accounts.password_fits(found[1], NEW)
    refused = CliRunner().invoke(admin, ["reset-access", "nobody", "--stdin"], input=f"{NEW}\n")
    assert isinstance(refused.exception, Refused)
