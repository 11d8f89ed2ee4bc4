"""Whether an unknown table is a unit log, and the profile that reads it, as TOML.

Owns: the words that staffing systems use for units, employee numbers and the two ends of a shift. Runs only inside the
guessing child. Must never print: a number of a person, or any cell but units and times.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from appliance.intake.guess.columns import Column
from appliance.intake.profile.feed_profile import Profile, UnitLog, UnitLogColumns, about_conduct
from appliance.intake.read import mapping
from appliance.intake.read.formats.cell_shapes import PERSON, UNIT
from appliance.intake.read.opening import Source
from appliance.intake.read.unit_log import HARMLESS
from appliance.spool.messages import RefusedRow

_UNIT = re.compile(r"\bunit\b(?! (type|count))|call ?sign|apparatus|\bcar\b|vehicle|\bbeat car\b")
_PERSON = re.compile(
    r"(employee|emp|personnel|person|officer|member|staff|user)\W?(no|num|number|nbr|id|#)|\bpernr\b|^(employee|emp)$"
)
_SHIELD = re.compile(r"shield|badge|\bserial\b")
_START = re.compile(r"(log|sign|clock|duty)\W?(ged|ed)? ?(on|in)\b|\bstart|\bbegin|\bfrom\b|^on\b|^on (duty|time)")
_END = re.compile(r"(log|sign|clock|duty)\W?(ged|ed)? ?(off|out)\b|\bend\b|\bfinish|\b(un)?til\b|^to\b|^off\b")
_DAY = re.compile(r"date|\bday\b")
# With one of these a table is about calls.
_CALL = re.compile(r"\b(call(?! ?sign)|case|incident|event|run|cfs|nature|disposition|arriv\w*|dispatched)\b")
_ENOUGH = 0.8
_TRIED = 200_000


class Role(NamedTuple):
    """A column that says something, how sure that is (0 to 1), and why."""

    column: Column
    sure: float
    why: str


def quoted(text: str) -> str:
    """`text` as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def shown(text: str) -> str:
    """Text as a comment may hold it: one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:160]


def roles(columns: Sequence[Column]) -> dict[str, Role]:
    """The columns of a unit log by what they say; empty when this is none: it lacks one, or it is about calls."""
    if any(_CALL.search(column.words) for column in columns):
        return {}
    found: dict[str, Role] = {}
    time = ("full", "clock")
    for role, words, fits in (
        ("start", _START, lambda column: float(column.kind in time)),
        ("end", _END, lambda column: float(column.kind in time)),
        ("unit", _UNIT, lambda column: column.share(UNIT.fullmatch)),
        ("person", _PERSON, lambda column: column.share(_is_number)),
        ("shield", _SHIELD, lambda column: column.share(_is_number)),
        ("date", _DAY, lambda column: float(column.kind == "date")),
    ):
        free = [one for one in columns if not one.shut and all(one is not known.column for known in found.values())]
        named = [(fits(one), one) for one in free if words.search(one.words)]
        sure, best = max(named, key=lambda one: one[0], default=(0.0, None))
        if best is not None and sure >= _ENOUGH:
            found[role] = Role(best, sure, "by its name and what stands in it")
    if "person" not in found and "shield" in found:
        found["person"] = found.pop("shield")
    if not {"unit", "person", "start", "end"} <= set(found):
        return {}
    if found["start"].column.kind == "full":
        found.pop("date", None)
    # Times of day alone need a day.
    return found if found["start"].column.kind == "full" or "date" in found else {}


def _is_number(text: str) -> bool:
    return bool(PERSON.fullmatch(text)) and any(character.isdigit() for character in text)


def propose(paths: Sequence[Path], look: Profile, header: Sequence[str], found: dict[str, Role], note: str) -> str:
    """The TOML of the unit log in `paths`. `look` is how it was read, `note` what to say of the zone."""
    columns = UnitLogColumns(**{role: one.column.name for role, one in found.items()})
    taken = {one.column.name for one in found.values()}
    log = UnitLog(
        kind="unit-log",
        name="guessed",
        description="Proposed from a file; check it",
        format=look.format,  # type: ignore[arg-type]
        time_zone=look.time_zone,
        columns=columns,
        encoding=look.encoding,
        delimiter=look.delimiter,
        header=look.header,
        record=look.record,
        sheet=look.sheet,
        date_format=found["date"].column.form if "date" in found else "%m/%d/%y",
        time_format=found["start"].column.form,
        skip=look.skip,
        dropped=[name for name in dict.fromkeys(header) if name not in taken],
    )
    rows, refused = _try(paths, log)
    lines = ["# A unit log: who was on which unit from when until when. Proposed from the file; check it."]
    lines += [f"# {rows} rows read, {sum(refused.values())} of them cannot be taken."]
    lines += [f"# cannot be taken: {shown(reason)} ({count} rows)" for reason, count in refused.most_common(5)]
    for name in UnitLog.__struct_fields__:
        if name not in ("columns", "dropped"):
            value = getattr(log, name)
            text = quoted(value) if isinstance(value, str) else json.dumps(value)
            lines.append(f"{name} = {text}{note if name == 'time_zone' else ''}")
    lines += ["# Never read:", "dropped = ["]
    for name in log.dropped:
        lines.append(f"    {quoted(name)},{'  # about conduct: Wardwell takes none' if about_conduct(name) else ''}")
    return "\n".join([*lines, "]", "", "[columns]", *_columns(columns, found)]) + "\n"


def _columns(columns: UnitLogColumns, found: dict[str, Role]) -> Iterator[str]:
    for role in UnitLogColumns.__struct_fields__:
        known, note = found.get(role), ""
        if known is not None:
            some = [shown(one) for one in dict.fromkeys(known.column.values)][:3]
            samples = f"; such as {'; '.join(some)}" if role not in ("person", "shield") else ""
            note = f"  # {known.sure:.0%}, {known.why}{samples}"
        yield f"{role} = {quoted(getattr(columns, role))}{note}"


def _try(paths: Sequence[Path], log: UnitLog) -> tuple[int, Counter[str]]:
    """How many rows there are, and why some cannot be taken."""
    from appliance.intake.read.child import shifts

    rows, refused = 0, Counter[str]()
    for path in paths:
        with Source(path) as source:
            for one in itertools.islice(shifts(source, path, log, frozenset(), mapping.Notes()), _TRIED):
                rows += 1
                if isinstance(one, RefusedRow) and one.reason not in HARMLESS:
                    refused[f"{one.column}: {one.reason}"] += 1
    return rows, refused
