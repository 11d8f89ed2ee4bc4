"""Promise: an Active Directory works as it is, and its disabled, expired and locked accounts give no sign-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.desk.sign_in import directory
from appliance.desk.sign_in.directory import Found, Unknown, WrongPassword
from tests.support import samba as support

pytestmark = pytest.mark.system

CARVER = Found("E1001", f"CN=carver,CN=Users,{support.BASE}", "The carver")


@pytest.fixture(scope="module")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Samba]:
    with support.running(tmp_path_factory.mktemp("samba")) as server:
        yield server


@pytest.fixture(autouse=True)
def _inside(samba: support.Samba, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "COMMAND", (*samba.inside, *directory.COMMAND))


@pytest.mark.parametrize("name", ["carver", "CARVER", "carver@agency.example", "Carver@AGENCY.EXAMPLE"])
def test_both_kinds_of_name_find_the_person(samba: support.Samba, name: str) -> None:
    assert directory.check(samba.settings(), name, support.PASSWORD) == CARVER


@pytest.mark.parametrize("name", ["disabled", "expired", "mustchange"])
def test_accounts_that_may_not_sign_in_do_not(samba: support.Samba, name: str) -> None:
    assert directory.check(samba.settings(), name, support.PASSWORD) == WrongPassword()


def test_an_account_locked_by_the_directory_does_not_sign_in(samba: support.Samba) -> None:
    assert isinstance(directory.check(samba.settings(), "locked", support.PASSWORD), Found)
    for _ in range(support.LOCKOUT):
        assert directory.check(samba.settings(), "locked", "wrong") == WrongPassword()
    assert directory.check(samba.settings(), "locked", support.PASSWORD) == WrongPassword()


def test_wrong_names_and_passwords_are_wrong(samba: support.Samba) -> None:
    for name, password in [("carver", "wrong"), ("nobody", support.PASSWORD), ("carver", ""), ("*", support.PASSWORD)]:
        assert directory.check(samba.settings(), name, password) == WrongPassword()


def test_membership_may_be_asked_through_nested_groups(samba: support.Samba) -> None:
    settings = samba.settings(user_filter=support.EMPLOYEES_FILTER)
    assert directory.check(settings, "carver", support.PASSWORD) == CARVER
    assert directory.check(settings, "outsider", support.PASSWORD) == WrongPassword()
    assert isinstance(directory.check(samba.settings(), "outsider", support.PASSWORD), Found)


def test_without_a_service_account_the_directory_says_nothing(samba: support.Samba) -> None:
    assert isinstance(directory.check(samba.settings(bind_dn=""), "carver", support.PASSWORD), Unknown)
