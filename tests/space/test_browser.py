"""The private space in a real browser: first visit, lock, unlock, idle lock, leaving; no violation of policy or axe.

The certificate is trusted through the browser's own store, never waved through, or the worker would not register.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from provisioning.demo.browser import CHROMIUM, flags, trusting_home
from provisioning.packages import MODULES
from tests.space.live_site import LiveSite, contribution, live_site
from tests.support.desk_site import Member

pytestmark = [pytest.mark.browser, pytest.mark.system]

AXE = MODULES / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag22aa"]
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[LiveSite]:
    with live_site(tmp_path_factory.mktemp("live") / "home") as running:
        kinds = ["suicide", "homicide", "child-death", "officer-involved-shooting"]
        running.history = [contribution(n, n * 6.5 + 0.1, kinds[n % 4]) for n in range(12)]
        yield running


@pytest.fixture
def page(site: LiveSite, tmp_path: Path) -> Iterator[Page]:
    """A fresh browser at the space; any error of its scripts fails the test."""
    home, errors = trusting_home(tmp_path / "browser", site.ca), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless=new", *flags()], env={**os.environ, "HOME": str(home)}
        )
        window = browser.new_page(base_url=site.address("space"))
        window.set_default_timeout(20_000)
        window.on("pageerror", lambda error: errors.append(str(error)))
        window.add_init_script(WATCH)
        window.clock.install()
        window.goto("/")
        yield window
        browser.close()
    assert errors == []


def check(page: Page) -> None:
    """No violation of the policy, none of axe's in light, dark and 320 px, no sideways scroll."""
    assert page.evaluate("broken") == []
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text() + ";0"})
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 320)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def heading(page: Page, name: str | re.Pattern[str]) -> None:
    """The page with this heading is there, has the focus and the title."""
    found = page.get_by_role("heading", level=1, name=name)
    expect(found).to_be_focused()
    assert page.title() == f"{found.inner_text()} \N{EN DASH} Wardwell"
    expect(page.get_by_role("link", name="Talk to someone now")).to_have_attribute("href", "/crisis/")


def sign_in(page: Page, member: Member, code: str) -> None:
    page.get_by_label("Name").fill(member.name)
    page.get_by_label("Password").fill(member.password)
    page.get_by_label("Code from your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def create(page: Page, site: LiveSite, slip: str, *, look: Any = lambda page: None) -> list[str]:
    """From the notice to the open space; the six words."""
    heading(page, "Before you make your private space")
    expect(page.get_by_text("This computer and this network belong to the agency.")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Continue").click()
    heading(page, "Your slip")
    page.get_by_label("Code on your slip").fill(slip)
    page.get_by_label("Last eight characters").fill("AAAAAAAA")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("That is not the end of the key")).to_be_visible()
    look(page)
    page.get_by_label("Last eight characters").fill(site.trustee_fingerprint[-8:])
    page.get_by_role("button", name="Continue").click()
    heading(page, "Compare the whole fingerprint")
    expect(page.get_by_text(site.trustee_fingerprint)).to_be_visible()
    page.get_by_role("button", name="It is the same").click()
    heading(page, "Your six words")
    look(page)
    words = [re.sub(r"^\d+\s*", "", text) for text in page.locator(".ww-words li").all_inner_texts()]
    page.get_by_role("button", name="I know them").click()
    heading(page, "Type your six words")
    # Four letters tell the words of the list apart; a blank completes the only one that fits.
    for word in words:
        page.get_by_label("Six words").press_sequentially(word[:4])
        if len(word) > 4:
            expect(page.get_by_role("button", name=word, exact=True)).to_be_visible()
        page.get_by_label("Six words").press(" ")
    assert page.get_by_label("Six words").input_value().split() == words
    look(page)
    page.get_by_role("button", name="Continue").click()
    heading(page, "Your recovery code")
    look(page)
    page.get_by_label("Last group").fill(page.locator(".ww-code").inner_text()[-4:])
    page.get_by_role("button", name="Create my private space").click()
    heading(page, re.compile("^Good (morning|afternoon|evening), The$"))
    return words


def test_first_visit_then_a_second_one(site: LiveSite, page: Page) -> None:
    member, slip = site.member("alex", "officer")
    site.look(member.handle)
    heading_of_sign_in = page.get_by_role("heading", name="Sign in to your private space")
    expect(heading_of_sign_in).to_be_visible()
    check(page)
    sign_in(page, member, member.code(-1))
    words = create(page, site, slip, look=check)
    check(page)

    page.get_by_role("link", name="Exposure", exact=True).click()
    heading(page, "Your exposure")
    expect(page.get_by_text("This is never shown to anyone but you.")).to_be_visible()
    expect(page.get_by_role("definition").last).to_have_text("12 calls", timeout=15_000)
    expect(page.locator(".ww-timeline > li").first).to_contain_text("Suicide")
    check(page)

    site.look(member.handle)
    site.look(member.handle, "refused", everyone=False)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()
    sign_in(page, member, member.code())
    heading(page, "Unlock your private space")
    check(page)
    page.get_by_label("Six words").fill("zebra " * 6)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("These words do not open your space.")).to_be_visible()
    page.get_by_label("Six words").fill(" ".join(words))
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
    page.wait_for_function("broken.length > 0")
    assert page.evaluate("broken")[0].startswith("style-src")

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
    page.get_by_label("Code that the app shows now").fill(member.code())
    page.get_by_role("button", name="Continue").click()
    heading(page, "Before you make your private space")
    page.get_by_role("button", name="Continue").click()
    # The slip that was typed for the codes is good for the space too.
    expect(page.get_by_label("Code on your slip")).to_have_value(slip)
    page.reload()
    sign_in(page, member, member.code(1))
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
    page.wait_for_function("navigator.serviceWorker.getRegistration('/crisis/').then((r) => r?.active != null)")
    page.context.set_offline(True)
    page.goto("/crisis/")
    expect(page.get_by_role("heading", name="Talk to someone now")).to_be_visible()
    # Control: nothing else is kept.
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/family/")
