"""Accounts of a test: numbers that no account of this machine has, and what each may do by owner, group and mode."""

from __future__ import annotations

import zlib
from pathlib import Path

from appliance.layout import GROUPS, Folder

_FIRST = 61_000


def number(name: str) -> int:
    """A number for an account or group; 0 for root."""
    return 0 if name == "root" else _FIRST + zlib.crc32(name.encode()) % 4_000


def ids(owner: str, group: str) -> tuple[int, int]:
    """In place of the machine's own accounts."""
    return number(owner), number(group)


def groups_of(user: str) -> set[str]:
    """An account's own group and the shared ones that it is in."""
    return {user} | {group for group, members in GROUPS.items() if user in members}


def may(user: str, folder: Folder) -> str:
    """What `user` may do in one folder, its parents left aside: of "r" (list), "w" (make and remove), "x" (enter)."""
    shift = 6 if folder.owner == user else 3 if folder.group in groups_of(user) else 0
    bits = folder.mode >> shift & 7
    return "".join(letter for letter, bit in (("r", 4), ("w", 2), ("x", 1)) if bits & bit)


def reaches(user: str, path: Path, folders: list[Folder]) -> str:
    """The same, with every folder above it: "" when one of them may not be entered."""
    mine = [folder for folder in folders if folder.path == path or folder.path in path.parents]
    if any("x" not in may(user, folder) for folder in mine if folder.path != path):
        return ""
    return may(user, next(folder for folder in mine if folder.path == path))
