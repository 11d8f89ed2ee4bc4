"""Promise: two sessions that differ only in what was typed look alike from outside: requests, sizes, stored rows.

The same steps in the same minutes; in one world a check-in is written and a questionnaire answered, in the other the
officer only reads; in one world every choice is switched on and writes a message, in the other nothing is chosen. The
control is a world that is a minute longer, which the same comparison tells apart.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect
from sqlalchemy import select

from appliance.kit import keylist
from appliance.settings import COMPARTMENTS
from appliance.storage import open_store
from appliance.storage.migrate import metadata_of
from tests.space.conftest import Call
from tests.space.live_site import LiveSite, contribution, live_site, sealed_post
from tests.space.walk import check, create, heading, lock, opened, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(400)]

# Method, path, bytes sent, status, bytes received -> how often.
# Keys that an appliance makes by itself: numbers of its own chance, written in as many digits as they have.
OWN_KEYS = {"ticket_key"}

Seen = Counter[tuple[str, str, int, int, int]]
Rows = Counter[tuple[str, tuple[int, ...]]]
World = tuple[Seen, Rows]


# Runs after what the page does with answers that have arrived; timers would wait for the page's held clock.
TURN = """() => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = done;
  port2.postMessage(0);
})"""


def _minute(page: Page, count: int = 1) -> None:
    """Minutes pass, each with what an open space sends in it."""
    for _ in range(count):
        # The last of either kind.
        with page.expect_response("**/api/deliveries/taken") as taken, page.expect_response("**/api/extend"):
            page.clock.run_for(60_000)
        # A page that is not done with a minute leaves out the next one.
        taken.value.finished()
        for _ in range(3):
            page.evaluate(TURN)


def _settle(page: Page) -> None:
    """How often a first session looks for its history is chance; ten saves on, each version's number has two digits."""
    _minute(page, 10)


def _read(page: Page) -> None:
    page.get_by_role("link", name="Check in", exact=True).first.click()
    heading(page, "Check in with yourself")
    _minute(page)
    page.get_by_role("link", name="Questionnaires", exact=True).first.click()
    heading(page, "Short questionnaires")
    _minute(page)


def _write(page: Page) -> None:
    page.get_by_role("link", name="Check in", exact=True).first.click()
    page.get_by_label("Anything you want to remember").fill(("a bad week, and a long one " * 23)[:600])
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Kept in your private space.")).to_be_visible()
    _minute(page)
    page.get_by_role("link", name="Questionnaires", exact=True).first.click()
    page.get_by_role("button", name="Start PHQ-2").click()
    for _ in range(2):
        page.get_by_label("Nearly every day").check()
        page.get_by_role("button", name="Next").click()
    heading(page, "Your result: PHQ-2")
    _minute(page)


def _rows(site: LiveSite) -> Rows:
    """Per table and row, in every database that there is, the length of each cell."""
    found: Rows = Counter()
    for compartment in (one for one in COMPARTMENTS if site.home.database(one).exists()):
        with contextlib.closing(open_store(site.home, compartment)) as store, store.read() as session:
            tables = metadata_of(compartment).sorted_tables
            for table in (one for one in tables if one.name not in OWN_KEYS):
                for row in session.execute(select(table)):
                    found[(f"{compartment}.{table}", tuple(_length(cell) for cell in row))] += 1
    return found


def _length(cell: object) -> int:
    # A time has six digits of a second, or none when they happen to be zero.
    if isinstance(cell, datetime):
        return 0
    return len(cell) if isinstance(cell, bytes) else len(str(cell))


def _seen(answers: list[Response]) -> Seen:
    return Counter(
        (
            answer.request.method,
            urlsplit(answer.url).path,
            len(answer.request.post_data_buffer or b""),
            answer.status,
            len(answer.body()) if answer.status == 200 else 0,
        )
        for answer in answers
    )


def _world(folder: Path, *, write: bool, minutes: int = 1) -> World:
    """One officer at a site of its own: what left and what came back after enrolling, and what is stored then."""
    answers: list[Response] = []
    with live_site(folder / "home") as site:
        member, slip = site.member("alex", "officer")
        with opened(site, folder / "browser") as page:
            sign_in(page, member, member.fresh_code())
            create(page, site, slip)
            _settle(page)
            page.on("response", lambda answer: answers.append(answer))
            (_write if write else _read)(page)
            _minute(page, minutes)
            lock(page)
            seen = _seen(answers)
        rows = _rows(site)
        site.member("sam", "officer")
        assert _rows(site) != rows  # the control: a person more, with a slip, is seen in the rows
        return seen, rows


def test_what_was_typed_changes_nothing_that_can_be_counted(tmp_path: Path, library: Path) -> None:
    quiet, quiet_rows = _world(tmp_path / "quiet", write=False)
    typed, typed_rows = _world(tmp_path / "typed", write=True)
    assert quiet == typed
    assert quiet_rows == typed_rows
    assert {name.partition(".")[0] for name, _ in quiet_rows} == {"desk", "ledger"}
    longer, _ = _world(tmp_path / "longer", write=False, minutes=2)  # the control
    assert longer != quiet


def _choose(page: Page) -> None:
    """Switch on all that there is: a peer may reach out, another supporter never, and back from a quiet."""
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("If you unlocked now, it would be sent.")).to_be_visible()
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("to Pat Peer.")).to_be_visible()
    page.get_by_role("button", name="Never involve Ollie Other").click()
    page.get_by_role("button", name="Start quiet time").click()
    expect(page.get_by_text("Quiet until")).to_be_visible()
    page.get_by_role("button", name="End quiet time").click()


def _world_of_choices(folder: Path, call: Call, *, choose: bool) -> tuple[World, int]:
    """Two sessions of an officer with heavy calls, with the post running; and how many conversations there are then."""
    answers: list[Response] = []
    with live_site(folder / "home") as site, sealed_post(site):
        site.history = [contribution(n, n * 0.9 + 0.1, "suicide") for n in range(6)]
        entries = [
            keylist.Entry(name=name, role="peer", languages=["English"], phone="", about="", **call("supporter_keys"))
            for name in ("Pat Peer", "Ollie Other")
        ]
        keylist.sign_list(entries, site.home.root / "trustee-key", site.home.public)
        member, slip = site.member("alex", "officer")
        with opened(site, folder / "browser") as page:
            sign_in(page, member, member.fresh_code())
            words = create(page, site, slip)
            page.get_by_role("link", name="Exposure", exact=True).first.click()
            expect(page.get_by_role("heading", name="Worth knowing")).to_be_visible()
            _settle(page)
            page.on("response", lambda answer: answers.append(answer))
            page.get_by_role("link", name="Choices", exact=True).first.click()
            heading(page, "Your choices")
            check(page)
            if choose:
                _choose(page)
            _minute(page)
            lock(page)
            sign_in(page, member, member.fresh_code())
            page.get_by_label("Six words").fill(" ".join(words))
            page.get_by_role("button", name="Unlock").click()
            heading(page, re.compile("^Good"))
            page.get_by_role("link", name="Support", exact=True).first.click()
            heading(page, "Support")
            expect(page.get_by_role("button", name="Write to Ollie Other")).to_have_count(0 if choose else 1)
            written = page.get_by_text("Your conversations").count()
            _minute(page)
            lock(page)
            seen = _seen(answers)
        return (seen, _rows(site)), written


def test_choices_change_nothing_that_can_be_counted(tmp_path: Path, call: Call) -> None:
    (none, none_rows), no_message = _world_of_choices(tmp_path / "none", call, choose=False)
    (chosen, chosen_rows), message = _world_of_choices(tmp_path / "chosen", call, choose=True)
    # The message was written in one world only, and cells left in both.
    assert (no_message, message) == (0, 1)
    assert sum(times for (_, path, *_), times in none.items() if path == "/cells/requests") >= 3
    assert none == chosen
    assert none_rows == chosen_rows
    assert {name.partition(".")[0] for name, _ in none_rows} == {"desk", "ledger", "post"}
