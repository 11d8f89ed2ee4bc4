"""Check-ins and screeners in a real browser: kept in the vault, drawn there; nothing of it is sent or stored beside."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.space.live_site import LiveSite
from tests.space.walk import check, create, heading, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system]

# What every open space sends each minute, whatever was done in it.
EVERY_MINUTE = {"/api/vault", "/api/deliveries/taken"}
WORDS = "the bridge, again, marker-7391"


def _written(sent: list[Request]) -> set[str]:
    """Where something was sent to, other than asking for a page or a state."""
    return {urlsplit(request.url).path for request in sent if request.method != "GET"}


def _check_in(page: Page, sleep: int) -> None:
    slider = page.get_by_label("How have you slept?")
    slider.focus()
    slider.press("Home")
    for _ in range(sleep):
        slider.press("ArrowRight")
    page.get_by_label("How is your mood?").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Kept in your private space.")).to_be_visible()


def test_a_check_in_and_its_course(site: LiveSite, page: Page, tmp_path: Path) -> None:
    member, slip = site.member("alex", "officer")
    sign_in(page, member, member.fresh_code())
    words = create(page, site, slip)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))

    page.get_by_role("link", name="Check in", exact=True).first.click()
    heading(page, "Check in with yourself")
    expect(page.get_by_text("Nobody is watching this")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Move a slider or write something first")).to_be_visible()
    check(page)
    _check_in(page, 2)
    page.get_by_label("Anything you want to remember").fill(WORDS)
    _check_in(page, 7)
    expect(page.get_by_role("img", name="Sleep over 90 days")).to_be_visible()
    expect(page.get_by_role("img", name="Load over 90 days")).to_have_count(0)
    page.get_by_text("Your check-ins").click()
    expect(page.locator(".ww-timeline > li").first).to_contain_text("Sleep 7, Mood 5")
    check(page)
    assert _written(sent) <= EVERY_MINUTE

    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()
    # The control: locking does send, and the vault that it sends holds the words, where nobody can read them.
    assert "/api/lock" in _written(sent)
    assert not [request.url for request in sent if WORDS in (request.post_data or "")]
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0

    sign_in(page, member, member.fresh_code())
    page.get_by_label("Six words").fill(" ".join(words))
    page.get_by_role("button", name="Unlock").click()
    heading(page, re.compile("^Good"))
    page.get_by_role("link", name="Check in", exact=True).first.click()
    page.get_by_text("Your check-ins").click()
    expect(page.get_by_text(WORDS)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Remove")).first.click()
    expect(page.get_by_text(WORDS)).to_have_count(0)


def test_a_screener_question_by_question(site: LiveSite, page: Page) -> None:
    member, slip = site.member("sam", "officer")
    sign_in(page, member, member.fresh_code())
    create(page, site, slip)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.get_by_role("link", name="Questionnaires", exact=True).first.click()
    heading(page, "Short questionnaires")
    check(page)

    page.get_by_role("button", name="Start PHQ-2").click()
    heading(page, "PHQ-2: question 1 of 2")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Choose an answer, or skip this question.")).to_be_visible()
    check(page)
    page.get_by_label("Nearly every day").check()
    page.get_by_role("button", name="Next").click()
    heading(page, "PHQ-2: question 2 of 2")
    expect(page.get_by_label("Nearly every day")).not_to_be_checked()
    page.get_by_role("button", name="Skip").click()
    # Three points of the first question reach the cut-off whatever the second would have been.
    heading(page, "Your result: PHQ-2")
    expect(page.get_by_text("Score:")).to_have_count(0)
    expect(page.get_by_role("link", name="Write to a peer supporter or a clinician")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Back to the questionnaires").click()

    page.get_by_role("button", name="Start PC-PTSD-5").click()
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Next").click()
    heading(page, "Your result: PC-PTSD-5")
    expect(page.get_by_text("Score: 0 of 5.")).to_be_visible()
    expect(page.get_by_text("What you can do next")).to_have_count(0)
    page.get_by_role("button", name="Back to the questionnaires").click()

    page.get_by_role("button", name="Start WHO-5").click()
    page.get_by_role("button", name="Stop, and keep nothing").click()
    heading(page, "Short questionnaires")
    expect(page.locator(".ww-timeline > li")).to_have_count(2)
    assert _written(sent) <= EVERY_MINUTE
