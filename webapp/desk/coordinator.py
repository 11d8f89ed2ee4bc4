"""Pages of the wellness coordinator: the queue of critical incidents, one incident, offers to all, people added.

Owns: routes and their words. Every page about people goes through `reveal`, so everyone who attended has the look in
the own access log first. Must never see: exposure, check-ins, an answer to an offer; there is no page that starts from
a person, and the search over the roster adds to one incident only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request, url_for

from appliance.desk.follow_up import corrections
from appliance.desk.follow_up import steps as follow_up
from appliance.desk.follow_up import views as follow_up_views
from appliance.desk.follow_up.steps import StepName
from appliance.errors import WardwellError
from webapp.common.guard import discloses
from webapp.common.reveal import reveal
from webapp.common.site import current_site
from webapp.desk.words import DECISIONS, GROUNDS, HOW, KINDS, NOTES, ROLES_AT_INCIDENT, STATUS, kind_title, step_title

blueprint = Blueprint("coordinator", __name__, url_prefix="/coordinator")

POLL_SECONDS = 20
SHOWS = {"open": "All open", "due": "Due in 24 hours", "not-started": "Not started", "closed": "Closed"}


def attended(view_args: Mapping[str, Any]) -> Sequence[str]:
    """Handles of all who attended the incident of this address."""
    with current_site().store.read() as session:
        return follow_up.attended_handles(session, str(view_args.get("reference", "")))


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "kind_title": kind_title,
        "step_title": step_title,
        "STATUS": STATUS,
        "HOW": HOW,
        "ROLES_AT_INCIDENT": ROLES_AT_INCIDENT,
        "GROUNDS": GROUNDS,
        "DECISIONS": DECISIONS,
        "current_page": "coordinator.queue" if request.endpoint != "coordinator.open_form" else None,
        "note": NOTES.get(request.args.get("done", "")),
    }


def _tag(rows: Sequence[follow_up_views.QueueRow]) -> str:
    stated = "\n".join(f"{r.reference} {r.people} {r.unmatched} {r.due} {r.status}" for r in rows)
    return hashlib.sha256(stated.encode()).hexdigest()[:32]


@blueprint.get("/queue/", defaults={"show": "open"})
@blueprint.get("/queue/<show>")
@discloses("incident", "duty_of_care")
def queue(show: str) -> str:
    """The queue under one saved filter; the filter is the address."""
    if show not in SHOWS:
        abort(404)
    find = request.args.get("find", "")[:64]
    with current_site().store.read() as session:
        counts = {name: len(follow_up_views.queue(session, name)) for name in SHOWS if name != "closed"}
        rows = follow_up_views.queue(session, show, find)
        every = rows if (show, find) == ("open", "") else follow_up_views.queue(session, "open")
    return render_template(
        "coordinator/queue.html",
        rows=rows,
        shows=SHOWS,
        show=show,
        find=find,
        counts=counts,
        queue_tag=_tag(every),
        poll_seconds=POLL_SECONDS,
    )


@blueprint.get("/news")
@discloses("incident", "duty_of_care", touch=False)  # asked by the page itself: no use of the session
def news() -> Response:
    """The references in the open queue, with an ETag: the page asks whether anything changed."""
    with current_site().store.read() as session:
        rows = follow_up_views.queue(session, "open")
    response = jsonify(references=[row.reference for row in rows])
    response.set_etag(_tag(rows))
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/incidents/<reference>")
@discloses("attendance", "duty_of_care", subjects=attended)
def incident(reference: str) -> str:
    """One incident: its steps over everyone, the people, the units that matched nobody."""
    store = current_site().store
    with store.read() as session:
        incident = follow_up_views.incident(session, reference)
        requests = corrections.of_incident(session, reference)
    handles = attended({"reference": reference})

    def load() -> list[follow_up_views.PersonView]:
        with store.read() as session:
            return follow_up_views.people_at(session, reference)

    # Two looks, since two things are shown: who attended, and what was offered.
    reveal(handles, "attendance", "duty_of_care", lambda: None, incident=reference, everyone=True)
    people = reveal(handles, "follow_up", "duty_of_care", load, incident=reference, everyone=True)
    return render_template("coordinator/incident.html", incident=incident, people=people, corrections=requests)


def _offer(reference: str, step: StepName, how: str, not_reached: Sequence[str]) -> Any:
    def load() -> None:
        with current_site().store.write() as session:
            follow_up.offer_to_all(session, reference, step, g.account.id, how, not_reached)

    reveal(
        attended({"reference": reference}),
        "follow_up",
        "duty_of_care",
        load,
        incident=reference,
        everyone=True,
        note="An offer to all was recorded",
    )
    return redirect(url_for("coordinator.incident", reference=reference, done="offered"), 303)


@blueprint.post("/incidents/<reference>/steps/<key>/all")
@discloses("follow_up", "duty_of_care", subjects=attended)
def offer_all(reference: str, key: str) -> Any:
    """One action: the step was offered to everyone who attended."""
    return _offer(reference, StepName.parse(key), "to_all", ())


@blueprint.get("/incidents/<reference>/steps/<key>")
@discloses("follow_up", "duty_of_care", subjects=attended)
def step(reference: str, key: str) -> str:
    """The same action with its two details: how it was offered, and who was not reached."""
    store = current_site().store
    with store.read() as session:
        incident = follow_up_views.incident(session, reference)
    name = StepName.parse(key)
    view = next((view for view in incident.steps if view.name == name), None)
    if view is None:
        abort(404)

    def load() -> list[follow_up_views.PersonView]:
        with store.read() as session:
            return follow_up_views.people_at(session, reference)

    people = reveal(
        attended({"reference": reference}), "follow_up", "duty_of_care", load, incident=reference, everyone=True
    )
    return render_template("coordinator/step.html", incident=incident, step=view, people=people)


@blueprint.post("/incidents/<reference>/steps/<key>")
@discloses("follow_up", "duty_of_care", subjects=attended)
def offer_with_exceptions(reference: str, key: str) -> Any:
    """Offered to all, except those whom the offer did not reach."""
    return _offer(reference, StepName.parse(key), request.form.get("how", ""), request.form.getlist("not_reached"))


@blueprint.get("/incidents/<reference>/people")
@discloses("attendance", "duty_of_care", subjects=attended)
def add_form(reference: str) -> str:
    """Find somebody on the roster, to add to this incident."""
    store = current_site().store
    find = request.args.get("find", "")[:64]
    with store.read() as session:
        incident = follow_up_views.incident(session, reference)
        handles = follow_up_views.find_on_roster(session, find)

    def load() -> list[follow_up_views.Candidate]:
        with store.read() as session:
            return follow_up_views.candidates(session, handles)

    note = "Found on the roster, to be added to an incident"
    people = reveal(handles, "attendance", "duty_of_care", load, incident=reference, note=note) if handles else []
    return render_template(
        "coordinator/add.html",
        incident=incident,
        people=people,
        find=find,
        unit=request.args.get("unit", "")[:64],
        least=follow_up_views.SEARCH_LEAST,
        limit=follow_up_views.SEARCH_LIMIT,
    )


@blueprint.post("/incidents/<reference>/people")
@discloses("attendance", "duty_of_care", subjects=attended)
def add(reference: str) -> Any:
    """Add one person of the roster to this incident; the same steps open as for everybody."""
    handle = request.form.get("handle", "")
    steps = follow_up.template(current_site().charter)

    def load() -> None:
        with current_site().store.write() as session:
            follow_up.add_person(session, reference, handle, steps, request.form.get("unit", ""))

    reveal([handle], "attendance", "duty_of_care", load, incident=reference, note="Added to the incident")
    return redirect(url_for("coordinator.incident", reference=reference, done="added"), 303)


@blueprint.post("/incidents/<reference>/units")
@discloses("incident", "duty_of_care")
def unit(reference: str) -> Any:
    """A unit that matched nobody was no person."""
    with current_site().store.write() as session:
        follow_up.resolve_unit(session, reference, request.form.get("unit", ""))
    return redirect(url_for("coordinator.incident", reference=reference, done="unit"), 303)


@blueprint.post("/incidents/<reference>/close")
@discloses("follow_up", "duty_of_care", subjects=attended)
def close(reference: str) -> Any:
    """Close the incident for all who attended alike."""

    def load() -> None:
        with current_site().store.write() as session:
            follow_up.close(session, reference)

    reveal(
        attended({"reference": reference}),
        "follow_up",
        "duty_of_care",
        load,
        incident=reference,
        everyone=True,
        note="The incident was closed for all",
    )
    return redirect(url_for("coordinator.incident", reference=reference, done="closed"), 303)


@blueprint.get("/open")
@discloses("incident", "duty_of_care")
def open_form() -> str:
    """The form that opens an incident which no feed named."""
    return render_template("coordinator/open.html", kinds=KINDS, problem=None, form={})


@blueprint.post("/open")
@discloses("incident", "duty_of_care")
def open_incident() -> Any:
    """Open an incident by hand."""
    form = request.form
    try:
        reference = _opened(form.get("kind", ""), form.get("day", ""), form.get("time", ""))
    except WardwellError as error:
        return render_template("coordinator/open.html", kinds=KINDS, problem=error, form=form), 400
    return redirect(url_for("coordinator.incident", reference=reference, done="opened"), 303)


def _opened(kind: str, day: str, time: str) -> str:
    site = current_site()
    if kind not in KINDS:
        raise WardwellError("Choose what kind of incident it was.", "Pick one from the list.")
    try:
        local = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(site.settings.time_zone))
    except ValueError:
        raise WardwellError("Enter the day and the time of the incident.", "Fill in both fields.") from None
    with site.store.write() as session:
        return follow_up.open_by_hand(session, kind, local, g.account.id)
