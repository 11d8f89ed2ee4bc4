"""The result of one health check.

Owns: its shape. Must never see: anything about a person; a result holds counts, ages and names of parts, and no file
name of a dropped export.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a part is."""

    OK = "ok"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """What was checked, how it is, that in words, and one thing to do when it is wrong."""

    name: str
    level: Level
    says: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return self.level is Level.OK

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"name": self.name, "ok": self.ok, "detail": self.says, "fix": self.fix}


def fine(name: str, says: str) -> Check:
    """A part that is in order."""
    return Check(name, Level.OK, says)


def wrong(name: str, says: str, fix: str) -> Check:
    """A part that is not in order, and one thing to do."""
    return Check(name, Level.WRONG, says, fix)


def judged(name: str, ok: bool, says: str, fix: str) -> Check:
    """A part that says the same thing either way; `fix` is left out when it is in order."""
    return fine(name, says) if ok else wrong(name, says, fix)
