"""How an unknown column writes its units: one or several in a cell, with or without their times.

Owns: separators, signs, and what makes a column look like one of units. Runs only inside the guessing child; must
never print a cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from appliance.intake.guess.times import kind, part
from appliance.intake.read import times
from appliance.intake.read.formats.cell_shapes import UNIT
from appliance.intake.read.packing import SIGNS, Packing

# Between units, the likelier first. The last two also stand within the names of units.
_STRONG, _WEAK = (",", ";", "|", "\n"), ("/", " ")
_LONGEST = 15
_DIGIT = re.compile(r"\d")


class Packed(NamedTuple):
    """How units and their times share a cell, and the format of those times."""

    sign: str
    separator: str
    form: str


def packed(cells: Sequence[str]) -> Packed | None:
    """How `cells`, none of them blank, pack units with times; None when they do not."""
    for sign in SIGNS:
        # Blanks stand between units only where another sign stands before the times.
        for separator in _STRONG[:1] if sign in ("blank", "dash", "colon") else (*_STRONG[:1], *_WEAK):
            found = _packed(cells, sign, separator)
            if found:
                return found
    return None


def _packed(cells: Sequence[str], sign: str, separator: str) -> Packed | None:
    packing = Packing(sign, separator)
    # Some agencies write no time for a unit that never came, or for none.
    telling = [cell for cell in cells if packing.names_units(cell)]
    if len(telling) <= 0.5 * len(cells):
        return None
    parts = [one for cell in telling for one in packing.parts(cell)]
    names = [unit for unit, _ in parts]
    # "F21-012345" and "21 0651" may be numbers: there, only several in a cell are units for sure.
    if sign in ("dash", "blank") and len(parts) < 1.05 * len(telling) and not any(":" in moment for _, moment in parts):
        return None
    moments = list(dict.fromkeys(moment for _, moment in parts if moment and not times.is_blank(moment)))
    if part(names, is_unit) < 0.8 or len(moments) < 0.5 * len(set(cells)) / max(len(cells), 1):
        return None
    what, form = kind(moments[:300], timely=True, daily=False, unnamed=False) if moments else ("", "")
    if what not in ("clock", "full"):
        return None
    usual = next((mark for mark in _STRONG if any(mark in cell for cell in telling)), _STRONG[0])
    return Packed(sign, usual if separator == _STRONG[0] else separator, form)


def is_unit(text: str) -> bool:
    """Whether `text` looks like a call sign: short, with a digit."""
    return bool(UNIT.fullmatch(text)) and len(text) <= _LONGEST and bool(_DIGIT.search(text))


def split(cells: Sequence[str], mark: str) -> list[str]:
    """The units of all cells."""
    return [one.strip() for cell in cells for one in (cell.split(mark) if mark else [cell]) if one.strip()]


def separator(cells: Sequence[str]) -> str:
    """What stands between the units of a cell; "" when every cell holds one unit."""
    counts = {mark: sum(mark in cell.strip() for cell in cells) for mark in (*_STRONG, *_WEAK)}
    best = max(_STRONG, key=lambda mark: counts[mark])
    if counts[best] > 0.02 * len(cells):
        return best
    for mark in _WEAK:
        # "ENGINE 12" and "M/5" are one unit: all that stands apart has to look like one.
        if counts[mark] > 0.02 * len(cells) and part(split(cells, mark), is_unit) > 0.95:
            return mark
    return ""


def likeness(cells: Sequence[str], *, named: bool) -> tuple[float, str]:
    """(how much the cells look like units, 0 to 1; their separator). `named`: the column's name speaks of units."""
    mark = separator(cells)
    units = split(cells, mark)
    if not units:
        return 0.0, mark
    shaped = part(units, is_unit)
    if named:
        # Some agencies call theirs by a word alone.
        shaped = max(shaped, 0.9 * part(units, lambda one: UNIT.fullmatch(one) and len(one) <= _LONGEST))
    # The same units come again and again; numbers of calls and places do not.
    again = len(set(units)) <= max(12, 0.5 * len(units))
    several = len(units) > 1.05 * len(cells)
    if not named and not (again and several):
        return 0.0, mark
    return shaped * (1.0 if again else 0.6), mark
