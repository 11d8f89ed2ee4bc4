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
from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.matching import joined
from appliance.intake.read.parsing import ParserDied, parse_files
from appliance.intake.records import Ending, Sighting
from appliance.spool.messages import RosterPerson


class Account:
    """What a run of files amounts to. Feed it files in any order; a call's own version decides, not their order."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.files = self.rows = self.updates = self.repeats = self.refused_rows = 0
        self.refused: list[dict[str, Any]] = []
        self._newest: dict[str, Sighting] = {}

    def add(self, calls: Sequence[Sighting], ending: Ending) -> None:
        """Count one file."""
        self.files += 1
        self.rows += ending.rows
        self.refused_rows += ending.refused_rows
        self.refused += [msgspec.structs.asdict(row) for row in ending.refused]
        for call in () if ending.unusable else calls:
            known = self._newest.get(call.number)
            if known is None:
                self._newest[call.number] = call
            elif call.digest == known.digest:
                self.repeats += 1
                if call.stamp > known.stamp:
                    self._newest[call.number] = call
            elif call.adds:
                self._join(known, call)
            elif call.stamp < known.stamp:
                self.repeats += 1
            else:
                self.updates += 1
                self._newest[call.number] = call

    def _join(self, known: Sighting, call: Sighting) -> None:
        newer = call if call.stamp >= known.stamp else known
        involved, brought = joined(known.involved, call.involved)
        unmatched = list(dict.fromkeys([*known.unmatched, *call.unmatched]))
        fresh = brought or unmatched != known.unmatched or newer.type != known.type
        self.updates += fresh
        self.repeats += not fresh
        self._newest[call.number] = msgspec.structs.replace(newer, involved=involved, unmatched=unmatched)

    def result(self) -> dict[str, Any]:
        """The object that `check --json` prints."""
        involvements = 0
        unmapped: Counter[str] = Counter()
        types: Counter[str] = Counter()
        for call in self._newest.values():
            involvements += len(call.involved)
            unmapped.update(call.unmatched)
            types.update(call.unmapped)
        received = [call.received for call in self._newest.values()]
        return {
            "files": self.files,
            "rows": self.rows,
            "calls": len(self._newest),
            "updates": self.updates,
            "repeats": self.repeats,
            "refused": self.refused,
            "refused_rows": self.refused_rows,
            "involvements": involvements,
            "unmapped_units": dict(unmapped.most_common()),
            "unmapped_types": dict(types.most_common()),
            "first": self._local(min(received)) if received else None,
            "last": self._local(max(received)) if received else None,
        }

    def _local(self, seconds: int) -> str:
        return datetime.fromtimestamp(seconds, ZoneInfo(self.profile.time_zone)).isoformat()


def expand(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths`, folders opened one level, in name order. Raises WardwellError for a missing path."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            files += sorted(
                entry for entry in path.iterdir() if not entry.is_dir() and not entry.name.endswith(".part")
            )
        elif path.exists() or path.is_symlink():
            files.append(path)
        else:
            raise WardwellError(f"{path.name} is not there.", "Check the path.")
    return files


def check(files: Sequence[Path], profile: Profile, people: Sequence[RosterPerson]) -> Iterator[tuple[str, Account]]:
    """Read `files` and account for them; yields (name, account) after each, so that a long run can show progress."""
    account = Account(profile)
    for reading in parse_files(profile, people, files):
        try:
            calls = [call for batch in reading.batches() for call in batch]
        except ParserDied:
            continue
        account.add(calls, reading.finish())
        yield reading.name, account
