"""Promise: what an officer did is not lost to a network that goes away, a full disk or a wrong clock.

In a real browser at a real site. The last good version stays stored, and the page says what happened and what to do.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Request, Route, expect

from appliance import clock, disk
from tests.space.live_site import LiveSite
from tests.space.walk import create, heading, keep_words, minutes_until, sign_in
from tests.support.desk_site import Member
from tests.support.waiting import pause_page

pytestmark = [pytest.mark.browser, pytest.mark.system]

SAVE = re.compile(r"/api/vault$")
NOT_LOCKED = "Your space is still open: what you did since the last save is only on this page."
LOCKED = "Your private space is locked."
# As desk answers when only the reserve of its disk is left.
FULL = {"error": {"code": "disk_full", "message": "The disk is nearly full, so nothing was stored.", "fix": disk.FIX}}


def _lock(page: Page) -> None:
    page.get_by_role("button", name="Lock", exact=True).click()


def _shows(page: Page, kept: str) -> None:
    """This is the one check-in that the space shows."""
    page.get_by_role("link", name="Check in", exact=True).first.click()
    page.get_by_text("Your check-ins").click()
    expect(page.locator(".ww-own-words")).to_have_text([kept])


def _unlock(page: Page, member: Member, words: list[str]) -> None:
    sign_in(page, member, member.fresh_code())
    page.get_by_label("Six words").fill(" ".join(words))
    page.get_by_role("button", name="Unlock").click()
    heading(page, re.compile("^Good"))


def _is_kept(page: Page, member: Member, words: list[str], kept: str) -> None:
    """Locked, and after signing in and unlocking again that check-in is there, once."""
    expect(page.get_by_text(LOCKED)).to_be_visible()
    _unlock(page, member, words)
    _shows(page, kept)


def _begin(page: Page, site: LiveSite, name: str) -> tuple[Member, list[str]]:
    member, slip = site.member(name, "officer")
    sign_in(page, member, member.fresh_code())
    return member, create(page, site, slip)


def test_the_network_is_gone_when_locking(site: LiveSite, page: Page) -> None:
    member, words = _begin(page, site, "alex")
    keep_words(page, "before the cable was pulled")
    page.context.set_offline(True)
    _lock(page)
    expect(page.get_by_role("alert")).to_contain_text("Wardwell does not answer.")
    expect(page.get_by_text(NOT_LOCKED)).to_be_visible()
    page.get_by_role("button", name="Try to lock again").click()
    expect(page.get_by_text(NOT_LOCKED)).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try to lock again").click()
    _is_kept(page, member, words, "before the cable was pulled")


def test_the_network_swallows_what_is_sent_when_locking(site: LiveSite, page: Page) -> None:
    """No error, no answer: after a minute, here two seconds, it counts as gone, and the lock does not wait for good."""
    page.add_init_script(
        "const after = AbortSignal.timeout; AbortSignal.timeout = () => after.call(AbortSignal, 2000);"
    )
    page.reload()
    member, words = _begin(page, site, "finley")
    keep_words(page, "into a black hole")
    page.route(re.compile("/api/"), lambda route: None)
    _lock(page)
    expect(page.get_by_text("Saving and locking.")).to_be_visible()
    expect(page.get_by_text(NOT_LOCKED)).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try to lock again").click()
    _is_kept(page, member, words, "into a black hole")


def test_the_answer_to_a_save_is_lost(site: LiveSite, page: Page) -> None:
    """Desk stored it, and the page does not know: the next save meets its own content and doubles nothing."""
    member, words = _begin(page, site, "blake")
    keep_words(page, "kept although the answer was lost")
    reached: list[int] = []
    wire = page.context.new_cdp_session(page)

    def swallow(event: dict[str, Any]) -> None:
        if event["request"]["method"] != "PUT":
            wire.send("Fetch.continueRequest", {"requestId": event["requestId"]})
            return
        reached.append(event["responseStatusCode"])
        wire.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "ConnectionReset"})

    wire.on("Fetch.requestPaused", swallow)
    wire.send("Fetch.enable", {"patterns": [{"urlPattern": "*/api/vault", "requestStage": "Response"}]})
    _lock(page)
    expect(page.get_by_text(NOT_LOCKED)).to_be_visible()
    assert reached == [200]
    wire.detach()
    page.get_by_role("button", name="Try to lock again").click()
    _is_kept(page, member, words, "kept although the answer was lost")


def test_the_disk_is_full_when_locking(site: LiveSite, page: Page) -> None:
    member, words = _begin(page, site, "casey")
    keep_words(page, "on a full disk")
    page.route(SAVE, lambda route: route.fulfill(status=507, json=FULL), times=1)
    _lock(page)
    expect(page.get_by_role("alert")).to_contain_text("so nothing was stored")
    page.get_by_role("button", name="Try to lock again").click()
    _is_kept(page, member, words, "on a full disk")


def test_locking_without_saving_keeps_the_last_good_version(site: LiveSite, page: Page) -> None:
    """And control: what was never saved is not there."""
    member, words = _begin(page, site, "drew")
    keep_words(page, "saved in time")
    _lock(page)
    _is_kept(page, member, words, "saved in time")
    page.route(SAVE, lambda route: route.abort())
    keep_words(page, "never saved")
    _lock(page)
    expect(page.get_by_text(NOT_LOCKED)).to_be_visible()
    page.get_by_role("button", name="Lock without saving").click()
    expect(page.get_by_text("what you did since the last save could not be saved")).to_be_visible()
    page.unroute(SAVE)
    _unlock(page, member, words)
    _shows(page, "saved in time")


@pytest.mark.parametrize("days", [-1, 1])
def test_the_workstations_clock_is_wrong_by_a_day(site: LiveSite, page: Page, days: int) -> None:
    """Desk's clock counts: what is kept has the true date, and the space opens, locks and saves."""
    page.clock.set_system_time(clock.now() + timedelta(days=days))
    member, words = _begin(page, site, f"ellis{days + 1}")
    keep_words(page, "on the true day")
    _lock(page)
    _is_kept(page, member, words, "on the true day")
    zone = ZoneInfo(site.home.settings().time_zone)
    today = clock.now().astimezone(zone)
    expect(page.locator("main li strong")).to_contain_text(f"{today:%B} {today.day}, {today.year}")


@pytest.mark.parametrize("last", ["deliveries", "entries"])
def test_a_page_that_goes_away_in_the_middle_of_a_minute_saves_nothing_more(
    site: LiveSite, page: Page, last: str
) -> None:
    """What is forgotten by then is neither sealed and sent, with a key of zeros, nor an error."""
    _begin(page, site, f"gray-{last}")
    saves: list[Request] = []
    page.on("request", lambda request: saves.append(request) if request.method == "PUT" else None)
    with page.expect_response(SAVE):  # control: a minute saves
        page.clock.run_for(60_000)
    held: list[Route] = []
    # The lock never arrives either, so that desk would still take what is sent.
    page.route(re.compile(f"/api/(lock$|{last})"), lambda route: held.append(route))
    while not held:
        page.clock.run_for(60_000)
        pause_page(page, 0.5, "a minute takes the browser a moment")
    before = len(saves)  # no other minute goes on beside this one
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    with page.expect_response(re.compile(f"/api/{last}")):
        held[0].continue_()
    pause_page(page, 3, "nothing is sent meanwhile")
    assert len(saves) == before > 0


def test_a_minute_that_fails_is_said_and_the_next_one_that_works_too(site: LiveSite, page: Page) -> None:
    """Also when desk answers what makes no sense."""
    _begin(page, site, "harper")
    page.evaluate("addEventListener('unhandledrejection', (e) => { failed = `${e.reason}`; e.preventDefault(); })")
    not_saved = page.get_by_text("Saving is retried every minute; do not close this page yet.")
    page.route("**/api/deliveries", lambda route: route.fulfill(json={}))
    minutes_until(page, not_saved)
    expect(not_saved).to_contain_text("Something went wrong in this browser.")
    assert "TypeError" in page.evaluate("failed")
    page.unroute_all()
    minutes_until(page, not_saved, "hidden")
    page.route("**/api/deliveries", lambda route: route.abort())
    minutes_until(page, not_saved)
    expect(not_saved).to_contain_text("Wardwell does not answer.")
    page.unroute_all()
    minutes_until(page, not_saved, "hidden")
