"""Which column of an unknown feed says what: by its name and by what stands in it.

Owns: the words that vendors use for call numbers, units and types, and which column has which role. Runs only inside
the guessing child; it hands on names of columns, formats and confidences, and no cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from appliance.intake.guess import steps as guess_steps
from appliance.intake.guess import units as guess_units
from appliance.intake.guess.times import day_number, kind, part
from appliance.intake.guess.types import guess_type
from appliance.intake.guess.units import Packed
from appliance.intake.profile.feed_profile import about_conduct, words
from appliance.intake.read import times
from appliance.intake.read.formats.cell_shapes import CODE, NUMBER, step_of

NOTHING = frozenset({"", "null", "(null)", "\\n", "nan", "none", "n/a", "na", "-", "--"})
_SOME = 300

# Columns that no fact is ever taken from, whatever stands in them.
NEVER = re.compile(
    r"narrat|comment|remark|\bnotes?\b|details?\b|synopsis|descr?iption of|caller|complainant|victim|patient|subject"
    r"|suspect|witness|address|street|\bcity\b|\bstate\b|\bzip|location|\bloc\b|apartment|\bapt\b|intersection|\blat"
    r"|\blon|geo|\bx\b|\by\b|phone|\btel|plate|license|\bvin\b|\bdob\b|birth|\bssn\b|last name|first name|\bsex\b"
    r"|gender|\brace\b|\bage\b|premises? (name|add)|\bblock\b"
)
_NUMBER = re.compile(
    r"\b(call|case|incident|inc|inci|event|evt|run|cad|cfs|alarm|response|job|ticket|report|rpt|dispatch|ems|fire|master"
    r"|record|service|no|num|cr|dr)\w*\W?(no|num|number|nbr|id|key)\b|#|^(caseno|callno|incno|incnum|runno|eventid|callid"
    r"|cadno|number|id|no|nr|incident|event|case|run|call|cad|ticket|job)$"
)
_UNITS = re.compile(
    r"\bunits?\b|apparatus|resourc|respond|equip|\bcrews?\b|compan(y|ies)|assigned|call ?signs?|\bunit(id|no)\b"
    r"|\bunits"
)
_NOT_UNITS = re.compile(r"count|\bnum\b of|number of|type|time$|first due|district|station|date|shift|battalion")
_TYPE = re.compile(
    r"type|\btyp\b|nature|problem|offen[sc]e|categor|determin|event code|call code|incident code|inc(ident)? desc"
    r"|signal|classif|\bcall desc|\bcode desc|crime|\bkind\b|legend"
)
_NOT_TYPE = re.compile(
    r"unit|premise|district|zone|weapon|dispo|property|\bid\b|street|caller|sub ?type|building|\bno$"
)
_OBSERVED = re.compile(r"final|found|observed|actual|closed as|legend|determined")
_DISPOSITION = re.compile(r"dispo|clearance|outcome|result|clos(e|ing) code|cancel|action taken")
_PRIMARY = re.compile(r"officer|deputy|responsible|primary|in charge|commander")
_STATUS_TIME = re.compile(r"status|time ?stamp|change|log|\bat\b|transaction|action|event")
_DATE = re.compile(r"date|\bday\b|\bdt\b|dt$")
# Days of the call itself, and days on which somebody did something with its record.
_CALL_DAY = re.compile(
    r"(incident|inc|call|alarm|run|event|dispatch|disp|occur\w*|resp\w*)\b ?\w* ?(date|day|dt)\b|^(date|day|dt)$"
    r"|date of (call|inc|run|al)"
)
_OTHER_DAY = re.compile(
    r"entry|enter|report|post|modif|updat|creat|print|export|review|inspect|\bdue\b|last|next|complet|clear|clos|sent"
    r"|load|db"
)


def empty(text: str) -> bool:
    """Whether a cell says nothing."""
    return text.lower() in NOTHING


@dataclass
class Column:
    """One column and what its cells look like. `form`: the format of its times or dates; `kind` "" when neither.

    `values` are the cells that say something; `cells` are all of them, row by row.
    """

    name: str
    cells: list[str]
    kind: str = ""
    form: str = ""
    words: str = ""
    fill: float = 0.0
    shut: bool = False
    packed: Packed | None = None
    values: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.words = words(self.name)
        self.values = [one for one in self.cells if not empty(one)]
        self.fill = len(self.values) / max(len(self.cells), 1)
        self.shut = bool(about_conduct(self.name) or NEVER.search(self.words))
        some = list(dict.fromkeys(one for one in self.values if not times.is_blank(one)))[:_SOME]
        if some and not self.shut:
            # "Assigned" may be when or whom: the same few units come again and again.
            units = bool(_UNITS.search(self.words)) and self.distinct < 0.5
            other = units or bool(_NUMBER.search(self.words) or _TYPE.search(self.words))
            timely = not other and guess_steps.timely(self.words)
            unnamed = self.name.isdigit() or (not other and guess_steps.named(self.words) == "received")
            self.kind, self.form = kind(some, timely=timely, daily=bool(_DATE.search(self.words)), unnamed=unnamed)
            if not self.kind and (found := guess_units.packed(some)):
                self.packed, self.kind, self.form = found, "packed", found.form

    def share(self, fits: Callable[[str], object]) -> float:
        """The part of the cells that `fits`."""
        return part(self.values, fits)

    @property
    def distinct(self) -> float:
        """Different cells per cell."""
        return len(set(self.values)) / max(len(self.values), 1)


@dataclass
class Layout:
    """The guess: a column, a confidence and a reason per role; formats; how units are written."""

    roles: dict[str, tuple[Column, float, str]] = field(default_factory=dict)
    date_format: str = ""
    time_format: str = ""
    step_format: str = ""
    unit_separator: str = ","
    unit_times: str = "none"
    packed_are: str = "arrived"
    row: str = "call"

    def name(self, role: str) -> str:
        """The column of `role`, "" for none."""
        return self.roles[role][0].name if role in self.roles else ""


def layout(columns: Sequence[Column]) -> Layout:
    """What each of `columns` seems to be."""
    found = Layout()
    free = [column for column in columns if not column.shut and column.values]
    _times(found, free)
    _number(found, _left(found, free))
    _units(found, _left(found, free))
    _codes(found, _left(found, free))
    if {"number", "units"} <= set(found.roles) and found.unit_times == "none" and found.unit_separator == "":
        found.row = "unit" if _vary(found.roles["number"][0].cells, found.roles["units"][0].cells) else "call"
    _status(found, free)
    found.unit_separator = found.unit_separator or ","
    return found


def _status(found: Layout, columns: Sequence[Column]) -> None:
    """A row per status change: what the status became, and when."""
    if not {"number", "units", "received"} <= set(found.roles):
        return
    status = max((c for c in columns if not c.kind), key=lambda c: c.share(step_of), default=None)
    if status is None or status.share(step_of) < 0.5:
        return
    number, units = found.roles["number"][0].cells, found.roles["units"][0].cells
    if not _vary([f"{one}\0{unit}" for one, unit in zip(number, units, strict=True)], status.cells):
        return
    times_of = [c for c in columns if c.kind in ("full", "clock") and not guess_steps.NOT_OURS.search(c.words)]
    begin = found.roles["received"][0]
    at = next((c for c in times_of if c is not begin and _STATUS_TIME.search(c.words)), begin)
    for role in [
        role for role, (one, _, _) in found.roles.items() if one is status or role in ("dispatched", "cleared")
    ]:
        del found.roles[role]
    found.row, found.step_format = "status", at.form if at.form != found.time_format else ""
    found.roles["status"] = (status, 0.9, "by content")
    found.roles["status_time"] = (at, 0.8, "by name and content")


def _vary(keys: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether rows with the same key differ in what they say."""
    of_key: dict[str, set[str]] = {}
    for key, cell in zip(keys, cells, strict=True):
        if not empty(cell):
            of_key.setdefault(key, set()).add(cell)
    return any(len(said) > 1 for said in of_key.values())


def _left(found: Layout, columns: Sequence[Column]) -> list[Column]:
    used = [column for column, _, _ in found.roles.values()]
    return [column for column in columns if all(column is not one for one in used)]


# --- times --------------------------------------------------------------------------------------------------------


def _times(found: Layout, columns: Sequence[Column]) -> None:
    """The begin of the call, its steps and its day; one format has to read all the steps."""
    steps = guess_steps.assign([c for c in columns if c.kind in ("full", "clock")])
    _packed_units(found, [c for c in columns if c.kind == "packed"], steps)
    day = _day([c for c in columns if c.kind == "date"])
    begin = steps.get("received")
    if begin is not None and begin.kind == "clock" and day is None:
        # Without a day a time of day says nothing: the first step that has its own day is the begin.
        begin = next((c for role in guess_steps.ROLES if (c := steps.get(role)) and c.kind == "full"), begin)
    elif begin is None and "dispatched" in steps:
        begin = steps["dispatched"]
    steps = {role: column for role, column in steps.items() if column is not begin and role != "received"}
    if begin is not None:
        found.roles["received"] = (begin, 0.9 if guess_steps.named(begin.words) else 0.6, "by name and content")
    found.time_format = begin.form if begin is not None and begin.kind == "full" else "clock"
    if day is not None and found.time_format == "clock":
        found.roles["date"] = (day, 0.9 if _DATE.search(day.words) else 0.7, "by content")
        found.date_format = day.form
    in_packed = [c.form for role, (c, _, _) in found.roles.items() if c.kind == "packed"]
    forms = in_packed or [c.form for c in steps.values()]
    step = max(forms, key=forms.count) if forms else found.time_format
    for role, column in steps.items():
        if column.form == step and role in ("dispatched", "arrived", "cleared") and role not in found.roles:
            found.roles[role] = (column, 0.9, "by name and content")
    found.step_format = step if step != found.time_format else ""


def _packed_units(found: Layout, columns: Sequence[Column], steps: dict[str, Column]) -> None:
    """The columns in which units stand with their times: that of the units, or one for each step."""
    if not columns:
        return
    most = max(columns, key=lambda c: c.fill)
    kin = [c for c in columns if c.packed and most.packed and (c.packed.sign, c.form) == (most.packed.sign, most.form)]
    if most.packed:
        found.unit_times, found.unit_separator = most.packed.sign, most.packed.separator
    named = {c.name: guess_steps.named(c.words) for c in kin}
    lone = [c for c in kin if named[c.name] != "cleared"]
    for column in kin:
        role = named[column.name]
        if (len(lone) == 1 and column is lone[0]) or role in ("", "received"):
            if "units" not in found.roles:
                found.packed_are = guess_steps.nearest(column, steps) or guess_steps.said(column.words)
                found.roles["units"] = (column, 0.9, "units with their times")
        elif role != "enroute" and role not in found.roles:
            found.roles[role] = (column, 0.9, "by name and content")


def _day(columns: Sequence[Column]) -> Column | None:
    """The column of the call's day: by name, else the earliest."""

    def rank(column: Column) -> tuple[bool, int, float]:
        days = [d for one in column.values if (d := day_number(one, column.form)) is not None]
        name = bool(_CALL_DAY.search(column.words)) - bool(_OTHER_DAY.search(column.words))
        return column.fill > 0.9, name, -sum(days) / max(len(days), 1)

    fits = [c for c in columns if not guess_steps.NOT_OURS.search(c.words)]
    return max(fits, key=rank, default=None)


# --- numbers, units and codes -------------------------------------------------------------------------------------


def _number(found: Layout, columns: Sequence[Column]) -> None:
    best, best_score = None, 0.0
    for place, column in enumerate(columns):
        fits = column.share(lambda one: NUMBER.fullmatch(one.removeprefix("#").lstrip()) and any(map(str.isdigit, one)))
        if fits < 0.9 or column.fill < 0.8 or column.kind in ("date", "full", "packed"):
            continue
        # A column of few different values is no number of calls; a call may have a row for each step of each unit.
        least = 0.03 if _NUMBER.search(column.words) else 0.15
        if column.distinct < least and len(column.values) > 20:
            continue
        score = bool(_NUMBER.search(column.words)) + column.distinct * 0.8 - place * 0.01
        if score > best_score:
            best, best_score = column, score
    if best is not None:
        named = bool(_NUMBER.search(best.words))
        found.roles["number"] = (best, 0.95 if named else 0.6, "by name and content" if named else "by content")


def _units(found: Layout, columns: Sequence[Column]) -> None:
    if "units" in found.roles:
        return
    best, best_score = None, 0.4
    for column in columns:
        named = bool(_UNITS.search(column.words)) and not _NOT_UNITS.search(column.words)
        if column.kind or (_NOT_UNITS.search(column.words) and not named):
            continue
        share, mark = guess_units.likeness(column.values, named=named)
        if share * (1.0 if named else 0.8) > best_score:
            best, best_score = (column, mark), share * (1.0 if named else 0.8)
    if best is not None:
        column, mark = best
        found.roles["units"] = (column, round(min(0.95, best_score), 2), "by name and content")
        if found.unit_times == "none":
            found.unit_separator = mark


def _codes(found: Layout, columns: Sequence[Column]) -> None:
    def mapped(column: Column) -> float:
        return column.share(lambda one: guess_type(one)[0])

    def is_code(column: Column) -> bool:
        short = column.share(lambda one: CODE.fullmatch(one)) > 0.7
        return short and not column.kind and (column.distinct < 0.7 or len(column.values) < 60)

    kinds = [c for c in columns if _TYPE.search(c.words) and not _NOT_TYPE.search(c.words) and is_code(c)]
    if not kinds:
        kinds = [c for c in columns if is_code(c) and mapped(c) > 0.5 and not _DISPOSITION.search(c.words)]
    first = [c for c in kinds if not _OBSERVED.search(c.words)] or kinds
    if first:
        best = max(first, key=lambda c: mapped(c) + 0.3 * c.fill)
        found.roles["type"] = (best, round(min(0.95, 0.5 + mapped(best) / 2), 2), "by name and content")
        rest = [c for c in kinds if c is not best and _OBSERVED.search(c.words) and mapped(c) > 0.1]
        if rest:
            found.roles["observed"] = (max(rest, key=mapped), 0.6, "by name and content")
    for role, rule in (("disposition", _DISPOSITION), ("primary", _PRIMARY)):
        fits = [c for c in _left(found, columns) if rule.search(c.words) and not c.kind and c.distinct < 0.9]
        if fits and (role == "primary" or is_code(fits[0])):
            found.roles[role] = (fits[0], 0.7, "by name")


def samples(found: Layout) -> Iterator[tuple[str, list[str]]]:
    """Harmless cells per role: numbers, times, units and codes. Never names, places or text."""
    for role, (column, _, _) in found.roles.items():
        if role != "primary":
            fits = [one for one in dict.fromkeys(column.values) if len(one) <= 40 and CODE.fullmatch(one)]
            shown = [one for one in fits if role in ("type", "observed", "disposition") or any(map(str.isdigit, one))]
            packed = column.kind == "packed"
            yield role, ["CALL-SIGN, HH:MM"] if packed else shown[:3]
