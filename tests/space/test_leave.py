"""Leaving in a real browser: told before, confirmed by a word, gone, and a new slip begins as for a new officer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect
from sqlalchemy import select

from appliance import clock, erased
from appliance.desk.models.vault import Vault
from tests.space.live_site import live_site
from tests.space.walk import check, create, heading, opened, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(240)]


def test_leaving_is_told_confirmed_done_and_a_beginning_again(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:
        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.code(-1))
        create(page, site, slip)
        page.get_by_role("link", name="Choices", exact=True).first.click()
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request) if "/api/leave" in request.url else None)
        page.get_by_role("link", name="leave the programme").click()
        heading(page, "Leave the programme")
        day = clock.now() + timedelta(days=erased.BACKUP_DAYS)
        expect(page.get_by_text("Backups: until")).to_contain_text(str(day.year))
        check(page)
        page.get_by_label("Type ERASE to confirm").fill("yes")
        page.get_by_role("button", name="Erase my private space").click()
        expect(page.get_by_text("Type the word ERASE.")).to_be_visible()
        assert asked == []  # that the page was read, and a wrong word typed, nobody learns
        page.get_by_label("Type ERASE to confirm").fill("erase")
        page.get_by_role("button", name="Erase my private space").click()
        expect(page.get_by_text("Your private space is erased.")).to_be_visible()
        assert {request.method for request in asked} >= {"GET", "POST"}
        with site.desk.read() as session:
            assert session.scalars(select(Vault.handle)).all() == []

        sign_in(page, member, "")
        heading(page, "Set up sign-in codes")
