"""Earlier versions in a real browser: kept at lock, shown when asked for, taken back, and saved as a new version."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.space.live_site import live_site
from tests.space.walk import check, create, heading, keep_words, lock, opened, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(240)]


def _asks(request: Request) -> bool:
    return urlsplit(request.url).path == "/api/vault/kept"


def _versions(page: Page) -> None:
    page.get_by_role("link", name="Take a copy", exact=True).first.click()
    page.get_by_role("link", name="earlier versions").click()
    heading(page, "Earlier versions")


def test_what_was_removed_comes_back_from_an_earlier_version(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:
        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.fresh_code())
        words = create(page, site, slip)
        _versions(page)
        page.get_by_role("button", name="Show earlier versions").click()
        expect(page.get_by_text("None is kept yet.")).to_be_visible()
        keep_words(page, "to be removed by mistake")
        lock(page)

        sign_in(page, member, member.fresh_code())
        page.get_by_label("Six words, or your recovery code").fill(" ".join(words))
        page.get_by_role("button", name="Unlock").click()
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("to be removed by mistake")).to_have_count(0)
        keep_words(page, "written since")

        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request) if _asks(request) else None)
        _versions(page)
        assert asked == []
        page.get_by_role("button", name="Show earlier versions").click()
        expect(page.get_by_text("Would come back: 1. Written since: 1.")).to_be_visible()
        assert len(asked) == 1
        check(page)
        page.get_by_role("button", name="Take back").click()
        expect(page.get_by_text("Done: 1 came back.")).to_be_visible()
        expect(page.get_by_text("Would come back: 0. Written since: 1.")).to_be_visible()
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text("to be removed by mistake")).to_be_visible()
        expect(page.get_by_text("written since")).to_be_visible()
        _versions(page)
        page.get_by_role("button", name="Show earlier versions").click()
        page.get_by_role("button", name="As it was that day").click()
        expect(page.get_by_text("Done: 0 came back, 1 removed.")).to_be_visible()
        # What was taken back is saved: the next session has it, and this one's version is kept in its place.
        lock(page)
        sign_in(page, member, member.fresh_code())
        page.get_by_label("Six words, or your recovery code").fill(" ".join(words))
        page.get_by_role("button", name="Unlock").click()
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text("to be removed by mistake")).to_be_visible()
