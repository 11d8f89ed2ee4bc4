"""The dry run: what would be taken from these files, without an appliance and without storing anything.

Owns: the account of every row: rows = first sightings + updates + repeats + refused. Must never show: a cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.errors import WardwellError
from appliance.intake.matching import Crew
from appliance.intake.parsing import parse_files
from appliance.intake.profiles import Profile
from appliance.intake.records import CallVersion, ParsedFile


class Account:
    """What a run of files amounts to. Feed it files in any order; a call's own version decides, not their order."""

    def __init__(self, profile: Profile, crew: Crew) -> None:
        self.profile, self.crew = profile, crew
        self.files = self.rows = self.updates = self.repeats = 0
        self.refused: list[dict[str, Any]] = []
        self.unmapped_types: Counter[str] = Counter()
        self._newest: dict[str, CallVersion] = {}

    def add(self, parsed: ParsedFile) -> None:
        """Count one parsed file."""
        self.files += 1
        self.rows += parsed.rows
        self.refused += [msgspec.structs.asdict(row) for row in parsed.refused]
        for call in parsed.calls:
            known = self._newest.get(call.number)
            if known is None:
                self._newest[call.number] = call
            elif call.adds:
                newer = call if call.stamp >= known.stamp else known
                fresh = any(unit not in known.units for unit in call.units)
                fresh = fresh or self.profile.kind(newer) != self.profile.kind(known)
                self.updates += fresh
                self.repeats += not fresh
                units = [*known.units, *(unit for unit in call.units if unit not in known.units)]
                self._newest[call.number] = msgspec.structs.replace(newer, units=units)
            elif call.content() == known.content():
                self.repeats += 1
                if call.stamp > known.stamp:
                    self._newest[call.number] = call
            elif call.stamp < known.stamp:
                self.repeats += 1
            else:
                self.updates += 1
                self._newest[call.number] = call

    def result(self) -> dict[str, Any]:
        """The object that `check --json` prints."""
        involvements = 0
        unmapped: Counter[str] = Counter()
        types: Counter[str] = Counter()
        for call in self._newest.values():
            matched = self.crew.match(call, self.profile)
            involvements += len(matched.involved)
            unmapped.update(matched.unmatched)
            types.update(self.profile.unmapped(call))
        received = [call.received for call in self._newest.values()]
        return {
            "files": self.files,
            "rows": self.rows,
            "calls": len(self._newest),
            "updates": self.updates,
            "repeats": self.repeats,
            "refused": self.refused,
            "involvements": involvements,
            "unmapped_units": dict(unmapped.most_common()),
            "unmapped_types": dict(types.most_common()),
            "first": self._local(min(received)) if received else None,
            "last": self._local(max(received)) if received else None,
        }

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self.profile.time_zone)).isoformat()


def expand(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths`, folders opened one level, in name order. Raises WardwellError for a missing path."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            found += sorted(
                entry for entry in path.iterdir() if not entry.is_dir() and not entry.name.endswith(".part")
            )
        elif path.exists() or path.is_symlink():
            found.append(path)
        else:
            raise WardwellError(f"{path.name} is not there.", "Check the path.")
    return found


def check(files: Sequence[Path], profile: Profile, crew: Crew) -> Iterator[tuple[ParsedFile, Account]]:
    """Parse `files` and account for them; yields after each file, so that a long run can show progress."""
    account = Account(profile, crew)
    for parsed in parse_files(profile, files):
        account.add(parsed)
        yield parsed, account
