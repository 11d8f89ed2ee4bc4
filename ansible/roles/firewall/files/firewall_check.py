#!/usr/bin/python3
"""Compare the loaded firewall, as a whole, with the rules in /etc/nftables.conf.

The file is loaded into a new network namespace and listed there; a rule that is added, missing, changed or in another
order is a difference. Exit status: 0 the same, 1 different (each line is shown), 2 the rules cannot be listed.
"""

import difflib
import json
import subprocess
import sys
from typing import Any

FILE = "/etc/nftables.conf"
# Counters and numbers that the kernel assigns.
_ASSIGNED = {"handle", "packets", "bytes"}


def normalised(value: Any) -> Any:
    """`value` (from `nft -j list ruleset`) without the kernel's own numbers; sets in a fixed order."""
    if isinstance(value, dict):
        pairs = {key: normalised(inner) for key, inner in value.items() if key not in _ASSIGNED}
        if isinstance(pairs.get("set"), list):
            pairs["set"] = sorted(pairs["set"], key=lambda member: json.dumps(member, sort_keys=True))
        return pairs
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return value


def lines(listed: str) -> list[str]:
    """One line per table, chain and rule of `nft -j list ruleset`'s output."""
    objects = json.loads(listed)["nftables"]
    return [json.dumps(normalised(entry), sort_keys=True) for entry in objects if "metainfo" not in entry]


def differences(loaded: str, written: str) -> list[str]:
    """What is loaded but not written (`-`) and written but not loaded (`+`)."""
    return [line for line in difflib.ndiff(lines(loaded), lines(written)) if line[0] in "+-"]


def main() -> int:
    """Print the differences; returns the exit status."""
    listing = ["nft", "-n", "-j", "list", "ruleset"]
    try:
        loaded = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
        script = f"nft -f {FILE} && {' '.join(listing)}"
        apart = ["unshare", "--net", "sh", "-c", script]
        written = subprocess.run(apart, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The firewall's rules cannot be listed: {getattr(error, 'stderr', None) or error}\n")
        return 2
    different = differences(loaded, written)
    sys.stdout.write("\n".join(different or ["The loaded firewall is the written one."]) + "\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
