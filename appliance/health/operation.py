"""Nothing that an operator began is left half done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from appliance import clock
from appliance.health.check import Check, fine, wrong
from appliance.settings import MAINTENANCE, Home

# What a restore or an update may leave on the data volume.
LEFT = ("set-aside-*", "settings-from-backup", "before-update")
_UPDATE = Path("/opt/wardwell/update.json")


def check(home: Home) -> list[Check]:
    checks = []
    if MAINTENANCE.exists() and home.production:
        since = datetime.fromtimestamp(MAINTENANCE.stat().st_mtime, clock.now().tzinfo)
        fix = "End it when the work is done: `wardwell maintenance off`."
        checks.append(wrong("maintenance", f"on since {since:%Y-%m-%d %H:%M} UTC", fix))
    left = [path for name in LEFT for path in sorted(home.root.glob(name))]
    if home.production and _UPDATE.exists():
        checks.append(wrong("update", "one is in progress, or was interrupted", "Run `wardwell update resume`."))
        left = [path for path in left if path.name != "before-update"]
    if left:
        fix = f"Remove {' and '.join(str(path) for path in left)} when nobody needs them: erased things live on there."
        checks.append(wrong("leftovers", "a restore or an update left what was there before", fix))
    return checks or [fine("operation", "nothing is half done")]
