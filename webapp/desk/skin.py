"""What every page of desk is dressed in: macros, assets, navigation by role, visibility labels, US dates.

Owns: Jinja's globals and filters, and the list of pages that each role finds in its navigation. `register(app)` is
called when the blueprint of `webapp.desk.public` is registered. Must never see: a row from the database.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, request

from appliance.account import NOBODY
from appliance.errors import WardwellError
from webapp.common.site import current_site

DIST = Path(__file__).parent / "dist"

# Per role: the endpoints of its pages and their names, first one is where sign-in leads.
NAVIGATION: dict[str, tuple[tuple[str, str], ...]] = {
    "coordinator": (
        ("coordinator.queue", "Follow-up queue"),
        ("coordinator.open_form", "Open an incident"),
        ("corrections.waiting", "Corrections"),
        ("holds.listed", "Legal holds"),
    ),
    "command": (
        ("command.dashboard", "Program dashboard"),
        ("command.releases", "Releases"),
        ("corrections.form", "Ask for a correction"),
    ),
    "hr": (("command.dashboard", "Program dashboard"), ("command.releases", "Releases")),
    "trustee": (
        ("trustee.overview", "Overview"),
        ("trustee.slips_page", "Slips"),
        ("roles.listed", "Roles"),
        ("holds.listed", "Legal holds"),
        ("public.checkpoints", "Checkpoints"),
        ("auditor.reports", "Signed reports"),
        ("command.releases", "Releases"),
    ),
    "auditor": (
        ("auditor.reports", "Signed reports"),
        ("public.checkpoints", "Checkpoints"),
        ("roles.listed", "Roles"),
        ("command.releases", "Releases"),
    ),
    "admin": (("admin.status", "Status"), ("roles.listed", "Roles")),
    "cad": (("cad.receipts", "Receipts"),),
}

ICONS = {"Only you": "lock", "Everyone": "globe", "Anyone": "globe", "Counted": "bars"}


def register(app: Flask) -> None:
    """Give `app` the look: GOV.UK macros, our own components, globals and filters."""
    versions = _versions()
    app.jinja_env.globals.update(
        asset=lambda name: f"/static/{name}?v={versions.get(name, '0')}",
        visibility_icon=visibility_icon,
    )
    app.jinja_env.filters.update(day=us_day, moment=us_moment, clock=us_clock, iso=iso, month=us_month)
    app.context_processor(_context)


def _versions() -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError:
        raise WardwellError("The pages' style sheet was never built.", "Run `make setup`.") from None
    return manifest


def _context() -> dict[str, Any]:
    session = g.get("session")
    return {
        # Halfway through signing in there is an account, but no page of it yet.
        "signed_in": session is not None and session.state == "ready" and bool(g.get("account", NOBODY).id),
        "navigation": navigation(g.get("account", NOBODY).roles),
        "here": request.endpoint,
        "crisis_url": f"https://{current_site().settings.hosts.space}/crisis/",
    }


def navigation(roles: Any) -> list[tuple[str, str]]:
    """The pages of someone who holds `roles`: (endpoint, name), each once, in the charter's order of roles."""
    pages: dict[str, str] = {}
    for role, entries in NAVIGATION.items():
        if role in roles:
            for endpoint, name in entries:
                pages.setdefault(endpoint, name)
    return list(pages.items())


def visibility_icon(label: str) -> str:
    """The icon beside a visibility label: a lock, a globe, bars or people."""
    return next((icon for start, icon in ICONS.items() if label.startswith(start)), "people")


def local(at: datetime) -> datetime:
    """`at` in the agency's time zone."""
    return at.astimezone(ZoneInfo(current_site().settings.time_zone))


def iso(at: datetime) -> str:
    """UTC, as the `datetime` attribute of `<time>` wants it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def us_day(at: datetime | date | str) -> str:
    """ "Nov 23, 2026", in the agency's time zone."""
    if isinstance(at, str):
        at = date.fromisoformat(at)
    day = local(at) if isinstance(at, datetime) else at
    return f"{day:%b} {day.day}, {day.year}"


def us_clock(at: datetime) -> str:
    """ "2:02 pm", in the agency's time zone."""
    at = local(at)
    return f"{at.hour % 12 or 12}:{at:%M} {'am' if at.hour < 12 else 'pm'}"


def us_moment(at: datetime) -> str:
    """ "Nov 23, 2026, 2:02 pm", in the agency's time zone."""
    return f"{us_day(at)}, {us_clock(at)}"


def us_month(period: str) -> str:
    """ "October 2026" for "2026-10"."""
    first = date.fromisoformat(f"{period}-01")
    return f"{first:%B} {first.year}"
