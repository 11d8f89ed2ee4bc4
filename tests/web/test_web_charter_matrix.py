"""Promise: what the charter refuses is refused and what it grants works, for every route and every role.

Routes come from the running application itself, so a new one is in the matrix from its first day. Sessions are real
rows, the ledger is the real one.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from flask import Blueprint, Flask
from werkzeug.routing import Rule

import webapp.desk
from appliance.charter import Charter
from appliance.charter.schema import SHIPPED
from appliance.desk.models.people import Lockout
from appliance.desk.sign_in import directory, sessions
from appliance.settings import Home
from appliance.storage import Store
from tests.support.desk_site import Browser, Member, Space, add_member
from tests.web.examples import Agency, Example, prepare
from webapp.common.csrf import token_for
from webapp.common.guard import Declaration, declaration_of, discloses
from webapp.desk import create_app

ROLES = list(Charter(SHIPPED.read_bytes()).roles)


@pytest.fixture(autouse=True)
def _empty_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "check", lambda *_: directory.WrongPassword())


@pytest.fixture
def agency(desk: Store, charter: Charter, ledger: Any) -> Agency:
    return prepare(desk, charter)


def cells(app: Flask) -> list[tuple[Rule, str, Declaration]]:
    """Every (route, method) of the application with what it declares."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: (r.rule, sorted(r.methods or ()))):
        declared = declaration_of(app, rule.endpoint)
        assert declared is not None
        found += [(rule, method, declared) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


class Walker:
    """Asks as one role."""

    def __init__(self, app: Flask, home: Home, store: Store, role: str, member: Member | None) -> None:
        self.app, self.home, self.store, self.role, self.member = app, home, store, role, member

    def ask(self, rule: Rule, method: str, declared: Declaration, example: Example) -> Any:
        with self.store.write() as session:
            session.query(Lockout).delete()
        path = self.path(rule, example)
        state = "ready" if "ready" in declared.states else min(declared.states)
        if rule.rule.startswith("/api/"):
            space = Space(self.app, self.home)
            if self.member is not None:
                space.token = sessions.start(self.store, self.member.handle, sessions.SPACE, state)
            return space.call(method, path, example.body)
        browser = Browser(self.app, self.home)
        if self.member is not None:
            browser.set_token(sessions.start(self.store, self.member.handle, sessions.STAFF, state))
        elif method != "GET":
            browser.client.set_cookie("__Host-wardwell-before", "known", domain=browser.host.split(":")[0], secure=True)
            form = {"csrf_token": token_for("known"), **(example.form or {})}
            return browser.client.open(path, method=method, base_url=browser.base, data=form)
        if method == "GET":
            return browser.get(path)
        return browser.post(path, example.form or {})

    def path(self, rule: Rule, example: Example) -> str:
        wanted = set(rule.arguments) - set(rule.defaults or ())
        given = dict(example.arguments or {})
        if rule.endpoint == "coordinator.queue" and "show" in wanted:
            given["show"] = "due"
        assert wanted <= set(given), f"tests/web/examples.py needs {wanted} for {rule.endpoint}"
        built: tuple[str, str] | None = rule.build(given, append_unknown=False)
        assert built is not None
        return built[1]


def refused(answer: Any) -> bool:
    """403 and 404 pages, 401 of the API, or the way to the sign-in page."""
    if answer.status_code == 303:
        return bool(answer.headers["Location"] == "/sign-in")
    return answer.status_code in (401, 403)


@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_this_role_as_the_charter_says(
    app: Flask, home: Home, desk: Store, charter: Charter, agency: Agency, ledger: Any, role: str
) -> None:
    member = None if role == "anyone" else add_member(desk, f"one-{role}", role)
    walker = Walker(app, home, desk, role, member)
    seen = {True: 0, False: 0}
    for rule, method, declared in cells(app):
        example = agency.examples.get(rule.endpoint, Example())
        needs = method != "GET" or bool(set(rule.arguments) - set(rule.defaults or ()))
        assert rule.endpoint in agency.examples or not needs, f"tests/web/examples.py needs {rule.endpoint}"
        held = {"anyone"} if member is None else {role, "anyone"}
        granted = charter.allows(held, declared.category, declared.purpose)
        subjects = agency.attended if declared.category in ("attendance", "follow_up") else []
        before = {handle: len(ledger.entries(handle)) for handle in subjects}
        answer = walker.ask(rule, method, declared, example)
        answer.close()
        what = f"{method} {rule.rule} as {role}: {answer.status_code} {answer.headers.get('Location', '')}"
        seen[granted] += 1
        if granted:
            done = (*example.done, 200, 303) if 200 in example.done else example.done
            assert answer.status_code in done, what
            if 200 in example.done and rule.endpoint != "signin.sign_out" and member is not None:
                assert answer.headers.get("Location") != "/sign-in", what
            continue
        assert refused(answer), what
        for handle in subjects:
            entries = ledger.entries(handle)
            assert len(entries) == before[handle] + 1, f"{what}: not in the log of who attended"
            assert (entries[-1]["outcome"], entries[-1]["actor_role"]) == ("refused", role), what
            assert entries[-1]["actor"] == ("Someone not signed in" if member is None else f"The one-{role}")
    assert seen[True] >= 5 and seen[False] >= 5


@pytest.mark.parametrize("role", ROLES)
def test_every_category_and_purpose_is_for_the_roles_that_the_charter_names(
    home: Home, desk: Store, charter: Charter, ledger: Any, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """The guard's own matrix: one probing route per category and purpose, also those that no page of desk serves."""
    probes = Blueprint("probes", __name__)
    pairs = [(c, p) for c in charter.categories for p in sorted(charter.purposes[c])]
    for category, purpose in pairs:
        view = discloses(category, purpose, subjects=lambda _args: ["ab" * 16])(lambda: "shown")
        probes.add_url_rule(f"/probe/{category}/{purpose}", f"{category}-{purpose}", view)
    with monkeypatch.context() as patch:
        module = types.ModuleType("probing_blueprint")
        module.blueprint = probes  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "probing_blueprint", module)
        patch.setattr(webapp.desk, "BLUEPRINTS", (*webapp.desk.BLUEPRINTS, "probing_blueprint"))
        app = create_app(home)
    try:
        browser = Browser(app, home)
        if role != "anyone":
            browser.use(desk, add_member(desk, f"one-{role}", role).handle)
        logged = 0
        for category, purpose in pairs:
            answer = browser.get(f"/probe/{category}/{purpose}")
            granted = charter.allows({role, "anyone"}, category, purpose)
            assert (answer.get_data() == b"shown") == granted, f"{category} for {purpose} as {role}"
            assert granted != refused(answer)
            logged += not granted and charter.categories[category].about_people
        assert len(ledger.entries("ab" * 16)) == logged
    finally:
        app.extensions["wardwell"].close()


def test_the_matrix_notices_a_guard_that_lets_everyone_in(
    app: Flask, home: Home, desk: Store, charter: Charter, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the charter's answer forced to yes, an auditor gets the incident, and the matrix would fail."""
    walker = Walker(app, home, desk, "auditor", add_member(desk, "one-auditor", "auditor"))
    rule, method, declared = next(c for c in cells(app) if c[0].endpoint == "coordinator.incident")
    example = agency.examples["coordinator.incident"]
    assert refused(walker.ask(rule, method, declared, example))
    monkeypatch.setattr(Charter, "allows", lambda *_: True)
    assert walker.ask(rule, method, declared, example).status_code == 200
