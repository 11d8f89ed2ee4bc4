"""Desk's fixtures, with a real ledger, and an officer who is signed in to the private space."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.storage import Store
from tests.support.desk_fixtures import app, browser, charter, desk, ledger, space
from tests.support.desk_site import Member, Space, add_member

__all__ = ["app", "browser", "charter", "desk", "ledger", "space"]


@pytest.fixture
def member(desk: Store) -> Member:
    return add_member(desk, "reyes", "officer")


@pytest.fixture
def one(space: Callable[[], Space], member: Member) -> Space:
    browser = space()
    assert browser.sign_in(member).status_code == 200
    return browser
