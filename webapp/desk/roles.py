"""Who holds which role: the list, proposals and countersignatures.

Owns: these routes; the rules stand in `appliance.desk.people.grants`. Must never see: what a role is used for.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for

from appliance.desk.people import grants
from appliance.desk.people.lookup import find_account
from appliance.desk.sign_in import accounts
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.words import NOTES

blueprint = Blueprint("roles", __name__, url_prefix="/roles")

NEVER_GRANTED = ("anyone", "officer")


def _who(proposed_by: str) -> str:
    if ":" in proposed_by or not proposed_by:
        return proposed_by.replace("founding: ", "Founding, ")
    account = accounts.load(current_site().store, proposed_by)
    return account.name if account is not None else "Someone who has left"


@blueprint.get("/")
@discloses("grant", "verify")
def listed() -> str:
    """Every role that is held, proposed or about to end."""
    site = current_site()
    rows = grants.listed(site.store)
    return render_template(
        "roles.html",
        rows=rows,
        names={by: _who(by) for row in rows for by in (row.proposed_by, row.countersigned_by)},
        may_propose=site.charter.allows(g.account.roles, "grant", "propose"),
        may_countersign=site.charter.allows(g.account.roles, "grant", "countersign"),
        never=NEVER_GRANTED,
        note=NOTES.get(request.args.get("done", "")),
    )


@blueprint.post("/propose")
@discloses("grant", "propose")
def propose() -> Any:
    """Propose a role for a person, named by roster number or local sign-in name."""
    site = current_site()
    handle = find_account(site.store, request.form.get("person", ""))
    grants.propose(site.store, site.charter, g.account, handle, request.form.get("role", ""))
    return redirect(url_for("roles.listed", done="proposed"), 303)


@blueprint.post("/<int:grant_id>/end")
@discloses("grant", "propose")
def end(grant_id: int) -> Any:
    """Propose that a role ends."""
    site = current_site()
    grants.propose_end(site.store, site.charter, g.account, grant_id)
    return redirect(url_for("roles.listed", done="proposed"), 303)


@blueprint.post("/<int:grant_id>/countersign")
@discloses("grant", "countersign")
def countersign(grant_id: int) -> Any:
    """Countersign a proposal: of a role, or of a role's end."""
    site = current_site()
    state = next((row.state for row in grants.listed(site.store) if row.id == grant_id), "")
    act = grants.countersign_end if state == "ending" else grants.countersign
    act(site.store, site.charter, g.account, grant_id)
    return redirect(url_for("roles.listed", done="countersigned"), 303)
