"""What the one script does, in a real browser: warning before the lock, news of the queue, shortcuts; no violation of
the Content-Security-Policy. Requests are answered by the application itself, without a network.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect, sync_playwright

from appliance.charter import Charter
from appliance.desk.follow_up import steps as follow_up
from appliance.settings import Home
from appliance.storage import Store
from tests.staff.staff_site import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def incidents(store: Store) -> None:
    """Three incidents in the queue, without people."""
    with store.write() as session:
        for hours in (1, 2, 3):
            follow_up.open_by_hand(session, "suicide", datetime.now(UTC) - timedelta(hours=hours), "c" * 32)


@pytest.fixture
def page(app: Flask, home: Home, browser: Callable[..., Browser]) -> Iterator[Page]:
    """The coordinator's browser window; every complaint of the browser fails the test."""
    coordinator = browser("coordinator")
    complaints: list[str] = []

    def answer(route: Route) -> None:
        request = route.request
        kept = {
            name: value
            for name, value in request.headers.items()
            if name in ("if-none-match", "content-type", "x-csrf-token", "origin")
        }
        got = coordinator.client.open(
            request.url, method=request.method, headers=kept, data=request.post_data_buffer or b""
        )
        route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)
        got.close()

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context()
        window = context.new_page()
        window.route("**/*", answer)
        window.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.clock.install()
        window.goto(f"https://{coordinator.host}/coordinator/queue/")
        yield window
        chromium.close()
    assert complaints == []


def test_the_components_are_awake(page: Page) -> None:
    expect(page.locator("body")).to_have_class("govuk-template__body js-enabled govuk-frontend-supported")
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Public Sans"')
    assert page.evaluate("document.fonts.check('16px \"Public Sans\"')")


def test_shortcuts_work_in_the_queue_only_and_can_be_turned_off(page: Page) -> None:
    rows = page.locator("tbody tr")
    page.keyboard.press("j")  # focus is on the page, not in the queue
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    rows.nth(0).focus()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("jk")
    assert page.locator("#find").input_value() == "jk"  # typing stays typing
    rows.nth(0).focus()
    page.keyboard.press("?")
    page.get_by_role("button", name="Use shortcuts").click()
    rows.nth(0).focus()
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.reload()
    page.locator("tbody tr").nth(0).focus()
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(0)).to_be_focused()


def test_new_work_is_announced_and_rows_stay_where_they_are(page: Page, store: Store) -> None:
    before = page.locator("tbody tr").all_text_contents()
    note = page.locator("#queue-news")
    page.clock.run_for(25_000)
    expect(note).to_be_hidden()  # the control: nothing changed, nothing is said
    with store.write() as session:
        follow_up.open_by_hand(session, "homicide", datetime.now(UTC) - timedelta(hours=1), "c" * 32)
    page.clock.run_for(25_000)
    expect(note).to_contain_text("1 new critical incident.")
    assert page.locator("tbody tr").all_text_contents() == before
    note.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(4)


def test_the_warning_comes_a_minute_before_and_what_was_typed_survives(page: Page, charter: Charter) -> None:
    idle, warning = charter.constants.idle_minutes * 60, charter.constants.idle_warning_seconds
    page.goto(page.url.replace("/queue/", "/open"))
    page.locator("#time").fill("10:30")
    dialog = page.get_by_role("dialog", name="You will be signed out soon")
    page.clock.run_for((idle - warning - 30) * 1000)
    expect(dialog).to_be_hidden()
    page.clock.run_for(30_000)
    expect(dialog).to_be_visible()
    page.get_by_role("button", name="Stay signed in").click()
    expect(dialog).to_be_hidden()
    assert page.locator("#time").input_value() == "10:30"
    page.clock.run_for((idle - warning) * 1000)
    expect(dialog).to_be_visible()
    page.clock.run_for((warning + 2) * 1000)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_no_page_scrolls_sideways_at_320_pixels(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    for path in ("/coordinator/queue/", "/coordinator/open", "/corrections/", "/charter/", "/releases/"):
        page.goto("/".join(page.url.split("/")[:3]) + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
