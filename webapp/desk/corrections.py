"""Asking, under one's own name, to correct the duty-of-care record; and the coordinator's pages that decide it.

Owns: these routes. The form is identified on purpose and apart from the private space: what an officer leaves out of
their own sums there never comes here. Must never see: a private space; whoever asks is told nothing of an incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for

from appliance.charter.person_entry import person_entry
from appliance.desk.follow_up import corrections
from appliance.desk.follow_up import steps as follow_up
from appliance.errors import WardwellError
from appliance.spool import log_entries
from appliance.spool.append import append
from webapp.common.guard import discloses
from webapp.common.reveal import reveal
from webapp.common.site import current_site
from webapp.desk.words import DECISIONS, GROUNDS, NOTES

blueprint = Blueprint("corrections", __name__)


def people(view_args: Mapping[str, Any]) -> Sequence[str]:
    """Handles of whom the request of this address is about, and who made it."""
    with current_site().store.read() as session:
        return corrections.people_of(session, str(view_args.get("key", "")))


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "GROUNDS": GROUNDS,
        "DECISIONS": DECISIONS,
        "note": NOTES.get(request.args.get("done", "")),
        "current_page": None if request.endpoint == "corrections.form" else "corrections.waiting",
    }


def _form(problem: WardwellError | None = None, status: int = 200) -> Any:
    with current_site().store.read() as session:
        own = corrections.own(session, g.account.id)
    page = render_template("corrections/form.html", own=own, problem=problem, form=request.form, current_page=None)
    return page, status


@blueprint.get("/corrections/")
@discloses("account", "own")
def form() -> Any:
    """The form, and what oneself asked for so far."""
    return _form()


@blueprint.post("/corrections/")
@discloses("account", "own")
def ask() -> Any:
    """Take a request. The person it is about finds it in the own access log; the answer is the same for anything."""
    site, given = current_site(), request.form
    try:
        fields = corrections.read(given.get("reference", ""), given.get("number", ""), given.get("ground", ""))
        with site.store.read() as session:
            handle = corrections.concerned(session, g.account.id, fields[1])[1]
        if handle and handle != g.account.id:
            entry = person_entry(
                site.charter,
                g.account,
                "follow_up",
                "duty_of_care",
                incident=fields[0],
                note="Asked to correct the record; nothing was shown",
                acting_for=("account", "own"),
            )
            append(site.home, log_entries.request(about=entry, handles=[handle]))
        with site.store.write() as session:
            corrections.ask(session, g.account.id, *fields)
    except WardwellError as problem:
        return _form(problem, 400)
    return redirect(url_for("corrections.form", done="asked"), 303)


@blueprint.get("/coordinator/corrections/")
@discloses("incident", "duty_of_care")
def waiting() -> str:
    """Requests that wait for a decision, without people."""
    with current_site().store.read() as session:
        rows = corrections.waiting(session)
    return render_template("corrections/waiting.html", rows=rows)


@blueprint.get("/coordinator/corrections/<key>")
@discloses("attendance", "duty_of_care", subjects=people)
def one(key: str) -> Any:
    """One request with its people, to be decided."""
    handles = people({"key": key})
    if not handles:
        abort(404)

    def load() -> corrections.Whole:
        with current_site().store.read() as session:
            return corrections.whole(session, key, g.account.id)

    note = "A request to correct the record was read"
    requests = reveal(handles, "attendance", "duty_of_care", load, note=note)
    return render_template("corrections/one.html", asked=requests)


@blueprint.post("/coordinator/corrections/<key>")
@discloses("follow_up", "duty_of_care", subjects=people)
def decide(key: str) -> Any:
    """Correct the record, or keep it as it is."""
    decision = request.form.get("decision", "")
    steps = follow_up.template(current_site().charter)

    def load() -> None:
        with current_site().store.write() as session:
            corrections.decide(session, key, decision, g.account.id, steps)

    note = "A correction was decided: corrected" if decision == "made" else "A correction was decided: kept as it is"
    reveal(people({"key": key}), "follow_up", "duty_of_care", load, note=note)
    return redirect(url_for("corrections.waiting", done=decision), 303)
