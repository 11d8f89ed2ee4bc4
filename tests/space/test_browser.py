"""The private space in a real browser: first visit, lock, unlock, idle lock, leaving; no violation of policy or axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.space.live_site import LiveSite, contribution, live_site
from tests.space.walk import check, create, heading, sign_in
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.system]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[LiveSite]:
    with live_site(tmp_path_factory.mktemp("live") / "home") as running:
        kinds = ["suicide", "homicide", "child-death", "officer-involved-shooting"]
        running.history = [contribution(n, n * 6.5 + 0.1, kinds[n % 4]) for n in range(12)]
        yield running


def test_first_visit_then_a_second_one(site: LiveSite, page: Page) -> None:
    member, slip = site.member("alex", "officer")
    site.look(member.handle)
    heading_of_sign_in = page.get_by_role("heading", name="Sign in to your private space")
    expect(heading_of_sign_in).to_be_visible()
    check(page)
    sign_in(page, member, member.fresh_code())
    words = create(page, site, slip, look=check)
    check(page)

    page.get_by_role("link", name="Exposure", exact=True).click()
    heading(page, "Your exposure")
    expect(page.get_by_text("This is never shown to anyone but you.")).to_be_visible()
    expect(page.get_by_role("definition").last).to_have_text("12 calls")
    expect(page.locator(".ww-timeline > li").first).to_contain_text("Suicide")
    check(page)

    site.look(member.handle)
    site.look(member.handle, "refused", everyone=False)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()
    sign_in(page, member, member.fresh_code())
    heading(page, "Unlock your private space")
    check(page)
    field = page.get_by_label("Six words")
    field.press_sequentially("abacu")
    expect(page.get_by_role("button", name="abacus", exact=True)).to_be_visible()
    field.press(" ")
    expect(field).to_have_value("abacus ")
    field.press("Backspace")
    expect(field).to_have_value("abacu ")
    field.fill("zebra " * 5 + "zebar")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("These words do not open your space. Check “zebar” first")).to_be_visible()
    field.fill(" ".join(words))
    page.get_by_role("button", name="Unlock").click()
    heading(page, re.compile("^Good"))

    page.get_by_role("link", name="Who looked", exact=True).click()
    heading(page, "Who looked")
    expect(page.get_by_text("your record was opened 2 times by other people. 1 attempt was refused.")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="Refused")).to_have_count(1)
    expect(rows.filter(has_text="2 times that day")).to_contain_text("Everyone at this incident has this entry.")
    expect(page.get_by_text("Something in this list does not add up")).to_have_count(0)
    check(page)

    # Control: the watch for violations does see one.
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert until(lambda: page.evaluate("broken"))[0].startswith("style-src")

    page.get_by_role("button", name="Leave this page").click()
    page.wait_for_url(re.compile(r"^https://desk\."))
    assert page.evaluate("history.length") <= 8
    page.go_back()
    expect(heading_of_sign_in).to_be_visible()


def test_no_code_yet_and_an_idle_page(site: LiveSite, page: Page) -> None:
    member, slip = site.member("sam", "officer")
    with site.desk.write() as session:
        from appliance.desk.models.people import DeskAccount

        session.get_one(DeskAccount, member.handle).totp_secret = ""
    sign_in(page, member, "")
    heading(page, "Set up sign-in codes")
    check(page)
    page.get_by_label("Code on your slip").fill(slip)
    page.get_by_role("button", name="Continue").click()
    heading(page, "Add Wardwell to your authenticator app")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check(page)
    member.secret = page.locator(".ww-code").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(member.fresh_code())
    page.get_by_role("button", name="Continue").click()
    heading(page, "Before you make your private space")
    page.get_by_role("button", name="Continue").click()
    # The slip that was typed for the codes is good for the space too.
    expect(page.get_by_label("Code on your slip")).to_have_value(slip)
    page.reload()
    sign_in(page, member, member.fresh_code())
    create(page, site, slip)

    warning = page.get_by_role("dialog", name="Your space will lock soon")
    page.clock.run_for(13 * 60_000)
    expect(warning).to_be_hidden()
    page.clock.run_for(70_000)
    expect(warning).to_be_visible()
    check(page)
    page.get_by_role("button", name="Stay unlocked").click()
    expect(warning).to_be_hidden()
    page.clock.run_for(13 * 60_000)
    page.clock.run_for(125_000)
    expect(page.get_by_text("Your private space is locked.")).to_be_visible(timeout=15_000)


def test_the_crisis_pages_stay_when_the_site_is_gone(site: LiveSite, page: Page) -> None:
    # One that is still being activated answers nothing yet.
    worker = "navigator.serviceWorker.getRegistration('/crisis/').then((r) => r?.active?.state === 'activated')"
    until(lambda: page.evaluate(worker))
    page.context.set_offline(True)
    page.goto("/crisis/")
    expect(page.get_by_role("heading", name="Talk to someone now")).to_be_visible()
    # Control: nothing else is kept.
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/family/")
