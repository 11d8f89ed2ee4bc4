"""Changing the words in a real browser: only who knows the present ones can, and then those open nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from appliance.desk.models.vault import KeptVault
from tests.space.live_site import live_site
from tests.space.walk import check, create, heading, keep_words, learn_secrets, lock, opened, sign_in, unlock

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(240)]

WRONG = " ".join(["zebra"] * 6)


def test_new_words_open_the_space_and_the_old_ones_nothing(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:

        def kept() -> int:
            with site.desk.read() as session:
                return session.scalar(select(func.count()).select_from(KeptVault)) or 0

        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.fresh_code())
        old = create(page, site, slip)
        keep_words(page, "written under the old words")
        lock(page)
        assert kept() == 1
        sign_in(page, member, member.fresh_code())
        unlock(page, old)

        page.get_by_role("link", name="change your words").click()
        heading(page, "Change your words")
        check(page)
        present = page.get_by_label("The words you have now")
        present.fill(WRONG)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("These words do not open this space.")).to_be_visible()
        present.fill(" ".join(old))
        page.get_by_role("button", name="Continue").click()
        new = learn_secrets(page, "Change my words")
        heading(page, "Your words were changed")
        check(page)
        assert kept() == 0  # the old words would have opened it
        lock(page)

        sign_in(page, member, member.fresh_code())
        unlock(page, old)
        expect(page.get_by_text("do not open")).to_be_visible()
        unlock(page, new)
        page.get_by_role("link", name="Who looked", exact=True).first.click()
        expect(page.get_by_text("The secrets that open the private space were changed")).to_be_visible()
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text("written under the old words")).to_be_visible()
