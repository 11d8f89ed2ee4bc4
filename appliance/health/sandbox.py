"""The firewall is loaded, and AppArmor enforces every profile.

A container has both from its host, and outside an installed appliance there is neither: the list is empty there.
"""

from __future__ import annotations

from pathlib import Path

from appliance.health.check import Check, fine, wrong
from appliance.health.machine import output_of
from appliance.settings import COMPARTMENTS, Home

_PROFILES = Path("/sys/kernel/security/apparmor/profiles")
_FIX = "Run `wardwell apply`."


def check(home: Home) -> list[Check]:
    if not home.production or output_of(["systemd-detect-virt", "--container"]).strip() not in ("", "none"):
        return []
    loaded = "table inet wardwell" in output_of(["nft", "list", "tables"])
    firewall = fine("firewall", "loaded") if loaded else wrong("firewall", "not loaded", _FIX)
    try:
        profiles = _PROFILES.read_text()
    except OSError:
        profiles = ""
    loose = [name for name in COMPARTMENTS if f"wardwell-{name} (enforce)" not in profiles]
    if loose:
        return [firewall, wrong("AppArmor", f"not enforced for {', '.join(loose)}", _FIX)]
    return [firewall, fine("AppArmor", "enforces")]
