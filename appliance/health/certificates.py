"""The front's certificates remain valid for a while."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from appliance import clock
from appliance.health.check import Check, judged, wrong
from appliance.settings import Home

# Days before its end from which a certificate is to be renewed, and from which that is urgent.
RENEW_DAYS, URGENT_DAYS = 30, 7


def check(home: Home) -> list[Check]:
    folder = home.front
    paths = {*folder.glob("*.pem"), *(home.tls.glob("*.crt") if home.production else ())}
    for configuration in folder.glob("*.conf"):
        named = re.findall(r"ssl_certificate\s+\"?([^\s\";]+)", configuration.read_text())
        paths |= {folder / name for name in named}
    contents = [(path, path.read_bytes()) for path in sorted(paths)]
    return [certificate(path, content) for path, content in contents if b"BEGIN CERTIFICATE" in content]


def certificate(path: Path, content: bytes) -> Check:
    """For how long a certificate (PEM, with its issuers) remains valid."""
    end = min(issued.not_valid_after_utc for issued in x509.load_pem_x509_certificates(content))
    left = end - clock.now()
    name, days = f"certificate {path.stem}", f"valid for {left.days} days"
    fix = "Renew it: `wardwell cert csr`, then `wardwell cert install` (docs/installing.md)."
    if left < timedelta(0):
        return wrong(name, f"it expired on {end:%Y-%m-%d}: browsers refuse this host", fix)
    if left < timedelta(days=URGENT_DAYS):
        return wrong(name, f"{days} only: renew it now", fix)
    return judged(name, left >= timedelta(days=RENEW_DAYS), days, fix)
