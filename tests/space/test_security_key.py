"""A security key in a real browser: added by who knows the words, it opens the space.

Another key, the key without its PIN, or an altered file do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from appliance.desk.models.vault import Vault
from tests.space.live_site import live_site
from tests.space.walk import check, create, heading, keep_words, lock, opened, sign_in, unlock

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(240)]


def _authenticator(page: Page) -> Callable[..., Any]:
    """The browser's WebAuthn commands: virtual security keys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")

    def command(name: str, **given: Any) -> Any:
        return session.send(f"WebAuthn.{name}", given)

    return command


def _put_in(command: Callable[..., Any]) -> str:
    """A new key with a PIN that is known, and the PRF extension; its id."""
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "hasPrf": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return str(command("addVirtualAuthenticator", options=options)["authenticatorId"])


def _ready(button: Locator) -> Locator:
    """The button, once what it did before is over."""
    expect(button).not_to_have_attribute("aria-disabled", "true")
    return button


def test_a_key_opens_what_it_was_added_to_and_no_other(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:
        drawer = _authenticator(page)
        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.fresh_code())
        words = create(page, site, slip)
        keep_words(page, "written before the key")
        page.get_by_role("link", name="Home", exact=True).first.click()
        page.get_by_role("link", name="add a security key").click()
        heading(page, "Add a security key")
        check(page)
        present = page.get_by_label("The words you have now")
        present.fill(" ".join(["zebra"] * 6))
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("These words do not open this space.")).to_be_visible()
        present.fill(" ".join(words))
        page.get_by_role("button", name="Continue").click()
        own = _put_in(drawer)
        page.get_by_role("button", name="Add the key").click()
        expect(page.get_by_text("The key was added.")).to_be_visible()
        check(page)
        # Nothing lies on the key that would tell its finder what it opens.
        credentials = drawer("getCredentials", authenticatorId=own)["credentials"]
        assert [one["isResidentCredential"] for one in credentials] == [False]
        lock(page)

        sign_in(page, member, member.fresh_code())
        by_key = page.get_by_role("button", name="Use a security key instead")
        with site.desk.write() as session:
            row = session.get_one(Vault, member.handle)
            kept = row.wraps
            identity, file = kept["passkey"].split("\n")
            row.wraps = {**kept, "passkey": f"{identity}\n{file[:-8]}AAAAAAA="}
        _ready(by_key).click()
        expect(page.get_by_text("is damaged or was altered")).to_be_visible()
        with site.desk.write() as session:
            session.get_one(Vault, member.handle).wraps = kept
        _ready(by_key).click()
        heading(page, re.compile("^Good"))
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text("written before the key")).to_be_visible()
        page.get_by_role("link", name="Who looked", exact=True).first.click()
        expect(page.get_by_text("A security key was added")).to_be_visible()
        lock(page)

        # Without its PIN the key does not open it, nor does another key of the same kind; the words still do.
        sign_in(page, member, member.fresh_code())
        drawer("setUserVerified", authenticatorId=own, isUserVerified=False)
        _ready(by_key).click()
        expect(page.get_by_text("The security key was not used.")).to_be_visible()
        drawer("removeVirtualAuthenticator", authenticatorId=own)
        _put_in(drawer)
        _ready(by_key).click()
        expect(page.get_by_text("The security key was not used.")).to_be_visible(timeout=60_000)
        unlock(page, words)
        page.get_by_role("link", name="Check in", exact=True).first.click()
        page.get_by_text("Your check-ins").click()
        expect(page.get_by_text("written before the key")).to_be_visible()


def test_without_a_key_the_button_says_so(tmp_path: Path, library: Path) -> None:
    with live_site(tmp_path / "home") as site, opened(site, tmp_path / "browser") as page:
        member, slip = site.member("lou", "officer")
        sign_in(page, member, member.fresh_code())
        create(page, site, slip)
        lock(page)
        sign_in(page, member, member.fresh_code())
        page.get_by_role("button", name="Use a security key instead").click()
        expect(page.get_by_text("No security key was added to your space.")).to_be_visible()
        check(page)
