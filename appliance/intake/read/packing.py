"""Units that carry their own times: several of them in one cell, such as `WAVE1=06:51:33, M5=07:05:17`.

Owns: how such cells are taken apart, for the mapping and for guessing a profile alike. Runs only inside the parsing
child. Must never print: a cell.
"""

from __future__ import annotations

import re

from appliance.intake.read import times

# What stands between units, whatever else the profile names.
_BETWEEN = ",;|\n"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?|\d{4}|\d{6}|(?i:\(null\)|null|n/a|na|none|nan|--?)"
# How a unit and its time are told apart, by the name that the profile has for it. Where the sign may also stand within
# a unit or a time, only a time of day at the end counts as one.
_SIGNS: dict[str, str] = {
    "equals": r"(?P<unit>[^=]*?)\s*=\s*(?P<time>.*)",
    "at": r"(?P<unit>[^@]*?)\s*@\s*(?P<time>.*)",
    "brackets": r"(?P<unit>[^(]*?)\s*\(\s*(?P<time>[^()]*)\)",
    "colon": rf"(?P<unit>[^:]*?)\s*:\s*(?P<time>{_TIME}|)",
    "dash": rf"(?P<unit>.*?)\s*-\s*(?P<time>{_TIME}|)",
    "blank": rf"(?P<unit>.*?)\s+(?P<time>{_TIME})",
}
SIGNS = tuple(_SIGNS)


class Packing:
    """Cells in which `sign`, one of `SIGNS`, stands between a unit and its time, and `separator` between units."""

    def __init__(self, sign: str, separator: str = ",") -> None:
        self._rule = re.compile(_SIGNS[sign])
        self._between = re.compile(f"[{_BETWEEN}{re.escape(separator)}]")

    def parts(self, cell: str) -> list[tuple[str, str]]:
        """(unit, time) in the order of the cell; the time is "" where a unit has none."""
        units = []
        for part in self._between.split(cell):
            text = part.strip()
            fits = self._rule.fullmatch(text)
            unit, moment = (fits["unit"], fits["time"]) if fits else (text, "")
            if unit:
                units.append((unit, moment))
        return units

    def names_units(self, cell: str) -> bool:
        """Whether `cell` says which units, rather than one time for the whole call."""
        return not times.is_clock(cell) and any(map(self._rule.fullmatch, map(str.strip, self._between.split(cell))))
