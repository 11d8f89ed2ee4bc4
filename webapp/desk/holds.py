"""Legal holds on the agency's records about a named person: the list, proposals, countersignatures, reviews.

Owns: these routes; the rules stand in `appliance.desk.people.holds`. The list is shown inside `reveal`, and each act
writes the person's entry itself, with what was done. Must never see: the records that are held, a private space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for

from appliance.desk.people import holds
from appliance.errors import WardwellError
from webapp.common.guard import discloses
from webapp.common.reveal import reveal
from webapp.common.site import current_site
from webapp.desk.words import NOTES

blueprint = Blueprint("holds", __name__, url_prefix="/holds")


def _all(_view_args: Mapping[str, Any]) -> Sequence[str]:
    with current_site().store.read() as session:
        return holds.subjects(session)


def _one(view_args: Mapping[str, Any]) -> Sequence[str]:
    with current_site().store.read() as session:
        return holds.subjects(session, int(view_args.get("hold_id", 0)))


def _asked_for(_view_args: Mapping[str, Any]) -> Sequence[str]:
    try:
        return [holds.find(current_site().store, request.form.get("person", ""))]
    except WardwellError:
        return []


def _page(problem: WardwellError | None = None) -> str:
    def load() -> list[holds.Held]:
        with current_site().store.read() as session:
            return holds.listed(session)

    rows = reveal(_all({}), holds.CATEGORY, holds.READ, load, note="The list of legal holds was read")
    note = NOTES.get(request.args.get("done", ""))
    return render_template("holds.html", rows=rows, problem=problem, form=request.form, note=note)


@blueprint.get("/")
@discloses(holds.CATEGORY, holds.READ, subjects=_all)
def listed() -> str:
    """Every hold that is proposed, in force or about to end."""
    return _page()


@blueprint.post("/")
@discloses(holds.CATEGORY, holds.ACT, subjects=_asked_for)
def propose() -> Any:
    """Propose a hold on the records about one person, named by roster number."""
    site, form = current_site(), request.form
    try:
        handle = holds.find(site.store, form.get("person", ""))
        holds.propose(site.store, site.charter, g.account, handle, form.get("matter", ""))
    except WardwellError as problem:
        return _page(problem), 400
    return redirect(url_for("holds.listed", done="hold-proposed"), 303)


@blueprint.post("/<int:hold_id>/countersign")
@discloses(holds.CATEGORY, holds.ACT, subjects=_one)
def countersign(hold_id: int) -> Any:
    """Countersign what is proposed: a hold, or its end."""
    site = current_site()
    holds.countersign(site.store, site.charter, g.account, hold_id)
    return redirect(url_for("holds.listed", done="hold-countersigned"), 303)


@blueprint.post("/<int:hold_id>/review")
@discloses(holds.CATEGORY, holds.ACT, subjects=_one)
def review(hold_id: int) -> Any:
    """Record that a hold is still needed."""
    site = current_site()
    holds.review(site.store, site.charter, g.account, hold_id)
    return redirect(url_for("holds.listed", done="hold-reviewed"), 303)


@blueprint.post("/<int:hold_id>/end")
@discloses(holds.CATEGORY, holds.ACT, subjects=_one)
def end(hold_id: int) -> Any:
    """Propose to lift a hold, or withdraw a proposal."""
    site = current_site()
    holds.propose_end(site.store, site.charter, g.account, hold_id)
    return redirect(url_for("holds.listed", done="hold-proposed"), 303)
