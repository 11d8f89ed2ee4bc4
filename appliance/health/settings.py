"""The settings and the charter can be read, and the charter carries both signatures."""

from __future__ import annotations

from appliance.charter import load_charter, signatures
from appliance.health.check import Check, fine, wrong
from appliance.settings import Home


def check(home: Home) -> list[Check]:
    agency, charter = home.settings().agency, load_charter(home)
    readable = fine("settings", f"{agency}, charter version {charter.version}")
    problems = "; ".join(signed.problem.rstrip(".") for signed in signatures.verify(home) if signed.problem)
    if problems:
        return [readable, wrong("charter", problems, "Put the signed charter back, or have this one signed by both.")]
    return [readable, fine("charter", "signed by agency and trustee")]
