"""No systemd unit that matters here has failed, and while it is unsealed no compartment is stopped.

Outside an installed appliance there are no units, so the list is empty.
"""

from __future__ import annotations

from appliance.health.check import Check, fine, wrong
from appliance.health.machine import output_of
from appliance.settings import COMPARTMENTS, MAINTENANCE, UNSEALED, Home

_OURS = ("wardwell", "nftables", "apparmor", "auditd", "chrony", "ssh", "var-lib-wardwell")


def check(home: Home) -> list[Check]:
    if not home.production:
        return []
    listed = output_of(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"])
    failed = [line.split()[0] for line in listed.splitlines() if line.startswith(_OURS)]
    if failed:
        return [wrong("units", f"failed: {', '.join(failed)}", f"Read `journalctl -u {failed[0]} -n 30`.")]
    if UNSEALED.exists() and not MAINTENANCE.exists():
        wanted = [f"wardwell@{name}.service" for name in COMPARTMENTS]
        states = output_of(["systemctl", "is-active", *wanted]).split()
        stopped = [unit for unit, state in zip(wanted, states, strict=False) if state == "inactive"]
        if stopped:
            return [wrong("units", f"stopped: {', '.join(stopped)}", f"Start it: `systemctl start {stopped[0]}`.")]
    return [fine("units", "none has failed")]
