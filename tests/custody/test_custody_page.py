"""The sealed page: whom to call, how far it is, one card at a time, and nothing else at all."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.custody import opening, public_record
from appliance.custody.offers import WRONG_PER_MINUTE
from appliance.custody.public_record import Places
from appliance.custody.shares import GROUPS, Card
from appliance.settings import Home
from tests.custody.support import HOLDERS, Files, hold, make_shares_home, serving
from tests.support.waiting import until
from webapp.custody import create_app

HOST = "desk.wardwell.localhost:8443"


class OurHost(FlaskClient):
    """Asks desk's host unless another one is named."""

    def open(self, *arguments: Any, **named: Any) -> Any:
        return super().open(*arguments, **{"base_url": f"https://{HOST}", **named})


@pytest.fixture
def places(home: Home) -> Places:
    return make_shares_home(home)


@pytest.fixture
def machine(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def cards(places: Places, machine: Files) -> Iterator[dict[str, list[Card]]]:
    made = hold(places, machine)
    opening.seal(places, machine, public_record.load(places), lambda _: None)
    with serving(places, machine):
        yield made


@pytest.fixture
def browser(places: Places) -> FlaskClient:
    app = create_app(places.home)
    app.test_client_class = OurHost
    return app.test_client()


def hand_in(browser: FlaskClient, words: str, **headers: str) -> tuple[int, str]:
    given = {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "same-origin", **headers}
    answer = browser.post("/sealed/card", data={"card": words}, headers=given)
    return answer.status_code, answer.get_data(as_text=True)


def test_it_says_whom_to_call_and_where_help_is(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    answer = browser.get("/")
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 503
    for group in GROUPS:
        for holder in HOLDERS[group]:
            assert holder.name in page
            assert holder.telephone in page
    for folder in ("crisis", "resources", "directory"):
        assert f"https://my.wardwell.localhost:8445/{folder}/" in page
    assert browser.get("/coordinator/queue?x=1").get_data() == answer.get_data(), "whatever was asked for"


def test_two_sides_open_it_from_the_page(
    browser: FlaskClient, cards: dict[str, list[Card]], places: Places, machine: Files
) -> None:
    for card, shown in ((cards["trustee"][0], "1 of 2 cards typed"), (cards["agency"][0], "1 of 1 card typed")):
        assert hand_in(browser, card.words)[0] == 303
        page = browser.get("/sealed?taken=1").get_data(as_text=True)
        assert shown in page
        assert "The card was taken" in page
        assert not places.unsealed.exists()
    assert hand_in(browser, cards["trustee"][1].words)[0] == 303
    until(places.unsealed.exists)
    page = browser.get("/").get_data(as_text=True)
    assert "is opening" in page
    assert "<form" not in page


def test_a_wrong_card_is_refused_and_never_sent_back(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    words = cards["agency"][0].words.split()
    status, page = hand_in(browser, " ".join([*words[:-1], "academic" if words[-1] != "academic" else "acid"]))
    assert status == 422
    assert "checksum" in page
    assert 'role="alert"' in page
    for run in (" ".join(words[place : place + 2]) for place in range(32)):
        assert run not in page
    assert re.search(r"<textarea[^>]*></textarea>", page), "the positive control: the form is there, and empty"
    for _ in range(WRONG_PER_MINUTE):
        status, page = hand_in(browser, "hello")
    assert status == 429
    assert "Wait a minute" in page


def test_it_does_nothing_else(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    app = browser.application
    assert sorted((rule.rule, sorted(rule.methods or ())) for rule in app.url_map.iter_rules()) == [
        ("/", ["GET", "HEAD", "OPTIONS"]),
        ("/<path:path>", ["GET", "HEAD", "OPTIONS"]),
        ("/sealed/card", ["OPTIONS", "POST"]),
        ("/static/<path:filename>", ["GET", "HEAD", "OPTIONS"]),
    ]
    for path in ("/", "/sealed", "/api/sign-in", "/status", "/sealed/forget"):
        assert browser.post(path, data={"do": "forget"}, headers={"Origin": f"https://{HOST}"}).status_code == 405
    assert browser.get("/", base_url="https://other.example").status_code == 421
    assert hand_in(browser, "x" * 5000)[0] == 413


def test_a_form_from_elsewhere_is_refused(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    words = cards["agency"][0].words
    assert hand_in(browser, words, Origin="https://evil.example")[0] == 403
    assert hand_in(browser, words, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert "0 of 1 card typed" in browser.get("/").get_data(as_text=True)
    assert hand_in(browser, words)[0] == 303
    assert "1 of 1 card typed" in browser.get("/").get_data(as_text=True)


def test_no_cookie_no_script_and_a_strict_policy(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    answers = [browser.get("/"), browser.post("/sealed/card", data={"card": cards["agency"][0].words})]
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
    page = answers[0].get_data(as_text=True)
    assert "<script" not in page
    assert "style=" not in page


def test_each_field_has_a_label_and_each_table_a_caption(browser: FlaskClient, cards: dict[str, list[Card]]) -> None:
    class Seen(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[tuple[str, dict[str, str | None]]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append((tag, dict(attrs)))

    seen = Seen()
    seen.feed(hand_in(browser, "hello")[1])
    count = {tag: sum(1 for name, _ in seen.tags if name == tag) for tag in ("h1", "table", "caption", "main")}
    assert count == {"h1": 1, "table": 2, "caption": 2, "main": 1}
    labels = {attributes.get("for") for tag, attributes in seen.tags if tag == "label"}
    fields = [attributes for tag, attributes in seen.tags if tag == "textarea"]
    assert {field["id"] for field in fields} == labels
    described = (fields[0]["aria-describedby"] or "").split()
    assert set(described) <= {attributes.get("id") for _, attributes in seen.tags}
    assert len(described) == 2


def test_before_a_ceremony_and_without_the_process_it_still_helps(browser: FlaskClient, places: Places) -> None:
    page = browser.get("/").get_data(as_text=True)
    assert "ceremony" in page
    assert "/crisis/" in page
    assert "<form" not in page
