"""Pages of the auditor (and the trustee): signed reports over a period, and how to verify them elsewhere.

Owns: these routes. Reports are made and signed by press; desk keeps the bytes. Must never see: what a report counts.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from appliance import clock
from appliance.crypto.trusted_keys import key_of, trusted_keys
from appliance.desk import releases
from appliance.errors import WardwellError
from appliance.settings import Home
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.skin import local
from webapp.desk.words import NOTES

blueprint = Blueprint("auditor", __name__, url_prefix="/reports")


def _page(problem: WardwellError | None, first: str, last: str) -> str:
    site = current_site()
    with site.store.read() as session:
        rows = releases.reports(session)
    # Type and key only: the comment behind them is no part of OpenSSH's allowed_signers line.
    report_key = key_of(_report_key(site.home))
    return render_template(
        "auditor/reports.html",
        rows=rows,
        parts=releases.PARTS,
        report_key=report_key,
        problem=problem,
        first=first,
        last=last,
        note=NOTES.get(request.args.get("done", "")),
    )


def _report_key(home: Home) -> str:
    """The key that agency and trustee signed; before that the one that press has published, if any."""
    signed = trusted_keys(home).report if (home.public / "site.json").exists() else ""
    path = home.public / "press" / "report.pub"
    return signed or (path.read_text() if path.exists() else "")


@blueprint.get("/")
@discloses("report", "verify")
def reports() -> str:
    """Reports made so far, and the form for another; it proposes the agency's last whole month."""
    last = local(clock.now()).date().replace(day=1) - timedelta(days=1)
    return _page(None, last.replace(day=1).isoformat(), last.isoformat())


@blueprint.post("/")
@discloses("report", "verify")
def request_report() -> Any:
    """Ask press for a report."""
    first, last = request.form.get("first", ""), request.form.get("last", "")
    try:
        releases.request_report(current_site().store, *_days(first, last))
    except WardwellError as error:
        return _page(error, first, last), 400
    return redirect(url_for("auditor.reports", done="requested"), 303)


def _days(first: str, last: str) -> tuple[date, date]:
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise WardwellError("Enter the first and the last day.", "Fill in both fields.") from None


@blueprint.get("/<request_id>/<part>")
@discloses("report", "verify")
def download(request_id: str, part: str) -> Response:
    """One file of a report: "pdf", "json" or the signature of either."""
    with current_site().store.read() as session:
        body, name, media = releases.report_part(session, request_id, part)
    return Response(body, mimetype=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})
