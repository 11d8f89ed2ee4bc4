"""The monthly release: one object that everyone is shown alike.

Owns: the format and how it is built from the counts that crossed. Canonical JSON (RFC 8785), integers and words only:

    {v: 1, agency, period: "2026-10", made_at, charter_digest, floor, roster_version, notice,
     groups:     [{path, name, depth, headcount: int|null, reason}],
     indicators: [{id, title, unit, why, cells: [{group, value: int|null, of: int|null, text, reason}]}],
     practices:  [{title, value}],
     epsilon: 0, epsilon_words,
     inputs: {intake, desk, practices}}     HMAC-SHA256 (hex) of each message as it arrived, or null

Every indicator has one cell per group, in the order of `groups`. `value` null means that nothing is shown, and then
`reason` says why in words; `text` is the cell's figure as a page shows it ("44 of 48 (92%)"), empty when there is none.
`of` is the denominator: steps due for a percentage, headcount for a count. `notice` is empty, or says that the whole
agency is below the floor. Must never see: a row about one person.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.charter import Charter
from appliance.crypto.canonical import canonical
from appliance.errors import WardwellError
from appliance.rules.suppression import COMPLEMENT, below_floor, tree, withheld
from appliance.spool.delivery import encode
from appliance.spool.messages import FollowUpCounts, GroupCount, HeavyCallCounts, Message, Practices

VERSION = 1
EPSILON_WORDS = (
    "Epsilon 0: every figure here is an exact operational fact of a whole group. There is no figure with a person "
    "behind it, so no noise was added."
)
NOT_SHOWN = "not shown"
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Figure:
    """One shown figure: the value, its denominator, and both as words."""

    value: int
    of: int
    text: str


@dataclass(frozen=True)
class Indicator:
    """One row of the release. `figure` turns a group's counts into a Figure, or into the reason why there is none."""

    id: str
    title: str
    unit: str
    why: str
    counts: tuple[str, ...]
    figure: Callable[[GroupCount], Figure | str]


def percent(part: int, whole: int) -> int:
    """`part` of `whole` in whole percent; 100 and 0 only when it is all or none. `whole` is at least 1."""
    rounded = (200 * part + whole) // (2 * whole)
    if part < whole:
        rounded = min(rounded, 99)
    return max(rounded, 1) if part else 0


def _heavy_calls(group: GroupCount) -> Figure | str:
    count = group.counts["heavy_calls"]
    return Figure(count, group.headcount, f"{count} ({group.headcount} people)")


def _steps_on_time(group: GroupCount) -> Figure | str:
    due, on_time = group.counts["steps_due"], group.counts["steps_on_time"]
    if on_time > due:
        raise _contradiction("more follow-up steps were on time than were due")
    if due == 0:
        return "no step was due"
    share = percent(on_time, due)
    return Figure(share, due, f"{on_time} of {due} ({share}%)")


HEAVY_CALLS = Indicator(
    "heavy_calls",
    "Heavy calls attended",
    "attendances in the month",
    "Where much is asked of people, plan relief, staffing and support. It is a workload, not a judgment of anyone.",
    ("heavy_calls",),
    _heavy_calls,
)
STEPS_ON_TIME = Indicator(
    "steps_on_time",
    "Follow-up steps done on time",
    "percent of the steps due in the month",
    "After a critical incident everyone who attended is offered support on fixed days. This is whether it was offered.",
    ("steps_due", "steps_on_time"),
    _steps_on_time,
)


def _contradiction(what: str) -> WardwellError:
    return WardwellError(f"The counts contradict themselves: {what}.", "Report this to the administrator.")


def is_period(period: str) -> bool:
    """Whether `period` is a month like "2026-10"."""
    return _PERIOD.fullmatch(period) is not None


def check_period(period: str) -> str:
    """`period` when it is a month like "2026-10". Raises WardwellError."""
    if not is_period(period):
        raise WardwellError(f"{period!r} is not a month.", "Write it like 2026-10.")
    return period


def _checked(message: HeavyCallCounts | FollowUpCounts, names: tuple[str, ...]) -> dict[str, GroupCount]:
    groups = {group.group: group for group in message.groups}
    if len(groups) != len(message.groups):
        raise _contradiction("a group stands twice")
    for group in message.groups:
        if any(not part.strip() for part in group.group.split("/")):
            raise _contradiction("a group's path has an empty part")
        if group.headcount < 0 or any(group.counts.get(name, -1) < 0 for name in names):
            raise _contradiction("a count is missing or below zero")
    return groups


def input_digest(message: Message | None, salt: bytes) -> str | None:
    """HMAC-SHA256 (hex) of a message's wire form under the release's salt; None for no message.

    Salted, because a message may hold a group that is withheld: whoever knows all other figures could try every value
    of the withheld one against a plain hash. The salt stays in press's database, for an auditor who recounts.
    """
    return None if message is None else hmac.new(salt, encode(message), hashlib.sha256).hexdigest()


def build(
    *,
    agency: str,
    period: str,
    made_at: datetime,
    charter: Charter,
    heavy: HeavyCallCounts | None,
    follow_up: FollowUpCounts | None,
    practices: Practices | None,
    salt: bytes,
) -> dict[str, Any]:
    """The release of `period` from what crossed; the same inputs give the same object.

    Raises WardwellError when the counts contradict themselves: then nothing is published.
    """
    check_period(period)
    floor = charter.constants.floor
    known = (below_floor(floor), COMPLEMENT)
    sources: list[tuple[Indicator, HeavyCallCounts | FollowUpCounts | None]] = [
        (HEAVY_CALLS, heavy),
        (STEPS_ON_TIME, follow_up),
    ]
    arrived = [message for _, message in sources if message is not None]
    roster = max((message.roster_version for message in arrived), default=0)
    headcounts: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for indicator, message in sources:
        if message is None or message.roster_version != roster:
            continue
        for path, group in _checked(message, indicator.counts).items():
            if headcounts.setdefault(path, group.headcount) != group.headcount:
                raise _contradiction("the same group has two headcounts on one roster")
        left_out |= {path: reason if reason in known else NOT_SHOWN for path, reason in message.withheld.items()}
    # What the senders left out stays out; leaving out more is safe (see `appliance.rules.suppression`).
    reasons = withheld(headcounts, floor) | left_out
    order = _in_order(headcounts.keys() | left_out.keys())
    shown = {path for path in order if path not in reasons}
    notice = ""
    if arrived and not shown:
        notice = (
            f"The agency has no group of {floor} or more people on its signed roster, so no figure about groups is "
            "shown. What the program does is shown below at any size."
        )
    return {
        "v": VERSION,
        "agency": agency,
        "period": period,
        "made_at": made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "charter_digest": charter.digest,
        "floor": floor,
        "roster_version": roster,
        "notice": notice,
        "groups": [
            {
                "path": path,
                "name": path.rsplit("/", 1)[-1],
                "depth": path.count("/"),
                "headcount": headcounts[path] if path in shown else None,
                "reason": reasons.get(path, ""),
            }
            for path in order
        ],
        "indicators": [_indicator(indicator, message, roster, order, reasons) for indicator, message in sources],
        "practices": [{"title": title, "value": value} for title, value in practices.facts.items()]
        if practices
        else [],
        "epsilon": 0,
        "epsilon_words": EPSILON_WORDS,
        "inputs": {
            "intake": input_digest(heavy, salt),
            "desk": input_digest(follow_up, salt),
            "practices": input_digest(practices, salt),
        },
    }


def _in_order(paths: Iterable[str]) -> list[str]:
    children = tree(paths)
    order: list[str] = []

    def walk(path: str | None) -> None:
        for child in children.get(path, []):
            order.append(child)
            walk(child)

    walk(None)
    return order


def _indicator(
    indicator: Indicator,
    message: HeavyCallCounts | FollowUpCounts | None,
    roster: int,
    order: list[str],
    reasons: dict[str, str],
) -> dict[str, Any]:
    groups = {} if message is None else {group.group: group for group in message.groups}
    why_none = _why_none(message, roster)
    cells = []
    for path in order:
        group = groups.get(path)
        if path in reasons:
            figure: Figure | str = reasons[path]
        elif why_none:
            figure = why_none
        elif group is None:
            figure = "no figure for this group arrived"
        else:
            figure = indicator.figure(group)
        shown = isinstance(figure, Figure)
        cells.append(
            {
                "group": path,
                "value": figure.value if isinstance(figure, Figure) else None,
                "of": figure.of if isinstance(figure, Figure) else None,
                "text": figure.text if isinstance(figure, Figure) else "",
                "reason": "" if shown else figure,
            }
        )
    return {
        "id": indicator.id,
        "title": indicator.title,
        "unit": indicator.unit,
        "why": indicator.why,
        "cells": cells,
    }


def _why_none(message: HeavyCallCounts | FollowUpCounts | None, roster: int) -> str:
    if message is None:
        return "no counts arrived in time for this month"
    if message.roster_version != roster:
        return f"counted on roster {message.roster_version}, while this release uses roster {roster}"
    if isinstance(message, HeavyCallCounts) and message.feed_days_missing:
        days = message.feed_days_missing
        return f"the feed was silent on {days} {'day' if days == 1 else 'days'}"
    return ""


def canonical_release(release: dict[str, Any]) -> bytes:
    """The bytes that are stored, signed, hashed into the ledger and shown."""
    return canonical(release)


def sample(charter: Charter) -> dict[str, Any]:
    """A release of an invented agency, for pages and tests: shown, withheld and silent cells all occur in it."""
    from datetime import UTC

    people = {
        "Agency": 240,
        "Agency/Patrol": 150,
        "Agency/Patrol/Day watch": 70,
        "Agency/Patrol/Swing watch": 45,
        "Agency/Patrol/Graveyard watch": 35,
        "Agency/Investigations": 44,
        "Agency/Investigations/Detectives": 31,
        "Agency/Dispatch": 46,
    }
    follow_up = [
        GroupCount(path, count, {"steps_due": count // 3, "steps_on_time": count // 3 - count // 40})
        for path, count in people.items()
    ]
    return build(
        agency="Example Agency",
        period="2026-10",
        made_at=datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
        charter=charter,
        heavy=HeavyCallCounts(
            period="2026-10",
            roster_version=4,
            groups=[GroupCount(path, count, {"heavy_calls": count * 2}) for path, count in people.items()],
            feed_days_missing=0,
        ),
        follow_up=FollowUpCounts(period="2026-10", roster_version=4, groups=follow_up),
        practices=Practices(
            period="2026-10",
            facts={"Charter": "Version 1, signed by agency and trustee", "On-call peer": "Covered on 31 of 31 days"},
        ),
        salt=bytes(32),
    )
