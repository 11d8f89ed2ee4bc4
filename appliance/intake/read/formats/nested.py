"""Records with parts inside them (JSON, NIEM XML) become rows of a table.

Owns: names of nested parts, and rows per unit. Runs only inside the parsing child.

A part of a part is named by its path: "unit.id" in JSON, "Unit/ID" in XML. A part that occurs several times becomes
one cell, joined by the profile's unit separator. When the profile's rows are per unit or per status change, each
occurrence of the list that holds the `units` column becomes a row of its own, with the cells around it repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats.tables import Unusable, own_spelling, refuse_unknown

# Rows that one record may become: a call of more units than this is none.
ROWS_OF_A_RECORD = 10_000


class Part(msgspec.Struct, frozen=True):
    """One value of a record: its path, its text, and in which occurrence of the repeated list it stands (0: none)."""

    path: str
    text: str
    turn: int = 0


class Layout:
    """Which parts become which cells. The header is what the profile takes.

    A profile that takes nothing at all is a look at the file, for guessing one: the header is what the first records
    hold, and what later ones hold beyond that is passed over.
    """

    def __init__(self, profile: Profile, separator: str) -> None:
        self.profile, self._separator = profile, separator
        self.header = list(profile.taken)
        self._places = {name: index for index, name in enumerate(self.header)}
        self._known: dict[str, int] = {}
        per_unit = profile.row != "call"
        self.repeated = profile.columns.units.rpartition(separator)[0] if per_unit else ""

    def look(self, paths: Iterable[str]) -> None:
        """Make a column of every path."""
        self.header = list(dict.fromkeys(paths))
        self._places = {name: index for index, name in enumerate(self.header)}

    def knows(self, path: str) -> bool:
        """Whether `path` becomes a cell; in a look, before there is a header, every path does."""
        return path in self._places or own_spelling([path], self.profile)[0] in self._places or not self._places

    def place(self, path: str, line: int) -> int:
        """The cell that `path` goes to, -1 for none. Raises Unusable for a path that the profile does not know."""
        known = self._known.get(path)
        if known is None and not self.profile.taken:
            return self._places.get(path, -1)
        if known is None:
            name = own_spelling([path], self.profile)[0]
            refuse_unknown(name, self.profile, line)
            known = self._known[path] = self._places.get(name, -1)
        return known

    def rows(self, parts: list[Part], line: int) -> Iterator[tuple[int, list[str]]]:
        """The rows of one record. Raises Unusable."""
        common: dict[int, list[str]] = {}
        turns: dict[int, dict[int, list[str]]] = {}
        for part in parts:
            place = self.place(part.path, line)
            if place >= 0:
                cells = turns.setdefault(part.turn, {}) if part.turn else common
                cells.setdefault(place, []).append(part.text)
            if len(turns) > ROWS_OF_A_RECORD:
                raise Unusable(line, "", f"a record with more than {ROWS_OF_A_RECORD} units")
        for turn in turns.values() or [{}]:
            yield line, [self._cell({**common, **turn}.get(place)) for place in range(len(self.header))]

    def _cell(self, texts: list[str] | None) -> str:
        return self.profile.unit_separator.join(texts) if texts else ""
