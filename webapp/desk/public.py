"""Pages that anyone may see: the first page, the charter, the log's checkpoints, and the way out.

Owns: these routes; registering its blueprint also dresses the application (`webapp.desk.skin`). Must never see: a
person other than the one at the keyboard.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState

from appliance.charter import signatures
from appliance.desk.log_state import log_state
from appliance.desk.sign_in import sessions
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk import skin, who

blueprint = Blueprint("public", __name__)


@blueprint.record_once
def _dress(state: BlueprintSetupState) -> None:
    skin.register(state.app)  # type: ignore[arg-type]


@blueprint.get("/")
@discloses("charter", "inform")
def home() -> Any:
    """To one's own first page; who has none here (an officer) finds the private space."""
    if not g.account.id:
        return redirect("/sign-in", 303)
    pages = skin.navigation(g.account.roles)
    if pages:
        return redirect(url_for(pages[0][0]), 303)
    return render_template("home.html")


@blueprint.get("/leave")
@discloses("charter", "inform")
def leave() -> Any:
    """End the session at once and show a page that says nothing about where one was."""
    if g.account.id:
        sessions.end(current_site().store, g.session.id)
    response = make_response(render_template("left.html"))
    who.drop_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.get("/charter/")
@discloses("charter", "inform")
def charter() -> str:
    """Who can see what, from the object that the guard asks."""
    site = current_site()
    return render_template("charter.html", signatures=signatures.verify(site.home))


@blueprint.get("/checkpoints/")
@discloses("checkpoint", "verify")
def checkpoints() -> str:
    """The log's newest checkpoint, and how to check it without this page."""
    site = current_site()
    oldest = timedelta(hours=site.charter.constants.cosignature_age_hours)
    return render_template("checkpoints.html", log=log_state(site.home, oldest))
