"""Walking the private space in a real browser: opening it, checking each page, signing in, creating a space.

The certificate is trusted through the browser's own store, never waved through, or the worker would not register.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, TimeoutError, expect, sync_playwright

from provisioning.packages import MODULES
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.space.live_site import LiveSite
from tests.support.desk_site import Member

AXE = MODULES / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag22aa"]
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"


@contextmanager
def opened(site: LiveSite, folder: Path) -> Iterator[Page]:
    """A fresh browser at the space; any error of its scripts fails the test."""
    home, errors = trusting_home(folder, site.ca), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless=new", *flags()], env={**os.environ, "HOME": str(home)}
        )
        window = browser.new_page(base_url=site.address("space"))
        window.set_default_timeout(60_000)
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
    looks: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 1280), ("light", 320)]
    for scheme, width in looks:
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


def minutes_until(page: Page, shown: Locator, state: Literal["visible", "hidden"] = "visible") -> None:
    """Minutes pass until it is shown or gone: one may still be busy with what was, and none begins beside it."""
    for _ in range(12):  # no more: an idle space locks itself
        page.clock.run_for(60_000)
        with suppress(TimeoutError):
            shown.wait_for(state=state, timeout=2500)
            break
    expect(shown).to_be_visible(visible=state == "visible")


def lock(page: Page) -> None:
    """Locked by hand, and said so."""
    with page.expect_response("**/api/lock"):
        page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()


def keep_words(page: Page, words: str) -> None:
    """A check-in with these words, kept."""
    page.get_by_role("link", name="Check in", exact=True).first.click()
    page.get_by_label("Anything you want to remember").fill(words)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Kept in your private space.")).to_be_visible()


def sign_in(page: Page, member: Member, code: str) -> None:
    page.get_by_label("Name").fill(member.name)
    page.get_by_label("Password").fill(member.password)
    page.get_by_label("Code from your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def unlock(page: Page, words: list[str]) -> None:
    page.get_by_label("Six words, or your recovery code").fill(" ".join(words))
    page.get_by_role("button", name="Unlock", exact=True).click()


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
    words = learn_secrets(page, "Create my private space", look=look)
    heading(page, re.compile("^Good (morning|afternoon|evening), The$"))
    return words


def learn_secrets(page: Page, last_button: str, *, look: Any = lambda page: None) -> list[str]:
    """From the six words to the last group of the recovery code; the six words."""
    heading(page, "Your six words")
    look(page)
    words = [re.sub(r"^\d+\s*", "", text) for text in page.locator(".ww-words li").all_inner_texts()]
    page.get_by_role("button", name="I know them").click()
    heading(page, "Type your six words")
    for word in words:
        page.get_by_label("Six words").press_sequentially(f"{word} ")
    assert page.get_by_label("Six words").input_value().split() == words
    look(page)
    page.get_by_role("button", name="Continue").click()
    heading(page, "Your recovery code")
    look(page)
    page.get_by_label("Last group").fill(page.locator(".ww-code").inner_text()[-4:])
    page.get_by_role("button", name=last_button).click()
    return words
