"""The sealed post in real browsers: keys, a message, its answer; no violation of policy or axe."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from appliance.kit.keylist import read_entry, sign_list
from appliance.post import epochs
from appliance.post.memory import Memory
from appliance.storage import Store
from provisioning import build, build_space, packages
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.space.live_site import LiveSite, live_site, sealed_post
from tests.space.walk import WATCH, check, create, heading, sign_in
from tests.support.desk_site import Member

pytestmark = [pytest.mark.browser, pytest.mark.system]

LETTER = "I keep seeing the boy in the water.\nI do not want this to reach my sergeant."


@dataclass
class Post:
    """The running site with its post."""

    site: LiveSite
    store: Store
    memory: Memory
    open_browser: Callable[[str], Page]

    def next_day(self) -> None:
        """The epoch closes, and the ledger's checkpoint reaches the boards' digests."""
        epochs.turn(self.store, self.memory)
        self.site.await_checkpoint()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    packages.install()
    for builder in build.BUILDERS:
        build.build(builder)
    assert (build_space.DIST / "index.html").is_file()
    with ExitStack() as running:
        site = running.enter_context(live_site(tmp_path / "home"))
        store, memory = running.enter_context(sealed_post(site))
        playwright = running.enter_context(sync_playwright())
        errors: list[str] = []

        def open_browser(name: str) -> Page:
            home = trusting_home(tmp_path / name, site.ca)
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--headless=new", *flags()], env={**os.environ, "HOME": str(home)}
            )
            running.callback(browser.close)
            page = browser.new_page(base_url=site.address("space"), accept_downloads=True)
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.add_init_script(WATCH)
            page.goto("/")
            return page

        yield Post(site, store, memory, open_browser)
    assert errors == []


def lock(page: Page) -> None:
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()


def unlock(page: Page, member: Member, code: str, words: list[str]) -> None:
    sign_in(page, member, code)
    heading(page, "Unlock your private space")
    page.get_by_label("Six words").fill(" ".join(words))
    page.get_by_role("button", name="Unlock").click()
    heading(page, re.compile("^Good"))


def make_keys(page: Page, scratch: Path) -> Path:
    """A supporter makes keys and saves the file for the trustee."""
    page.get_by_role("link", name="Your keys", exact=True).click()
    heading(page, "Your keys")
    check(page)
    page.get_by_role("button", name="Make your keys").click()
    page.get_by_label("Phone").fill("555-0142")
    page.get_by_label("About you").fill("Psychologist; former dispatcher.")
    page.get_by_role("button", name="Show what goes to the trustee").click()
    expect(page.locator(".ww-code").first).to_have_text(re.compile("^([0-9a-f]{4} ){7}[0-9a-f]{4}$"))
    check(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    path = scratch / "clinician.json"
    download.value.save_as(path)
    return path


def test_an_officer_writes_to_a_clinician_and_reads_the_reply(post: Post, tmp_path: Path) -> None:
    site = post.site
    clinician, clinician_slip = site.member("casey", "clinician")
    officer, officer_slip = site.member("alex", "officer")

    theirs = post.open_browser("clinician")
    sign_in(theirs, clinician, clinician.fresh_code())
    their_words = create(theirs, site, clinician_slip)
    expect(theirs.get_by_role("link", name="Support", exact=True)).to_have_count(0)
    saved = make_keys(theirs, tmp_path)
    sign_list([read_entry(saved.read_bytes(), saved.name)], site.home.root / "trustee-key", site.home.public)
    lock(theirs)

    mine = post.open_browser("officer")
    sign_in(mine, officer, officer.fresh_code())
    my_words = create(mine, site, officer_slip)
    expect(mine.get_by_role("link", name="Inbox", exact=True)).to_have_count(0)
    mine.get_by_role("link", name="Support", exact=True).click()
    heading(mine, "Support")
    expect(mine.get_by_text("so nothing is sent")).to_have_count(0)
    expect(mine.get_by_text("Psychologist; former dispatcher.")).to_be_visible()
    check(mine)
    mine.get_by_role("button", name="Write to The casey").click()
    heading(mine, "Before you write")
    for words in (
        "This is not for emergencies.",
        "call or text 988",
        "when a court orders it",
        "Under a pseudonym nobody can send help to you",
    ):
        expect(mine.get_by_text(words)).to_be_visible()
    check(mine)
    mine.get_by_role("button", name="I understand, continue").click()
    heading(mine, "Write to The casey")
    mine.get_by_role("button", name="Put into the queue").click()
    expect(mine.get_by_text("Write something first.")).to_be_visible()
    check(mine)
    mine.get_by_label("Name to write under").fill("Gray Owl")
    mine.get_by_label("Message").fill(LETTER)
    mine.get_by_role("button", name="Put into the queue").click()
    expect(mine.get_by_text("Waiting: leaves when you lock, or at next unlock")).to_be_visible()
    assert "sent" not in mine.locator("main li").first.inner_text().lower().split()
    check(mine)
    lock(mine)
    post.next_day()

    unlock(theirs, clinician, clinician.fresh_code(), their_words)
    theirs.get_by_role("link", name="Inbox", exact=True).click()
    heading(theirs, "Inbox")
    check(theirs)
    theirs.get_by_role("button", name="Open Gray Owl").click()
    expect(theirs.get_by_text("I keep seeing the boy in the water.")).to_be_visible()
    theirs.get_by_label("Write").fill("Thank you for telling me. When can we talk?")
    theirs.get_by_role("button", name="Put into the queue").click()
    check(theirs)
    lock(theirs)
    post.next_day()

    unlock(mine, officer, officer.fresh_code(), my_words)
    mine.get_by_role("link", name="Support", exact=True).click()
    mine.get_by_role("button", name="Open The casey").click()
    expect(mine.get_by_text("On the board")).to_be_visible()
    expect(mine.get_by_text("Thank you for telling me. When can we talk?")).to_be_visible()
    expect(mine.get_by_text("The next step is better by phone or in an office")).to_be_visible()
    expect(mine.get_by_text("The casey: 555-0142.")).to_be_visible()
    check(mine)
    mine.get_by_role("button", name="End this conversation").click()
    check(mine)
    mine.get_by_role("button", name="Erase and end").click()
    heading(mine, "Support")
    expect(mine.get_by_text("Your conversations")).to_have_count(0)
    lock(mine)
    for folder in (site.home.root, post.memory.folder):
        for path in folder.rglob("*"):
            if path.is_file():
                assert b"boy in the water" not in path.read_bytes()
