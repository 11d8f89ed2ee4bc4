"""Which column of an unknown feed says what: by its name and by what stands in it.

Owns: the words that vendors use for call numbers, times, units and types, and the shapes of their cells. Runs only
inside the guessing child; it hands on names of columns, formats and confidences, and no cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from appliance.intake import times
from appliance.intake.guess_types import guess_type
from appliance.intake.profiles import CONDUCT
from appliance.intake.readers.facts import CODE, NUMBER, UNIT

NOTHING = frozenset({"", "null", "(null)", "\\n", "nan", "none", "n/a"})
_DAYS = [
    *("%m/%d/%Y", "%m/%d/%y", "%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d", "%Y/%m/%d", "%m-%d-%Y", "%m-%d-%y", "%d-%m-%Y"),
    *("%d-%m-%y", "%d.%m.%Y", "%d.%m.%y", "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d%b%y"),
    *("%y%m%d", "%m%d%y", "%m%d%Y"),
    *("%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %b %y", "%a %m/%d/%Y", "%a %m/%d/%y"),
]
# Days without anything between their parts, by their length: digits alone could be anything.
_SOLID = {"%Y%m%d": 8, "%m%d%Y": 8, "%y%m%d": 6, "%m%d%y": 6}
_YEARS = range(1980, 2100)
_CLOCKS = ["%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f", "%H%M", "%H%M%S", "%I:%M:%S%p", "%I:%M%p"]
_FULL = ["iso", *(f"{day}{gap}{clock}" for day, gap, clock in product(_DAYS, (" ", ", ", "T"), _CLOCKS))]
_FULL += [f"{day} {clock} %z" for day, clock in product(_DAYS[:5], _CLOCKS[:4])]
_COLON = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_BARE = re.compile(r"\d{3,4}|\d{6}")
_UNIT_TIME = r"[A-Za-z0-9][\w ./-]{0,14}\s*=\s*(?:\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp][Mm])?|\d{4}|\d{6}|NULL|null)?"
_PACKED = re.compile(rf"\s*{_UNIT_TIME}(?:\s*[,;|\n]+\s*{_UNIT_TIME})*[\s,;|]*")
_UNITS_APART = (",", ";", "|", "\n", "/", " ")
_SOME = 300
_ENOUGH = 0.85

# Columns that no fact is ever taken from, whatever stands in them.
NEVER = re.compile(
    r"narrat|comment|remark|\bnotes?\b|descr?iption of|caller|complainant|victim|patient|subject|suspect|witness"
    r"|address|street|\bcity\b|\bstate\b|\bzip|location|\bloc\b|apartment|\bapt\b|intersection|\blat|\blon|geo|\bx\b|\by\b"
    r"|phone|\btel|plate|license|\bvin\b|\bdob\b|birth|\bssn\b|last name|first name|\bsex\b|gender|\brace\b|\bage\b"
)
_NOT_OURS = re.compile(
    r"hosp|transport|depart|\bleft\b|leave|destination|under control|water on|updat|modif|export|print|in ?db|loaded"
    r"|staged|at patient|elapsed|duration|minutes|seconds|response time|total"
)
_STEPS = {
    "cleared": r"clear|clr\b|clos|complet|avail|in ?serv|in ?quart|\bend|finish|releas|\bcls",
    "arrived": r"arriv|\barr|\barv|on ?sc|scene|\bots\b|\bons\b|onsite|10 ?23",
    "enroute": r"en ?r(ou)?te?\b|enrt|responding|turn ?out|rolling|10 ?76",
    "dispatched": r"dispat|\bdisp?\b|\bdsp|assign|\bpaged?\b|toned?\b|alert|notified|10 ?8[67]",
    "received": r"rec(ei)?v|\brcvd?\b|\brec\b|alarm|\bcall|creat|enter|entry|report|notif|start|open|begin|event"
    r"|incident|\binc\b|psap|answer|pick ?up|\btoc\b|phone|\bin$|occur|^(date )?time$|^datetime$|^date time$|^tm$|^dt$",
}
_NUMBER = re.compile(
    r"\b(call|case|incident|inc|inci|event|evt|run|cad|cfs|alarm|response|job|ticket|report|rpt|dispatch|ems|fire|master"
    r"|record|service|no|num)\w*\W?(no|num|number|nbr|id|key)\b|#|^(caseno|callno|incno|incnum|runno|eventid|callid|cadno"
    r"|number|id|no|nr|incident|event|case|run|call|cad)$"
)
_UNITS = re.compile(r"\bunits?\b|apparatus|resourc|respond|equip|\bcrews?\b|assigned|call ?signs?|\bunit(id|no|s)\b")
_NOT_UNITS = re.compile(r"count|\bnum\b of|number of|type|time$")
_TYPE = re.compile(
    r"type|nature|problem|offen[sc]e|categor|determin|event code|call code|incident code|inc(ident)? desc|signal"
    r"|classif|\bcall desc|\bcode desc|crime|\bkind\b|legend"
)
_NOT_TYPE = re.compile(r"unit|premise|district|zone|weapon|dispo|property|\bid\b|street|caller|sub ?type|building")
_OBSERVED = re.compile(r"final|found|observed|actual|closed as|legend|determined")
_DISPOSITION = re.compile(r"dispo|clearance|outcome|result|clos(e|ing) code|cancel")
_PRIMARY = re.compile(r"officer|deputy|responsible|primary|in charge|commander")
_DATE = re.compile(r"date|\bday\b|\bdt\b|dt$")


def words(name: str) -> str:
    """A column's name as separate lower-case words: "CallRcvdTime" and "CALL_RCVD_TIME" alike."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"[^a-z0-9#]+", " ", apart.lower()).strip()


def empty(text: str) -> bool:
    """Whether a cell says nothing."""
    return text.lower() in NOTHING


@dataclass
class Column:
    """One column and what its cells look like. `form`: the format of its times or dates; `kind` "" when neither."""

    name: str
    values: list[str]
    kind: str = ""
    form: str = ""
    words: str = ""
    fill: float = 0.0
    shut: bool = False

    def __post_init__(self) -> None:
        self.words = words(self.name)
        full = [one for one in self.values if not empty(one)]
        self.fill = len(full) / max(len(self.values), 1)
        self.shut = bool(CONDUCT.search(self.name) or NEVER.search(self.words))
        some = list(dict.fromkeys(one for one in full if not times.is_blank(one)))[:_SOME]
        if some and not self.shut:
            self.kind, self.form = _kind(some, self.words)
        self.values = full

    def share(self, fits: Callable[[str], object]) -> float:
        """The part of the cells that `fits`."""
        return sum(bool(fits(one)) for one in self.values) / max(len(self.values), 1)

    @property
    def distinct(self) -> float:
        """Different cells per cell."""
        return len(set(self.values)) / max(len(self.values), 1)


def _kind(some: Sequence[str], name: str) -> tuple[str, str]:
    """("packed" | "full" | "date" | "clock" | "", format)."""
    if _part(some, _PACKED.fullmatch) > 0.5:
        return "packed", "clock"
    if _part(some, _is_clock) >= _ENOUGH:
        return "clock", "clock"
    form = _format(some, _FULL)
    if form:
        midnights = all(_read(one, form) is None or _read(one, form) == (0, 0) for one in some)
        return ("date" if midnights else "full"), form
    form = _format(some, _DAYS)
    if form and (form not in _SOLID or _DATE.search(name)):
        return "date", form
    # Without a header the digits have to speak for themselves.
    timely = (
        name.isdigit() or re.search(r"time|\btm\b|tm$", name) or any(re.search(rule, name) for rule in _STEPS.values())
    )
    if timely and not _NUMBER.search(name) and _part(some, _BARE.fullmatch) >= _ENOUGH:
        return ("clock", "clock") if _part(some, _reads_as_clock) >= _ENOUGH else ("", "")
    return "", ""


def _is_clock(text: str) -> bool:
    return bool(_COLON.fullmatch(text)) and _reads_as_clock(text)


def _reads_as_clock(text: str) -> bool:
    try:
        times.wall_time(text, "clock")
    except ValueError:
        return False
    return True


def _part(some: Sequence[str], fits: Callable[[str], object]) -> float:
    return sum(bool(fits(one)) for one in some) / len(some)


def _read(text: str, form: str) -> tuple[int, int] | None:
    """(hour, minute) if `text` is a time in `form`."""
    try:
        if form == "iso":
            if "-" not in text[:8] or len(text) < 12:
                return None
            found = datetime.fromisoformat(text)
        else:
            if len(text) != _SOLID.get(form, len(text)):
                return None
            found = datetime.strptime(text, form)  # noqa: DTZ007 - only its shape is looked at
    except ValueError:
        return None
    if found.year not in _YEARS:
        return None
    return found.hour, found.minute


def _format(some: Sequence[str], candidates: Sequence[str]) -> str:
    """The first of the formats that read most of the cells; "" when none reads enough of them."""
    first = some[:12]
    hopeful = [form for form in candidates if 2 * sum(_read(one, form) is not None for one in first) >= len(first)]
    shares = {form: sum(_read(one, form) is not None for one in some) / len(some) for form in hopeful}
    best = max(shares, key=lambda form: shares[form], default="")
    return best if best and shares[best] >= _ENOUGH else ""


@dataclass
class Layout:
    """The guess: a column, a confidence and a reason per role; formats; how units are written."""

    roles: dict[str, tuple[Column, float, str]] = field(default_factory=dict)
    date_format: str = ""
    time_format: str = ""
    step_format: str = ""
    unit_separator: str = ","
    packed: bool = False
    packed_are: str = "arrived"
    row: str = "call"

    def name(self, role: str) -> str:
        """The column of `role`, "" for none."""
        return self.roles[role][0].name if role in self.roles else ""


def layout(columns: Sequence[Column]) -> Layout:
    """What each of `columns` seems to be."""
    found = Layout()
    free = [column for column in columns if not column.shut and column.values]
    _steps(found, free)
    _begin(found, free)
    _number(found, _left(found, free))
    _units(found, _left(found, free))
    _codes(found, _left(found, free))
    if "number" in found.roles and "units" in found.roles and not found.packed:
        repeated = found.roles["number"][0].distinct < 0.9 and found.unit_separator == ""
        found.row = "unit" if repeated else "call"
    found.unit_separator = found.unit_separator or ","
    return found


def _left(found: Layout, columns: Sequence[Column]) -> list[Column]:
    used = [column for column, _, _ in found.roles.values()]
    return [column for column in columns if column not in used]


def _step_of(column: Column) -> str:
    """Which step a time column tells of, by its name; "" none of ours."""
    if _NOT_OURS.search(column.words):
        return ""
    return next((role for role, rule in _STEPS.items() if re.search(rule, column.words)), "")


def _steps(found: Layout, columns: Sequence[Column]) -> None:
    """Times by name: those of the steps, then the begin."""
    packed = [column for column in columns if column.kind == "packed"]
    found.packed = bool(packed)
    lone = [column for column in packed if _step_of(column) != "cleared"]
    for column in columns:
        if column.kind not in ("full", "clock", "packed"):
            continue
        role = _step_of(column)
        if column.kind == "packed" and (len(lone) == 1 or role in ("", "received")) and column in lone:
            # The units of the call: what their times say stands in the column's name, if anywhere.
            if "units" not in found.roles:
                found.packed_are = "dispatched" if role in ("dispatched", "enroute") else "arrived"
                found.roles["units"] = (column, 0.9, "units with their times")
        elif role and role != "enroute" and role not in found.roles:
            found.roles[role] = (column, 0.9, "by name and content")


def _begin(found: Layout, columns: Sequence[Column]) -> None:
    """The begin of the call: a full time, or a day and a time of day."""
    left = _left(found, columns)
    if "received" not in found.roles:
        spare = [c for c in left if c.kind in ("full", "clock") and not _NOT_OURS.search(c.words)]
        spare = [c for c in spare if _step_of(c) in ("", "received")]
        if spare:
            found.roles["received"] = (spare[0], 0.6, "by content")
        elif "dispatched" in found.roles and found.roles["dispatched"][0].kind != "packed":
            found.roles["received"] = found.roles.pop("dispatched")
    begin = found.roles.get("received")
    steps = {r: found.roles[r][0] for r in ("dispatched", "arrived", "cleared") if r in found.roles}
    forms = {c.form for c in steps.values() if c.kind != "packed"}
    if begin is not None and begin[0].kind == "full":
        found.time_format = begin[0].form
    else:
        days = [c for c in left if c.kind == "date" and not _NOT_OURS.search(c.words)]
        if days:
            day = max(
                days, key=lambda c: (c.fill > 0.9, bool(re.search(_STEPS["received"], c.words)), "date" in c.words)
            )
            found.roles["date"] = (day, 0.9 if _DATE.search(day.words) else 0.7, "by content")
            found.date_format = day.form
        found.time_format = "clock"
    step = next(iter(forms)) if len(forms) == 1 else ""
    if len(forms) > 1:
        # One format reads them all or the odd ones are left out.
        step = max(forms, key=lambda form: sum(c.form == form for c in steps.values()))
        for role, column in steps.items():
            if column.kind != "packed" and column.form != step:
                del found.roles[role]
    if found.packed and step not in ("", "clock"):
        # Times in packed cells are times of day.
        for role, column in steps.items():
            if column.kind != "packed" and role in found.roles:
                del found.roles[role]
        step = "clock"
    step = step or ("clock" if found.packed else "")
    found.step_format = step if step != found.time_format else ""


def _number(found: Layout, columns: Sequence[Column]) -> None:
    best, best_score = None, 0.0
    for place, column in enumerate(columns):
        fits = column.share(lambda one: NUMBER.fullmatch(one) and any(c.isdigit() for c in one))
        if fits < 0.9 or column.fill < 0.9 or column.kind in ("date", "full", "packed"):
            continue
        named = 1.0 if _NUMBER.search(column.words) else 0.0
        score = named + column.distinct * 0.8 - place * 0.01
        if (named or column.distinct > 0.9) and score > best_score:
            best, best_score = column, score
    if best is not None:
        named = bool(_NUMBER.search(best.words))
        found.roles["number"] = (best, 0.95 if named else 0.6, "by name and content" if named else "by content")


def separator(values: Sequence[str]) -> str:
    """What stands between the units of a cell; "" when every cell holds one unit."""
    counts = {mark: sum(mark in one.strip() for one in values) for mark in _UNITS_APART}
    best = max(_UNITS_APART, key=lambda mark: (counts[mark], -_UNITS_APART.index(mark)))
    return best if counts[best] > 0 else ""


def _unit_share(column: Column) -> float:
    mark = separator(column.values)
    parts = [part.strip() for one in column.values for part in (one.split(mark) if mark else [one]) if part.strip()]
    good = sum(bool(UNIT.fullmatch(part)) and len(part) <= 12 and any(c.isdigit() for c in part) for part in parts)
    return good / max(len(parts), 1)


def _units(found: Layout, columns: Sequence[Column]) -> None:
    if "units" in found.roles:
        return
    named = [c for c in columns if _UNITS.search(c.words) and not _NOT_UNITS.search(c.words) and not c.kind]
    scored = [(_unit_share(column), column) for column in named]
    if scored:
        share, column = max(scored, key=lambda one: one[0])
        if share > 0.4:
            found.roles["units"] = (column, round(min(0.95, share), 2), "by name and content")
            found.unit_separator = separator(column.values)


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
            yield role, ["CALL-SIGN=HH:MM"] if packed else shown[:3]
