"""Debian 11's security content for Debian 12, which has none of its own.

Owns: the two changes that are made to the content, and nothing else of it. A content that does not look as expected is
refused, so that a changed one cannot pass for a retargeted one.
"""

from __future__ import annotations

# Its platform check, in the content itself and in the list of platforms.
PLATFORM = ("^11.[0-9]+$", r"^1[12]\.[0-9]+$", 2)
# What Debian 12 has in place of the daemon `ntp`: the package of that name is an empty one there. Chrony is measured by
# the same two rules, installed and running.
TIME = [
    ("<linux:name>ntp</linux:name>", "<linux:name>chrony</linux:name>", 5),
    (r"^ntp\.(socket|service)$", r"^chrony\.(socket|service)$", 1),
    (">ntp.service<", ">chrony.service<", 1),
]


def retarget(content: str, *, chrony: bool = False) -> str:
    """The data stream for Debian 12; with `chrony`, its two rules about `ntp` ask for chrony. Raises ValueError."""
    for old, new, count in [PLATFORM, *(TIME if chrony else [])]:
        found = content.count(old)
        if found != count:
            raise ValueError(f"{old!r} stands {found} times in the content, {count} were expected")
        content = content.replace(old, new)
    return content
