"""The program dashboard for command and human resources, and the releases that everyone in the agency may read.

Owns: showing what a release says, word by word. Must never see: any other number; nothing here counts, adds or
filters, and a cell that is not shown keeps the reason that press gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request

from appliance.desk import releases as stored
from webapp.common.guard import discloses
from webapp.common.site import current_site
from webapp.desk.charts import Bar, Chart, bar_chart

blueprint = Blueprint("command", __name__)


@dataclass(frozen=True)
class Indicator:
    """One indicator of a release, drawn; `absent` are the groups that are not shown, with the reason of each."""

    title: str
    unit: str
    why: str
    chart: Chart
    absent: list[tuple[str, str]]


@blueprint.context_processor
def _place() -> dict[str, Any]:
    return {"current_page": "command.releases" if request.endpoint == "command.release" else None}


def indicators(release: dict[str, Any]) -> list[Indicator]:
    """The indicators of a release as charts, groups in the release's order."""
    groups = {group["path"]: group for group in release["groups"]}
    rows = []
    for indicator in release["indicators"]:
        bars = [
            Bar(
                groups[cell["group"]]["name"],
                cell["value"],
                cell["text"],
                cell["reason"],
                groups[cell["group"]]["depth"],
            )
            for cell in indicator["cells"]
        ]
        most = 100 if indicator["unit"].startswith("percent") else None
        absent = [(cell["group"], cell["reason"]) for cell in indicator["cells"] if cell["value"] is None]
        chart = bar_chart(f"chart-{indicator['id']}", indicator["title"], bars, most)
        rows.append(Indicator(indicator["title"], indicator["unit"], indicator["why"], chart, absent))
    return rows


def _page(row: stored.Release | None, template: str) -> str:
    release = stored.content(row) if row is not None else None
    return render_template(
        template,
        row=row,
        release=release,
        indicators=indicators(release) if release is not None else [],
    )


@blueprint.get("/dashboard/")
@discloses("release", "inform")
def dashboard() -> str:
    """The newest release."""
    with current_site().store.read() as session:
        row = stored.newest(session)
    return _page(row, "command/dashboard.html")


@blueprint.get("/releases/")
@discloses("release", "inform")
def releases() -> str:
    """Every release and its published parameters."""
    with current_site().store.read() as session:
        rows = [(row, stored.content(row)) for row in stored.all_releases(session)]
    return render_template("command/releases.html", rows=rows)


@blueprint.get("/releases/<period>")
@discloses("release", "inform")
def release(period: str) -> str:
    """One month's release."""
    with current_site().store.read() as session:
        row = stored.release_of(session, period)
    return _page(row, "command/dashboard.html")


@blueprint.get("/releases/<period>.json")
@discloses("release", "inform")
def release_json(period: str) -> Response:
    """The release's bytes, as they are hashed in the ledger."""
    with current_site().store.read() as session:
        row = stored.release_of(session, period)
    name = f"wardwell-release-{period}.json"
    return Response(
        row.body, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
