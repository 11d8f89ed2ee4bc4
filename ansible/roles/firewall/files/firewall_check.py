#!/usr/bin/python3
"""Compare the firewall that is loaded with the one that /etc/nftables.conf describes, as a whole.

The file is loaded into an empty network namespace of its own and listed there; a rule too many, too few, changed or in
another order is a difference. Exit status: 0 the same, 1 different (each line is shown), 2 it cannot be asked.
"""

import difflib
import json
import subprocess
import sys
from typing import Any

FILE = "/etc/nftables.conf"
# What the kernel counts or numbers by itself.
_OWN = {"handle", "packets", "bytes"}


def normalised(value: Any) -> Any:
    """`value` (from `nft -j list ruleset`) without the kernel's own numbers; sets in a fixed order."""
    if isinstance(value, dict):
        pairs = {key: normalised(inner) for key, inner in value.items() if key not in _OWN}
        if isinstance(pairs.get("set"), list):
            pairs["set"] = sorted(pairs["set"], key=lambda one: json.dumps(one, sort_keys=True))
        return pairs
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return value


def lines(listed: str) -> list[str]:
    """One line per table, chain and rule of `nft -j list ruleset`'s output."""
    objects = json.loads(listed)["nftables"]
    return [json.dumps(normalised(one), sort_keys=True) for one in objects if "metainfo" not in one]


def differences(loaded: str, written: str) -> list[str]:
    """What is loaded but not written (`-`) and written but not loaded (`+`)."""
    compared = difflib.ndiff(lines(loaded), lines(written))
    return [line for line in compared if line[0] in "+-"]


def main() -> int:
    """See the module."""
    listing = ["nft", "-n", "-j", "list", "ruleset"]
    try:
        loaded = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
        script = f"nft -f {FILE} && {' '.join(listing)}"
        aside = ["unshare", "--net", "sh", "-c", script]
        written = subprocess.run(aside, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The firewall cannot be asked: {getattr(error, 'stderr', None) or error}\n")
        return 2
    found = differences(loaded, written)
    sys.stdout.write("\n".join(found or ["The loaded firewall is the written one."]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
