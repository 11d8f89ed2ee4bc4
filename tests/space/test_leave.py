"""Leaving in a real browser: told before, confirmed by a word, gone, and a new slip begins as for a new officer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect
from sqlalchemy import select

from appliance import clock, erasure_list
from appliance.account import Account
from appliance.charter import load_charter
from appliance.desk.models.vault import Vault
from appliance.desk.people import holds
from tests.space.live_site import LiveSite, live_site
from tests.space.walk import check, create, heading, minutes_until, opened, sign_in
from tests.support.desk_site import add_member

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(240)]


def _hold(site: LiveSite, handle: str) -> None:
    """Two people keep the agency's records about the person."""
    charter = load_charter(site.home)
    cory, terry = (
        Account(add_member(site.desk, role, role).handle, f"The {role}", frozenset({role}), None)
        for role in ("coordinator", "trustee")
    )
    holds.propose(site.desk, charter, cory, handle, "LIT-2026-0042")
    with site.desk.read() as session:
        number = holds.listed(session)[0].id
    holds.countersign(site.desk, charter, terry, number)


def test_leaving_is_told_confirmed_done_and_a_beginning_again(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:
        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.fresh_code())
        create(page, site, slip)
        _hold(site, member.handle)
        page.get_by_role("link", name="Who looked", exact=True).first.click()
        minutes_until(page, page.get_by_text("A legal hold was placed"))
        page.get_by_role("link", name="Choices", exact=True).first.click()
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request) if "/api/leave" in request.url else None)
        page.get_by_role("link", name="leave the program").click()
        heading(page, "Leave the program")
        day = clock.now() + timedelta(days=erasure_list.BACKUP_DAYS)
        expect(page.get_by_text("Backups: until")).to_contain_text(str(day.year))
        check(page)
        page.get_by_label("Type ERASE to confirm").fill("yes")
        page.get_by_role("button", name="Erase my private space").click()
        expect(page.get_by_text("Type the word ERASE.")).to_be_visible()
        assert asked == []  # that the page was read, and a wrong word typed, nobody learns
        page.get_by_label("Type ERASE to confirm").fill("erase")
        page.get_by_role("button", name="Erase my private space").click()
        # What stays in spite of leaving is told first, and nothing is erased by it.
        expect(page.get_by_text("records about you are under legal hold")).to_be_visible()
        expect(page.get_by_text("Matter LIT-2026-0042:")).to_be_visible()
        check(page)
        with site.desk.read() as session:
            assert session.scalars(select(Vault.handle)).all() == [member.handle]
        page.get_by_role("button", name="Erase my private space").click()
        expect(page.get_by_text("Your private space is erased.")).to_be_visible()
        assert {request.method for request in asked} >= {"GET", "POST"}
        with site.desk.read() as session:
            assert session.scalars(select(Vault.handle)).all() == []

        sign_in(page, member, "")
        heading(page, "Set up sign-in codes")
