"""The status page of agency IT: health of each compartment, feeds, certificates.

Owns: this route. Must never see: anything about a person; health rows hold counts and words only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from flask import Blueprint, render_template

from appliance import clock
from appliance.desk import health
from appliance.desk.feeds import baseline, receipts
from appliance.settings import Home
from webapp.common.guard import discloses
from webapp.common.site import current_site

blueprint = Blueprint("admin", __name__, url_prefix="/status")

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
    certificates = []
    for ending in ("crt", "pem"):
        for path in sorted(home.tls.glob(f"*.{ending}")):
            certificates += _certificate(path)
    return sorted(certificates, key=lambda certificate: certificate.until)


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
        feeds, alerts = receipts.feeds(session), baseline.alerts(session)
    return render_template(
        "admin/status.html",
        lines=health.shown(site.store),
        feeds=feeds,
        alerts=alerts,
        certificates=certificates(site.home),
    )
