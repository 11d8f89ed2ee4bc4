"""Deny by default: each view says what it discloses, and the charter says who may have it.

Owns: `@discloses`, the check that no route is without a declaration (an application with one does not start), and the
question asked before every request. A refused attempt that concerns people goes into their own access logs before the
answer is made. Must never see: what is behind the view; it runs before the view does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from flask import Flask, g, request
from werkzeug.exceptions import Forbidden

from appliance.account import ANYONE, NOBODY, Account
from appliance.charter import Charter
from appliance.charter.person_entry import person_entry
from appliance.errors import WardwellError
from appliance.spool import log_entries
from appliance.spool.append import append
from webapp.common.site import current_site

View = TypeVar("View", bound=Callable[..., Any])
Subjects = Callable[[Mapping[str, Any]], Sequence[str]]

_ATTRIBUTE = "__discloses__"
_log = structlog.get_logger("guard")


@dataclass(frozen=True)
class Declaration:
    """What a view discloses. `states` are the session states that count as signed in for it; `touch` whether a request
    counts as use of the session."""

    category: str
    purpose: str
    subjects: Subjects | None
    states: frozenset[str]
    touch: bool


Authenticate = Callable[[Declaration], Account]


def discloses(
    category: str,
    purpose: str,
    subjects: Subjects | None = None,
    *,
    states: Sequence[str] = ("ready",),
    touch: bool = True,
) -> Callable[[View], View]:
    """Declare what the view function discloses, in the charter's words.

    `subjects(view_args)` names the handles of the people concerned, for categories about people: a refused attempt is
    written into their access logs. `states` widens who counts as signed in, for the steps of signing in itself. With
    `touch=False` (a page's own polling) a request does not keep the session from locking.
    """

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, Declaration(category, purpose, subjects, frozenset(states), touch))
        return view

    return mark


def declaration_of(app: Flask, endpoint: str) -> Declaration | None:
    """The declaration of `endpoint`'s view, or None."""
    declaration: Declaration | None = getattr(app.view_functions.get(endpoint), _ATTRIBUTE, None)
    return declaration


def check_declared(app: Flask, charter: Charter) -> None:
    """Refuse to start with a route that says nothing, or says something that the charter does not know.

    Raises WardwellError naming every such route.
    """
    problems = []
    for rule in app.url_map.iter_rules():
        declared = declaration_of(app, rule.endpoint)
        if declared is None:
            problems.append(f"{rule.rule} does not declare what it discloses")
        elif declared.category not in charter.categories:
            problems.append(f"{rule.rule} names the unknown category {declared.category!r}")
        elif declared.purpose not in charter.purposes[declared.category]:
            problems.append(f"{rule.rule} names a purpose that the charter has not for {declared.category!r}")
        elif charter.categories[declared.category].about_people and declared.subjects is None:
            problems.append(f"{rule.rule} is about people and does not say about whom")
    if problems:
        raise WardwellError(
            f"This application does not start: {'; '.join(sorted(problems))}.",
            "Declare every route with @discloses, in the charter's words.",
        )


def _log_refusal(charter: Charter, account: Account, declared: Declaration) -> None:
    entry = person_entry(charter, account, declared.category, declared.purpose, allowed=False)
    # Names neither the person nor the address: only that a door was tried, and which kind of door.
    _log.info("refused", role=entry.actor_role, category=entry.category, purpose=entry.purpose)
    if declared.subjects is None or not charter.categories[declared.category].about_people:
        return
    subjects = declared.subjects(request.view_args or {})
    if subjects:
        append(current_site().home, log_entries.request(about=entry, handles=subjects))


def install_guard(app: Flask, authenticate: Authenticate | None = None) -> None:
    """Ask the charter before every request of `app`.

    `authenticate(declaration)` returns the account of this request's session when its state is one that counts, else
    NOBODY; without it (the anonymous application) everybody is NOBODY. What the charter refuses ends as 403 here;
    the application's error handler gives it a face.
    """

    @app.before_request
    def _ask_the_charter() -> None:
        g.account = NOBODY
        if request.url_rule is None:
            return  # no such page: 404 or 405 follows, nothing is disclosed
        declared = declaration_of(app, request.url_rule.endpoint)
        if declared is None:
            raise Forbidden
        if authenticate is not None:
            g.account = authenticate(declared)
        charter = current_site().charter
        if not charter.allows(g.account.roles | {ANYONE}, declared.category, declared.purpose):
            _log_refusal(charter, g.account, declared)
            raise Forbidden
