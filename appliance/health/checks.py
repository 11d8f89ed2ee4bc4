"""Is the appliance in order? Small checks, each made from what can be seen from outside the compartments.

Owns: which checks there are, and their order: the one in which faults are best mended. Each is a module of this package
with `check(home)`, loaded only when it is asked. Must never see: anything about a person.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from appliance.errors import WardwellError
from appliance.health.check import Check, wrong
from appliance.settings import UNSEALED, Home

# Heading of `wardwell status` -> module of this package.
CHECKS = {
    "seal": "seal",
    "settings": "settings",
    "clock": "time_kept",
    "units": "units",
    "sandbox": "sandbox",
    "databases": "databases",
    "processes": "processes",
    "health": "compartments",
    "access log": "access_log",
    "keys": "keys",
    "witness": "witness",
    "spool": "spool",
    "disk": "room",
    "operation": "operation",
    "certificates": "certificates",
    "directory": "directory",
    "drop folders": "drops",
    "feeds": "feeds",
    "backups": "backups",
}
# What can be checked while the data volume is closed.
SEALED = ("seal", "clock", "units", "sandbox", "certificates", "directory")
# What a monitoring system asks often: no database is opened and no directory is asked.
QUICK = ("seal", "clock", "units", "processes", "spool", "disk", "operation", "backups")


def run_one(home: Home, name: str) -> list[Check]:
    """The results under one heading; what keeps it from being made is a result too."""
    try:
        results: list[Check] = importlib.import_module(f"appliance.health.{CHECKS[name]}").check(home)
    except WardwellError as error:
        return [wrong(name, error.message, error.fix or "Read the log of that part.")]
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        return [wrong(name, f"{name}: {reason}.", f"Look at the files of {name} under {home.root}.")]
    return results


def run(home: Home, names: Iterable[str] = ()) -> list[Check]:
    """Every result, or those under `names`; while the appliance is sealed, those that can be had then."""
    sealed = home.production and not UNSEALED.exists()
    wanted = [name for name in CHECKS if (not names or name in names) and (not sealed or name in SEALED)]
    return [result for name in wanted for result in run_one(home, name)]
