"""The status page of agency IT: health of each compartment, feeds, certificates.

Owns: this route. Must never see: anything about a person; health rows hold counts and words only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from flask import Blueprint, render_template
from sqlalchemy import select

from appliance import clock
from appliance.desk import receipts
from appliance.desk.models.health import HealthRow
from appliance.settings import COMPARTMENTS, Home
from webapp.common.guard import discloses
from webapp.common.site import current_site

blueprint = Blueprint("admin", __name__, url_prefix="/status")

SILENT = timedelta(seconds=60)  # every process reports each 10 s
EXPIRING = timedelta(days=30)


@dataclass(frozen=True)
class Certificate:
    """One certificate of the front: its file's name, until when it is good."""

    name: str
    until: datetime

    @property
    def expiring(self) -> bool:
        return self.until - clock.now() < EXPIRING


def certificates(home: Home) -> list[Certificate]:
    """The front's certificates that desk may read, soonest to expire first."""
    found = []
    for folder in (home.root / "tls", home.root / "demo" / "tls"):
        for path in sorted(folder.glob("*.pem")) if folder.is_dir() else []:
            found += _certificate(path)
    return sorted(found, key=lambda certificate: certificate.until)


def _certificate(path: Path) -> list[Certificate]:
    try:
        return [Certificate(path.stem, x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc)]
    except (ValueError, OSError):
        return []


@blueprint.get("/")
@discloses("health", "operate")
def status() -> str:
    """Every compartment: what it last said, and whether it is silent."""
    site = current_site()
    with site.store.read() as session:
        rows = {row.compartment: row for row in session.scalars(select(HealthRow))}
        feeds = receipts.feeds(session)
    silent = {name for name, row in rows.items() if clock.now() - row.at > SILENT}
    return render_template(
        "admin/status.html",
        compartments=[(name, rows.get(name)) for name in COMPARTMENTS],
        silent=silent,
        feeds=feeds,
        certificates=certificates(site.home),
    )
