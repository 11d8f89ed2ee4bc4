"""Promise: an undeclared route does not start; nothing is revealed without its entry; forms are our own pages' only."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Blueprint, Flask, g
from werkzeug.exceptions import Forbidden

import webapp.desk
from appliance.account import NOBODY
from appliance.charter import Charter
from appliance.desk import health
from appliance.desk.models.sessions import SessionRow
from appliance.desk.sign_in import accounts, sessions
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.append import LedgerDown
from appliance.storage import Store
from tests.support.desk_site import Browser, Member, Space, add_member
from tests.web.examples import REFERENCE, prepare
from webapp.common.csrf import token_for
from webapp.common.guard import discloses
from webapp.common.headers import HEADERS
from webapp.common.reveal import reveal
from webapp.desk import create_app

VIEWS: list[tuple[str, Callable[[], str]]] = [
    ("does not declare", lambda: "x"),
    ("unknown category", discloses("gossip", "inform")(lambda: "x")),
    ("names a purpose", discloses("release", "gossip")(lambda: "x")),
    ("about whom", discloses("attendance", "duty_of_care")(lambda: "x")),
]


def with_view(monkeypatch: pytest.MonkeyPatch, home: Home, view: Callable[..., Any]) -> Flask:
    module = types.ModuleType("one_more_blueprint")
    module.blueprint = Blueprint("more", __name__)  # type: ignore[attr-defined]
    module.blueprint.add_url_rule("/more", "view", view, methods=["GET", "POST"])
    monkeypatch.setitem(sys.modules, "one_more_blueprint", module)
    monkeypatch.setattr(webapp.desk, "BLUEPRINTS", (*webapp.desk.BLUEPRINTS, "one_more_blueprint"))
    return create_app(home)


@pytest.mark.parametrize(("problem", "view"), VIEWS)
def test_an_application_with_a_route_that_says_nothing_right_does_not_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, problem: str, view: Callable[[], str]
) -> None:
    with pytest.raises(WardwellError, match=problem):
        with_view(monkeypatch, home, view)


def test_an_application_whose_every_route_is_declared_starts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    app = with_view(monkeypatch, home, discloses("charter", "inform")(lambda: "x"))
    assert "more.view" in app.view_functions


@pytest.fixture
def coordinator(desk: Store) -> Member:
    return add_member(desk, "reyes", "coordinator")


SUBJECT = "ab" * 16


@pytest.fixture
def inside(app: Flask, home: Home, desk: Store, coordinator: Member) -> Any:
    """The inside of a request by the coordinator."""
    with app.test_request_context("/", base_url=f"https://{home.settings().hosts.desk}"):
        g.account = accounts.load(desk, coordinator.handle)
        yield g


def test_reveal_appends_to_everyone_concerned_before_it_loads(inside: Any, ledger: Any) -> None:
    other = "cd" * 16
    seen_at_load: list[int] = []

    def load() -> str:
        seen_at_load.append(len(ledger.entries(SUBJECT)) + len(ledger.entries(other)))
        return "data"

    got = reveal([SUBJECT, other, SUBJECT], "attendance", "duty_of_care", load, incident="CI-1", everyone=True)
    assert (got, seen_at_load) == ("data", [2])
    assert ledger.entries(SUBJECT) == [
        {
            "actor": "The reyes",
            "actor_role": "coordinator",
            "category": "attendance",
            "purpose": "duty_of_care",
            "outcome": "allowed",
            "incident": "CI-1",
            "everyone": True,
            "note": "",
        }
    ]


def test_without_the_ledger_nothing_is_loaded(inside: Any, ledger: Any) -> None:
    loaded: list[str] = []
    ledger.down = True
    with pytest.raises(LedgerDown):
        reveal([SUBJECT], "attendance", "duty_of_care", lambda: loaded.append("x"))
    assert loaded == []
    ledger.down = False
    reveal([SUBJECT], "attendance", "duty_of_care", lambda: loaded.append("x"))
    assert loaded == ["x"]


@pytest.mark.parametrize(("category", "purpose"), [("slip", "hand_over"), ("attendance", "gossip"), ("gossip", "own")])
def test_reveal_refuses_what_the_charter_refuses_and_logs_it(
    inside: Any, ledger: Any, category: str, purpose: str
) -> None:
    loaded: list[str] = []
    with pytest.raises(Forbidden):
        reveal([SUBJECT], category, purpose, lambda: loaded.append("x"))
    assert loaded == []
    assert [entry["outcome"] for entry in ledger.entries(SUBJECT)] == ["refused"]


def test_nobody_is_refused_too(inside: Any, ledger: Any) -> None:
    g.account = NOBODY
    with pytest.raises(Forbidden):
        reveal([SUBJECT], "attendance", "duty_of_care", lambda: "x")
    assert [entry["actor"] for entry in ledger.entries(SUBJECT)] == ["Someone not signed in"]


def test_a_ledger_that_is_down_gives_a_page_that_shows_nothing(
    browser: Callable[[], Browser], desk: Store, charter: Charter, coordinator: Member, ledger: Any
) -> None:
    prepare(desk, charter)
    page = f"/coordinator/incidents/{REFERENCE}"
    one = browser().use(desk, coordinator.handle)
    other = browser().use(desk, add_member(desk, "chief", "command").handle)
    assert "Attending 0" in one.get(page).get_data(as_text=True)
    assert other.get(page).status_code == 403
    ledger.down = True
    for someone in (one, other):
        answer = someone.get(page)
        assert answer.status_code == 503 and "Attending" not in answer.get_data(as_text=True)


def test_a_form_without_its_token_or_from_elsewhere_is_refused(
    browser: Callable[[], Browser], desk: Store, coordinator: Member, home: Home
) -> None:
    one = browser().use(desk, coordinator.handle)
    hosts = home.settings().hosts
    wrong: list[dict[str, Any]] = [
        {"data": {"csrf_token": ""}},
        {"data": {"csrf_token": "0" * 64}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": f"https://{hosts.space}"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
    ]
    for options in wrong:
        data = {**options.pop("data", {})}
        assert one.post("/extend", data, **options).status_code == 403, options
    good = {"Origin": f"https://{hosts.desk}", "Sec-Fetch-Site": "same-origin"}
    assert one.post("/extend", {}, headers=good).get_json() == {"idle_seconds": 900}
    other = browser().use(desk, add_member(desk, "other", "coordinator").handle)
    assert one.post("/extend", {"csrf_token": token_for(other.token)}).status_code == 403


def test_every_state_changing_page_asks_for_the_token(
    app: Flask, browser: Callable[[], Browser], desk: Store, charter: Charter
) -> None:
    """Everyone's every form, found in the application itself, with a session that the charter lets in."""
    everything = {role for role in charter.roles if role not in ("anyone", "officer", "peer", "clinician")}
    member = add_member(desk, "all", *sorted(everything), "officer")
    checked = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        built = rule.build(dict.fromkeys(rule.arguments, 1), append_unknown=False)
        assert built is not None
        one = browser().use(desk, member.handle)
        answer = one.client.post(built[1], base_url=one.base, data={})
        refused = answer.status_code == 403 or answer.headers.get("Location") == "/sign-in"
        assert refused, f"{rule.rule}: {answer.status_code}"
        checked += 1
    assert checked >= 10


def test_every_answer_carries_the_headers(
    browser: Callable[[], Browser], space: Callable[[], Space], desk: Store, coordinator: Member
) -> None:
    one = browser().use(desk, coordinator.handle)
    answers = [
        one.get("/coordinator/queue/"),
        one.get("/no-such-page"),
        one.get("/trustee/"),
        browser().get("/sign-in"),
        space().call("GET", "/api/vault"),
        one.client.get("/", base_url="https://evil.example"),
    ]
    assert [a.status_code for a in answers] == [200, 404, 403, 200, 401, 421]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "Server" not in answer.headers
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8443", "desk.wardwell.localhost", "my.wardwell.localhost:8445"]
)
def test_any_other_host_is_refused(app: Flask, host: str) -> None:
    assert app.test_client().get("/sign-in", base_url=f"https://{host}").status_code == 421


def test_an_error_page_names_nobody_and_repeats_nothing(
    app: Flask, browser: Callable[[], Browser], desk: Store, coordinator: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("MARKER-OF-A-SECRET")

    monkeypatch.setattr(health, "shown", broken)
    admin = browser().use(desk, add_member(desk, "it", "admin").handle)
    answer = admin.get("/status/")
    assert answer.status_code == 500 and "MARKER" not in answer.get_data(as_text=True)


def test_polling_that_says_so_does_not_keep_a_session_alive(desk: Store, charter: Charter, coordinator: Member) -> None:
    token = sessions.start(desk, coordinator.handle, sessions.STAFF, "ready")
    with desk.write() as session:
        row = session.query(SessionRow).one()
        before = row.used_at = row.used_at - timedelta(minutes=1)
    assert sessions.find(desk, charter, token, sessions.STAFF, touch=False) is not None
    with desk.read() as session:
        assert session.query(SessionRow).one().used_at == before
    assert sessions.find(desk, charter, token, sessions.STAFF) is not None
    with desk.read() as session:
        assert session.query(SessionRow).one().used_at > before
