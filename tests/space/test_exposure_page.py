"""The page shows enough to add the load up by hand; a call that is set aside leaves it, until undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from appliance.rules.exposure_model import load_model
from tests.space.live_site import LiveSite, contribution, live_site
from tests.space.walk import check, create, heading, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system]

MODEL = load_model()
PRINT = """() => {
  window.print = () => {
    document.documentElement.dataset.printed = document.querySelectorAll(".ww-timeline > li").length;
  };
}"""
ROW = re.compile(r"(?P<at>.+? [AP]M): (?P<title>.+), (?P<role>\w+)$")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[LiveSite]:
    with live_site(tmp_path_factory.mktemp("live") / "home") as running:
        kinds = ["suicide", "collision-injury", "threats", "child-death"]
        roles = ["primary", "responding", "dispatch"]
        running.history = [
            contribution(n, n * 17.3 + 0.2, kinds[n % 4], role=roles[n % 3], minutes=None if n % 2 else 35)
            for n in range(9)
        ]
        running.history += [contribution(100 + n, 200.0 + n, "threats") for n in range(14)]
        running.history.append(contribution(90, 2.5, "no-such-type"))
        yield running


def by_hand(page: Page, zone: ZoneInfo) -> tuple[float, float]:
    """The load added up from the table's weights, parts and days, each checked against the model; and the one shown."""
    total = 0.0
    days_before = 0.0
    latest: datetime | None = None
    expect(page.locator("#by-hand tfoot td").last).to_be_visible()
    for row in page.locator("#by-hand tbody tr").all():
        found = ROW.match(" ".join(row.locator("th").inner_text().split()))
        assert found is not None
        weight, factor, days, fading, counts = (float(text) for text in row.locator("td").all_inner_texts())
        kind = next(kind for kind in MODEL.types if kind.title == found["title"])
        role = next(role for role in MODEL.roles.values() if role.title == found["role"])
        assert (weight, factor) == (kind.weight, float(role.factor))
        at = datetime.strptime(found["at"], "%B %d, %Y at %I:%M %p").replace(tzinfo=zone)
        if latest is not None:
            assert (latest - at).total_seconds() / 86400 == pytest.approx(days - days_before, abs=0.06)
        latest, days_before = at, days
        decay = 2 ** (-days / MODEL.half_life_days)
        assert fading == pytest.approx(decay, abs=2e-4)
        assert counts == pytest.approx(weight * factor * decay, abs=2e-3)
        total += weight * factor * decay
    return total, float(page.locator("#by-hand tfoot td").inner_text())


def hide_and_print(page: Page) -> None:
    """Out of sight here and at home until shown again; on paper every call stands, also those folded away."""
    calls = page.locator(".ww-timeline > li")
    page.get_by_role("button", name="Hide for now").click()
    expect(page.get_by_role("button", name="Show it again")).to_be_visible()
    expect(page.locator(".ww-number")).to_have_count(0)
    check(page)
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_text("Hidden for now.")).to_be_visible()
    told = page.get_by_text("in the last 30 days that can weigh on people"), page.get_by_text("Latest calls")
    for one in told:
        expect(one).to_have_count(0)
    page.get_by_role("link", name="Exposure", exact=True).click()
    page.get_by_role("button", name="Show it again").click()
    expect(page.locator(".ww-number")).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    for one in told:  # the control
        expect(one).to_be_visible()
    page.get_by_role("link", name="Exposure", exact=True).click()

    expect(calls).to_have_count(20)
    page.evaluate(PRINT)
    page.get_by_role("button", name="Print this page").click()
    expect(page.locator("html")).to_have_attribute("data-printed", "24")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print this page")).to_be_hidden()
    expect(page.get_by_role("button", name="I was not there").first).to_be_hidden()
    expect(calls.last).to_be_visible()
    page.emulate_media(media="screen")


def test_the_load_added_up_by_hand_and_calls_set_aside(site: LiveSite, page: Page) -> None:
    member, slip = site.member("robin", "officer")
    sign_in(page, member, member.fresh_code())
    words = create(page, site, slip)
    page.get_by_role("link", name="Exposure", exact=True).click()
    heading(page, "Your exposure")
    expect(page.get_by_role("definition").last).to_have_text("23 calls")
    page.get_by_text("Add it up by hand").click()
    zone = ZoneInfo(site.home.settings().time_zone)
    total, shown = by_hand(page, zone)
    assert total == pytest.approx(shown, abs=0.01)
    expect(page.locator(".ww-number")).to_have_text(f"{shown:.1f}")
    # Each call that was sent is there, and none besides.
    kinds = [MODEL.type(one["type"]) for one in site.history]
    cells = page.locator("#by-hand tbody td:nth-of-type(1)").all_inner_texts()
    assert sorted(int(cell) for cell in cells) == sorted(kind.weight for kind in kinds if kind is not None)

    # Control: with one row left out, the sum is another.
    first = float(page.locator("#by-hand tbody tr").first.locator("td").last.inner_text())
    assert total - first != pytest.approx(shown, abs=0.01)

    expect(page.get_by_text("of a kind that your agency has not mapped yet")).to_be_visible()
    unknown = page.locator(".ww-timeline > li").filter(has_text="Another kind of call")
    expect(unknown).to_contain_text("it weighs nothing")
    expect(unknown.get_by_role("button")).to_have_count(0)
    check(page)

    hide_and_print(page)
    page.get_by_text("Add it up by hand").click()
    newest = page.locator(".ww-timeline > li").first
    newest.get_by_role("button", name="I was not there").click()
    expect(newest).to_contain_text("You said that you were not there.")
    expect(page.get_by_role("definition").last).to_have_text("22 calls")
    left, shown_left = by_hand(page, zone)
    assert left == pytest.approx(shown_left, abs=0.01)
    assert shown - shown_left == pytest.approx(first, abs=0.01)
    check(page)

    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Your private space is locked.")).to_be_visible()
    sign_in(page, member, member.fresh_code())
    page.get_by_label("Six words").fill(" ".join(words))
    page.get_by_role("button", name="Unlock").click()
    page.get_by_role("link", name="Exposure", exact=True).click()
    # What was hidden before the lock is hidden no more.
    expect(page.get_by_role("definition").last).to_have_text("22 calls")
    newest.get_by_role("button", name="Count it again").click()
    expect(page.get_by_role("definition").last).to_have_text("23 calls")
    page.get_by_text("Add it up by hand").click()
    assert by_hand(page, zone)[1] == pytest.approx(shown, abs=0.01)
