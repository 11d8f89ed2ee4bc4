"""Pages of the officers' trustee: what is in force, and the slips that the trustee hands over in person.

Owns: these routes. A slip's code is shown once, on a page for printing, and each issue is in that person's access log
before there is a code. Must never see: any officer's record; overview figures are releases and published parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, g, render_template, request

from appliance.charter import signatures
from appliance.crypto import sshsig
from appliance.crypto.trusted_keys import signer_key
from appliance.desk import releases, slips, vouching
from appliance.desk.log_state import log_state
from appliance.desk.people import lookup
from appliance.errors import WardwellError
from webapp.common.guard import discloses
from webapp.common.reveal import reveal
from webapp.common.site import current_site

blueprint = Blueprint("trustee", __name__, url_prefix="/trustee")


@dataclass(frozen=True)
class Printed:
    """One slip on paper."""

    name: str
    number: str
    code: str
    expires: datetime


@blueprint.get("/")
@discloses("report", "verify")
def overview() -> str:
    """What is in force: charter, checkpoints, the newest release; whoever may read signed reports may see all three."""
    site = current_site()
    with site.store.read() as session:
        row = releases.newest(session)
        release = releases.content(row) if row is not None else None
    return render_template(
        "trustee/overview.html",
        signatures=signatures.verify(site.home),
        log=log_state(site.home, timedelta(hours=site.charter.constants.cosignature_age_hours)),
        release=release,
        leaf_index=row.leaf_index if row is not None else -1,
    )


def _nobody(_view_args: Mapping[str, Any]) -> Sequence[str]:
    return []


def _asked_for(_view_args: Mapping[str, Any]) -> Sequence[str]:
    try:
        return [lookup.find_account(current_site().store, request.form.get("person", ""))]
    except WardwellError:
        return []


def _all(_view_args: Mapping[str, Any]) -> Sequence[str]:
    return lookup.everyone(current_site().store)


@blueprint.get("/slips/")
@discloses("slip", "hand_over", subjects=_nobody)
def slips_page() -> str:
    """How slips work, and the two ways to print them."""
    return render_template(
        "trustee/slips.html", out=slips.count_open(current_site().store), days=slips.DAYS, problem=None
    )


@blueprint.post("/slips/one")
@discloses("slip", "hand_over", subjects=_asked_for)
def slip_for_one() -> Any:
    """Print the slip of one person; it is in that person's access log first."""
    return _for_one(past=False)


@blueprint.post("/slips/past")
@discloses("slip", "hand_over", subjects=_asked_for)
def code_for_the_past() -> Any:
    """Print one of the two codes that open the time before to a space that was started over; entered as a slip is."""
    return _for_one(past=True)


def _for_one(*, past: bool) -> Any:
    store = current_site().store
    try:
        handle = lookup.find_account(store, request.form.get("person", ""))
    except WardwellError as error:
        page = render_template("trustee/slips.html", out=slips.count_open(store), days=slips.DAYS, problem=error)
        return page, 400

    def load() -> Printed:
        return _printed(handle, vouching.issue(store, handle, g.account) if past else slips.issue(store, handle))

    note = "A code for the time before was printed" if past else "A slip was printed"
    printed = reveal([handle], "slip", "hand_over", load, note=note)
    return render_template("trustee/past.html", code=printed) if past else _paper([printed])


@blueprint.post("/slips/everyone")
@discloses("slip", "hand_over", subjects=_all)
def slips_for_everyone() -> Any:
    """Print a slip for everyone alike, in one action."""
    store = current_site().store
    handles = lookup.everyone(store)
    printed = reveal(
        handles,
        "slip",
        "hand_over",
        lambda: [_printed(handle, slips.issue(store, handle)) for handle in handles],
        everyone=True,
        note="A slip was printed for everyone",
    )
    return _paper(printed)


def _printed(handle: str, issued: slips.Issued) -> Printed:
    store = current_site().store
    return Printed(*lookup.label(store, handle), issued.code, issued.expires_at)


def _paper(printed: list[Printed]) -> str:
    return render_template("trustee/paper.html", slips=printed, fingerprint=_fingerprint())


def _fingerprint() -> str:
    try:
        return sshsig.fingerprint(signer_key(current_site().home, "trustee"))
    except OSError:
        raise WardwellError(
            "The trustee's public key is not here, so no slip can carry its fingerprint.",
            "Found the appliance first: put trustee.pub into the public folder.",
        ) from None
