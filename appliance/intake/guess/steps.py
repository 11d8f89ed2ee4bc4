"""Which column of times tells of which step of a call: by its name, and by the order in which the steps happen.

Owns: the words that vendors use for the steps. Runs only inside the guessing child; must never print a cell.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from appliance.intake.guess.times import minutes
from appliance.intake.guess.units import Packed
from appliance.intake.read.packing import Packing

ROLES = ("received", "dispatched", "enroute", "arrived", "cleared")
# The first that fits is what a name means most likely; others that fit are what it may mean.
_WORDS = {
    "cleared": r"clear|clr\b|clos|complet|avail|in ?serv|in ?svc|in ?quart|\bend|finish|releas|\bcls|\btime in$"
    r"|\baiq\b",
    "arrived": r"arriv|\barr|\barv|on ?sc|scene|\bots\b|\bons\b|onsite|10 ?23",
    "enroute": r"en ?r(ou)?te?\b|enrt|\benr\b|respond|\bresp\b|turn ?out|rolling|10 ?76",
    "dispatched": r"dispat|\bdisp?\b|\bdsp|assign|\bpaged?\b|toned?\b|alert|notified|10 ?8[67]|time out|\bout$",
    "received": r"rec(ei)?v|\brcvd?\b|\brec\b|alarm|\bcall|creat|enter|entry|report|notif|start|open|begin|event"
    r"|incident|\binc\b|psap|answer|pick ?up|\btoc\b|phone|\bin$|occur|911|^(date )?time$|^datetime$|^tm$|^dt$",
}
NOT_OURS = re.compile(
    r"hosp|transport|depart|\bleft\b|leave|destination|under control|water on|updat|modif|export|print|in ?db|loaded"
    r"|staged|at patient|elapsed|duration|minutes|seconds|response time|total"
)
# Words that speak of a time of day even where it is digits alone; "incident" or "call" may as well be a number.
_TIMELY = re.compile(r"time|\btm\b|tm$|rec(ei)?v|rcvd|alarm$|notif|\btoc\b|psap|answer|pick ?up|creat")
_SENT = re.compile(r"dispat|\bdisp?\b|\bdsp|\bpaged?\b|toned?\b|alert|notified|en ?route|enrt|turn ?out")
_HALF_DAY, _DAY = 720, 1440
# Without a name: minutes after the call's begin from which on a step is likelier an arrival, and a clearing.
_ARRIVES, _CLEARS = 3, 25


class Timed(Protocol):
    """A column of times; `guess_columns.Column` is one."""

    cells: list[str]
    words: str
    form: str
    fill: float
    packed: Packed | None


T = TypeVar("T", bound=Timed)


def timely(name: str) -> bool:
    """Whether a column's name, in words, speaks of a time."""
    return bool(_TIMELY.search(name)) or named(name) not in ("", "received")


def named(name: str) -> str:
    """The step that a name, in words, most likely means; "" for none of ours."""
    if NOT_OURS.search(name):
        return ""
    return next((role for role, rule in _WORDS.items() if re.search(rule, name)), "")


def said(name: str) -> str:
    """What the times of a column of units are, "arrived" or "dispatched", as far as its name says so.

    The units that responded are those that came: only words about sending mean something else.
    """
    return "dispatched" if _SENT.search(name) and not re.search(_WORDS["arrived"], name) else "arrived"


def assign(columns: Sequence[T]) -> dict[str, T]:
    """A column for each step that has one: names count most, and no step may stand before the one it follows."""
    columns = [column for column in columns if not NOT_OURS.search(column.words)]
    if not columns:
        return {}
    first = max(columns, key=lambda c: (named(c.words) == "received", c.fill))
    after = {id(column): _after(first, column) for column in columns}
    begin = min(after.values())
    ordered = sorted(columns, key=lambda c: (after[id(c)], ROLES.index(named(c.words) or "received")))
    # The best total up to each step, column by column: steps keep their order.
    best: list[tuple[float, dict[str, T]]] = [(0.0, {}) for _ in range(len(ROLES) + 1)]
    for column in ordered:
        fresh = list(best)
        for place, role in enumerate(ROLES):
            total, chosen = best[place]
            weight = _weight(column, role, after[id(column)] - begin)
            if weight and total + weight > fresh[place + 1][0]:
                fresh[place + 1] = (total + weight, {**chosen, role: column})
        for place in range(len(ROLES)):
            fresh[place + 1] = max(fresh[place], fresh[place + 1], key=lambda one: one[0])
        best = fresh
    return best[-1][1]


def _weight(column: Timed, role: str, after: float) -> float:
    """How well a column suits a step; `after` is in minutes since the call's begin. 0 for not at all."""
    meant = named(column.words)
    if meant:
        fits = 1.0 if meant == role else 0.6 if re.search(_WORDS[role], column.words) else 0.0
    elif role == "received":
        fits = 0.5 if after < _ARRIVES else 0.0
    else:
        likely = "dispatched" if after < _ARRIVES else "arrived" if after < _CLEARS else "cleared"
        fits = 0.3 if role == likely else 0.0
    return fits * (0.5 + column.fill / 2)


def _after(first: Timed, column: Timed) -> float:
    """Minutes by which `column` is usually later than `first`; negative when it is earlier."""
    found = sorted(
        (later - begin + _HALF_DAY) % _DAY - _HALF_DAY
        for one, other in zip(first.cells, column.cells, strict=True)
        if (begin := minutes(one, first.form)) is not None and (later := minutes(other, column.form)) is not None
    )
    trimmed = found[len(found) // 10 : len(found) - len(found) // 10]
    return statistics.fmean(trimmed) if trimmed else 0.0


def nearest(column: Timed, steps: Mapping[str, Timed]) -> str:
    """Whether the times packed in `column` agree with the call's arrival or with its dispatch; "" when nothing says."""
    packed = column.packed
    arrived, sent = steps.get("arrived"), steps.get("dispatched") or steps.get("enroute")
    if packed is None or arrived is None or sent is None:
        return ""
    packing, votes = Packing(packed.sign, packed.separator), list[bool]()
    for cell, there, out in zip(column.cells, arrived.cells, sent.cells, strict=True):
        own = [m for _, moment in packing.parts(cell) if (m := minutes(moment, packed.form)) is not None]
        there_at, out_at = minutes(there, arrived.form), minutes(out, sent.form)
        if own and there_at is not None and out_at is not None:
            votes.append(min(_apart(m, there_at) for m in own) <= min(_apart(m, out_at) for m in own))
    return "" if len(votes) < 5 else "arrived" if sum(votes) * 2 >= len(votes) else "dispatched"


def _apart(one: float, other: float) -> float:
    return abs((one - other + _HALF_DAY) % _DAY - _HALF_DAY)
