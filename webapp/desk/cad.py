"""The CAD administrator's page: what became of each dropped file.

Owns: these routes. Must never see: what a row said; a receipt has file, line, column and reason only.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, render_template, request

from appliance.desk.feeds import baseline
from appliance.desk.feeds import receipts as stored
from appliance.spool.messages import DRY_RUN
from webapp.common.guard import discloses
from webapp.common.site import current_site

blueprint = Blueprint("cad", __name__, url_prefix="/receipts")

SHOWN_LINES = 200


@blueprint.context_processor
def _place() -> dict[str, Any]:
    return {"current_page": "cad.receipts"}


@blueprint.get("/")
@discloses("receipt", "operate")
def receipts() -> str:
    """Receipts, newest first."""
    page = request.args.get("page", 1, type=int)
    with current_site().store.read() as session:
        rows, pages = stored.latest(session, page)
        alerts = baseline.alerts(session)
    page = min(max(page, 1), pages)
    return render_template("cad/receipts.html", rows=rows, alerts=alerts, page=page, pages=pages, dry_run=DRY_RUN)


@blueprint.get("/all.csv")
@discloses("receipt", "operate")
def all_receipts() -> Response:
    """Every receipt, one line each, for a spreadsheet."""
    with current_site().store.read() as session:
        content = "".join(stored.all_csv(session))
    return _download(content, "text/csv", "wardwell-receipts.csv")


@blueprint.get("/<int:receipt_id>")
@discloses("receipt", "operate")
def receipt(receipt_id: int) -> str:
    """One file: its counts, its refused rows, what had no place in the feed profile."""
    with current_site().store.read() as session:
        row, lines, unmapped = stored.receipt_with(session, receipt_id)
    return render_template(
        "cad/receipt.html",
        row=row,
        lines=lines[:SHOWN_LINES],
        more=max(0, len(lines) - SHOWN_LINES),
        units=[item for item in unmapped if item.what == "unit"],
        types=[item for item in unmapped if item.what == "type"],
    )


@blueprint.get("/<int:receipt_id>.json")
@discloses("receipt", "operate")
def receipt_json(receipt_id: int) -> Response:
    """One receipt whole, for other programs."""
    with current_site().store.read() as session:
        content = stored.as_json(*stored.receipt_with(session, receipt_id))
    return _download(json.dumps(content, indent=1), "application/json", f"wardwell-receipt-{receipt_id}.json")


@blueprint.get("/<int:receipt_id>.csv")
@discloses("receipt", "operate")
def receipt_csv(receipt_id: int) -> Response:
    """Every refused row of one file, for a spreadsheet."""
    with current_site().store.read() as session:
        row, lines, _ = stored.receipt_with(session, receipt_id)
    return _download(stored.refused_csv(lines), "text/csv", f"wardwell-refused-{row.id}.csv")


def _download(content: str, kind: str, name: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
