"""Signing in to the staff pages, step by step: name and password, then a code; the first time a slip and an app.

Owns: the pages under `/sign-in`, the session cookie's beginning and end, `/extend`. Each step makes a new token.
Must never see: what the pages behind it show.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from markupsafe import Markup

from appliance.desk import slips
from appliance.desk.sign_in import sessions, totp
from appliance.desk.sign_in import steps as signin
from appliance.errors import WardwellError
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk import qr, who
from webapp.desk.api_signin import gate

blueprint = Blueprint("signin", __name__)


def _page(template: str, status: int = 200, **values: Any) -> Response:
    response = make_response(render_template(f"signin/{template}.html", **{"problem": None, **values}), status)
    if g.get("form_secret"):
        response.set_cookie(who.BEFORE_COOKIE, g.form_secret, secure=True, httponly=True, samesite="Strict", path="/")
    return response


def _onward(endpoint: str, token: str) -> Any:
    response = redirect(url_for(endpoint), 303)
    who.set_cookie(response, token)  # type: ignore[arg-type]
    return response


def _promoted(state: str, endpoint: str) -> Any:
    return _onward(endpoint, sessions.promote(current_site().store, g.session.id, state))


@blueprint.get("/sign-in")
@discloses("charter", "inform")
def start() -> Any:
    """Name and password."""
    if g.account.id:
        return redirect("/", 303)
    if not who.form_secret():
        g.form_secret = secrets.token_urlsafe(32)
    return _page("start", name="")


@blueprint.post("/sign-in")
@discloses("charter", "inform")
def password() -> Any:
    """Judge name and password; a right one leads to the code, or to the slip when there is no code yet."""
    site = current_site()
    name = request.form.get("name", "")
    try:
        handle, state = signin.first_step(gate(site), name, request.form.get("password", ""))
    except signin.SignInRefused as problem:
        return _page("start", problem.status, problem=problem, name=name)
    if g.session is not None:
        sessions.end(site.store, g.session.id)
    token = sessions.start(site.store, handle, sessions.STAFF, state)
    return _onward("signin.code" if state == "code" else "signin.slip", token)


@blueprint.get("/sign-in/code")
@discloses("account", "own", states=("code",))
def code() -> Any:
    """The six digits, or a slip instead when the phone is gone."""
    return _page("code")


@blueprint.post("/sign-in/code")
@discloses("account", "own", states=("code",))
def check_code() -> Any:
    """Judge the code; a slip in its place leads to setting up a new app."""
    try:
        state = signin.second_step(gate(current_site()), g.account.id, request.form.get("code", ""))
    except signin.SignInRefused as problem:
        return _page("code", problem.status, problem=problem)
    return _promoted(state, "public.home" if state == "ready" else "signin.slip")


@blueprint.get("/sign-in/slip")
@discloses("account", "own", states=("needs_slip",))
def slip() -> Any:
    """Ask for the slip that the officers' trustee handed over."""
    return _page("slip")


@blueprint.post("/sign-in/slip")
@discloses("account", "own", states=("needs_slip",))
def check_slip() -> Any:
    """A valid slip leads to the QR code."""
    try:
        totp.begin(current_site().store, g.session.id, g.account.id, request.form.get("slip", ""))
    except slips.WrongSlip as problem:
        return _page("slip", 403, problem=problem)
    return redirect(url_for("signin.app"), 303)


def _app_page(status: int = 200, problem: WardwellError | None = None) -> Any:
    secret = g.session.pending_totp
    if not secret:
        return redirect(url_for("signin.slip"), 303)
    drawn = qr.svg(totp.uri_of(current_site().store, g.account.id, secret))
    groups = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    # Safe: drawn by segno from our own URI, no text of a person in it but as modules.
    return _page("app", status, problem=problem, drawing=Markup(drawn), secret=groups)  # noqa: S704


@blueprint.get("/sign-in/app")
@discloses("account", "own", states=("needs_slip",))
def app() -> Any:
    """The QR code and the first code from the app."""
    return _app_page()


@blueprint.post("/sign-in/app")
@discloses("account", "own", states=("needs_slip",))
def confirm() -> Any:
    """The first code of the new app makes it count and ends every other session of this person."""
    try:
        totp.confirm(current_site().store, g.session, g.account, request.form.get("code", ""))
    except slips.WrongSlip as problem:
        return _page("slip", 403, problem=problem)
    except totp.WrongCode as problem:
        return _app_page(401, problem)
    return _promoted("ready", "public.home")


@blueprint.post("/sign-out")
@discloses("account", "own", states=("code", "needs_slip", "ready"))
def sign_out() -> Any:
    """End the session."""
    sessions.end(current_site().store, g.session.id)
    response = redirect("/sign-in", 303)
    who.drop_cookie(response)  # type: ignore[arg-type]
    return response


@blueprint.post("/extend")
@discloses("account", "own")
def extend() -> Response:
    """Stay signed in: the answer says for how long."""
    site = current_site()
    sessions.extend(site.store, g.session.id)
    return jsonify(idle_seconds=sessions.seconds(site.charter)[0])
