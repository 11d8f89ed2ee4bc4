"""What kind of time the cells of an unknown column hold, and in which format.

Owns: the shapes of days and times of day. A format is put together from the shape of a cell and then tried on the
others. Runs only inside the guessing child; must never print a cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from appliance.intake.read import times

# Days by their shape; {0} is what stands between the parts. Of two readings the American one comes first.
_DAYS: list[tuple[re.Pattern[str], tuple[str, ...]]] = [
    (re.compile(shape), formats)
    for shape, formats in (
        (r"\d{4}([-/.])\d{1,2}\1\d{1,2}", ("%Y{0}%m{0}%d",)),
        (r"\d{1,2}([-/.])\d{1,2}\1\d{4}", ("%m{0}%d{0}%Y", "%d{0}%m{0}%Y")),
        (r"\d{1,2}([-/.])\d{1,2}\1\d{2}", ("%m{0}%d{0}%y", "%d{0}%m{0}%y", "%y{0}%m{0}%d")),
        (r"\d{1,2}([-/ .]?)[A-Za-z]{3,9}\1\d{4}", ("%d{0}%b{0}%Y", "%d{0}%B{0}%Y")),
        (r"\d{1,2}([-/ .]?)[A-Za-z]{3,9}\1\d{2}", ("%d{0}%b{0}%y", "%d{0}%B{0}%y")),
        (r"[A-Za-z]{3,9}( +)\d{1,2}, +\d{4}", ("%b %d, %Y", "%B %d, %Y")),
        (r"[A-Za-z]{3,9}( +)\d{1,2} +\d{4}", ("%b %d %Y", "%B %d %Y")),
        (r"\d{8}()", ("%Y%m%d", "%m%d%Y")),
        (r"\d{6}()", ("%y%m%d", "%m%d%y")),
    )
]
# Digits alone could be anything, and strptime would read fewer of them.
_SOLID = {"%Y%m%d": 8, "%m%d%Y": 8, "%y%m%d": 6, "%m%d%y": 6}
_DAY = r"(?:(?P<weekday>(?i:mon|tue|wed|thu|fri|sat|sun)[A-Za-z]*)(?P<after>,? +))?(?P<day>.+?)"
_STAMPS = (
    re.compile(
        rf"{_DAY}(?P<gap>T|,? +(?:@ +|- +|at +)?)"
        r"(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: *[AaPp][Mm])?|\d{4}|\d{6})"
        r"(?P<zone> *(?:Z|[+-]\d{2}:?\d{2}))?"
    ),
    re.compile(rf"{_DAY}(?P<gap>)(?P<clock>)(?P<zone>)"),
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?Z|[+-]\d{2}:?\d{2})?")
_YEARS = range(1980, 2100)
_COLON = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_BARE = re.compile(r"\d{1,4}|\d{6}")
_BARE_LONG = re.compile(r"\d{3,4}|\d{6}")
_ENOUGH = 0.85


def kind(some: Sequence[str], *, timely: bool, daily: bool, unnamed: bool) -> tuple[str, str]:
    """("full" | "date" | "clock" | "", format) of different cells, none of them blank.

    The column's name speaks of a time (`timely`), of a day (`daily`), or says nothing (`unnamed`): digits alone are
    then taken for a day or a time of day only if nearly all of many are.
    """
    if part(some, _is_clock) >= _ENOUGH:
        return "clock", "clock"
    form = _format(some)
    if form and (form not in _SOLID or daily or (unnamed and _format_share(some, form) > 0.99)):
        if "%H" not in form and "%I" not in form and form != "iso":
            return "date", form
        if not all(_read(one, form) in (None, (0, 0)) for one in some):
            return "full", form
        # Exports write days as midnights.
        return "date", _spelled(some[0]) if form == "iso" else form
    if timely or (unnamed and len(some) >= 8 and not _counts_up(some)):
        bare = part(some, _BARE.fullmatch) >= _ENOUGH and part(some, _BARE_LONG.fullmatch) > 0.5
        if bare and part(some, _reads_as_clock) >= (_ENOUGH if timely else 0.97):
            return "clock", "clock"
    return "", ""


def part(some: Sequence[str], fits: Callable[[str], object]) -> float:
    """The share of cells that `fits`."""
    return sum(bool(fits(one)) for one in some) / max(len(some), 1)


def minutes(text: str, form: str) -> float | None:
    """Minutes since midnight of a cell in `form`; None when it is blank or no time."""
    try:
        if form == "clock":
            span = times.passed(text, form)
            return None if span is None else span / 60
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007 - its hour alone
    except ValueError:
        return None
    return found.hour * 60 + found.minute + found.second / 60


def day_number(text: str, form: str) -> int | None:
    """The day of a cell in `form`, counted; None when it is none."""
    try:
        return datetime.strptime(text, form).toordinal()  # noqa: DTZ007 - a wall day
    except ValueError:
        return None


def _counts_up(some: Sequence[str]) -> bool:
    """Whether digits alone are running numbers."""
    numbers = [int(one) for one in some if one.isdecimal()]
    return sum(later - one == 1 for one, later in pairwise(numbers)) > 0.5 * (len(numbers) - 1)


def _is_clock(text: str) -> bool:
    return bool(_COLON.fullmatch(text)) and _reads_as_clock(text)


def _reads_as_clock(text: str) -> bool:
    try:
        times.wall_time(text, "clock")
    except ValueError:
        return False
    return True


def _spelled(text: str) -> str:
    """An ISO time's format in full: a day is never read as "iso"."""
    return next((form for form in _candidates(text) if form != "iso"), "")


def _candidates(text: str) -> Iterator[str]:
    """The formats that `text` may be written in, "iso" among them."""
    if _ISO.fullmatch(text):
        yield "iso"
    for stamp in _STAMPS:
        found = stamp.fullmatch(text)
        if found is None:
            continue
        first = ""
        if found["weekday"]:
            first = ("%A" if len(found["weekday"]) > 3 else "%a") + ("," if "," in found["after"] else "") + " "
        last = re.sub(" +", " ", found["gap"]) + _clock_format(found["clock"]) + _zone_format(found["zone"])
        for shape, formats in _DAYS:
            fits = shape.fullmatch(found["day"])
            if fits:
                yield from (first + form.format(fits[1]) + last for form in formats)


def _clock_format(text: str) -> str:
    if not text or text.isdecimal():
        return {0: "", 4: "%H%M", 6: "%H%M%S"}[len(text)]
    seconds = ("", "", ":%S")[text.count(":")] + (".%f" if "." in text else "")
    if text[-1] in "mM":
        return f"%I:%M{seconds}{' ' if ' ' in text else ''}%p"
    return f"%H:%M{seconds}"


def _zone_format(text: str | None) -> str:
    return "" if not text else " %z" if text.startswith(" ") else "%z"


def _read(text: str, form: str) -> tuple[int, int] | None:
    """(hour, minute) if `text` is a time in `form`."""
    try:
        if form == "iso":
            found = datetime.fromisoformat(text) if _ISO.fullmatch(text) else None
        elif len(text) != _SOLID.get(form, len(text)):
            found = None
        else:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - only its shape is looked at
    except ValueError:
        return None
    if found is None or found.year not in _YEARS:
        return None
    return found.hour, found.minute


def _format_share(some: Sequence[str], form: str) -> float:
    return part(some, lambda one: _read(one, form) is not None)


def _format(some: Sequence[str]) -> str:
    """The format that reads most of the cells, the likelier one of those that read as many; "" for none."""
    hopeful = list(dict.fromkeys(form for one in some[:12] for form in _candidates(one)))
    shares = {form: _format_share(some, form) for form in hopeful}
    best = max(hopeful, key=lambda form: shares[form], default="")
    return best if best and shares[best] >= _ENOUGH else ""
