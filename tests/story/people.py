"""Page objects of the story: each person in their own browser, doing what a person would do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.system import System

AXE = Path(__file__).resolve().parents[2] / "webapp" / "space" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag22aa"]
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"


def accessible(page: Page) -> None:
    """No violation of axe's WCAG rules in light, dark and at 320 px, nor of the content policy; no sideways scroll."""
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text() + ";0"})
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 320)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        problems = [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]
        assert problems == [], f"{page.url} ({scheme}, {width} px): {problems}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} scrolls at {width} px"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.evaluate("window.broken") == [], page.url


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, system: System, open_browser: Callable[..., Any], role: str) -> None:
        self.system, self.role = system, role
        context = open_browser(viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, path: str) -> None:
        self.page.goto(self.system.url(self.host, path))

    @property
    def host(self) -> str:
        return "desk"

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def heading(self, name: Any) -> None:
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def click(self, name: Any, role: str = "button") -> None:
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]

    def close(self) -> None:
        assert self.errors == []
        self.page.context.close()


class Staff(Person):
    """Somebody who works on desk's pages."""

    def sign_in(self) -> None:
        person = self.system.person(self.role)
        self.go("/")
        self.page.get_by_label("Name", exact=True).fill(person.name)
        self.page.get_by_label("Password", exact=True).fill(person.password)
        self.click("Continue")
        self.page.get_by_label("Code", exact=True).fill(person.fresh_code())
        self.click("Sign in")
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()


class Private(Person):
    """Somebody in their private space."""

    @property
    def host(self) -> str:
        return "space"

    def unlock(self) -> None:
        """Sign in and unlock with the six words, typed as a person types them."""
        person = self.system.person(self.role)
        self.go("/")
        self.page.get_by_label("Name", exact=True).fill(person.name)
        self.page.get_by_label("Password", exact=True).fill(person.password)
        self.page.get_by_label("Code from your authenticator app").fill(person.fresh_code())
        self.click("Sign in")
        self.heading("Unlock your private space")
        self.page.get_by_label("Six words, or your recovery code").fill(person.passphrase)
        # The session's first cell leaves by itself, whether or not anything was written.
        with self.page.expect_response("**/cells/requests"):
            self.click("Unlock")
            expect(self.page.get_by_role("button", name="Lock", exact=True)).to_be_visible()

    def open(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        self.heading(name)

    def lock(self) -> None:
        self.page.get_by_role("button", name="Lock", exact=True).click()
        self.heading("Sign in to your private space")
