"""Promise: two people's codes, typed by the officer, are what asks for the calls of before; anything less says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from appliance.account import Account
from appliance.desk import vouching
from tests.space.live_site import LiveSite
from tests.space.walk import check, create, heading, minutes_until, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system]


def test_two_codes_are_typed(site: LiveSite, page: Page) -> None:
    member, slip = site.member("alex", "officer")
    people = [site.member(name, "trustee")[0] for name in ("fir", "oak")]
    first, second = (
        vouching.issue(site.desk, member.handle, Account(one.handle, one.name, frozenset({"trustee"}), one.handle)).code
        for one in people
    )
    sign_in(page, member, member.fresh_code())
    create(page, site, slip)
    page.get_by_role("link", name="Exposure", exact=True).click()
    heading(page, "Your exposure")
    page.get_by_text("Calls of before are missing?").click()
    check(page)
    page.get_by_label("Code of the first person").fill(first)
    page.get_by_label("Code of the second person").fill(first)
    page.get_by_role("button", name="Ask for the calls of before").click()
    expect(page.get_by_role("alert")).to_contain_text("not two valid codes of two different people")
    page.get_by_label("Code of the second person").fill(second.lower())
    page.get_by_role("button", name="Ask for the calls of before").click()
    expect(page.get_by_text("The calls of before are being sealed to you.")).to_be_visible()
    page.get_by_role("link", name="Who looked", exact=True).click()
    minutes_until(page, page.get_by_text("two people's codes"))
