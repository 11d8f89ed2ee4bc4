"""The attack on releases: a reader subtracts every published cell from every other, month after month.

Owns: random agencies whose people join, leave and move; their releases, made by the code that the appliance runs; a
reader who has all releases and the organization chart with its headcounts, and wants the figure of a group below the
floor. Must never see: an agency's own data.

The reader works out every set of people that the published groups leave over (a group less the published groups inside
it). When such a rest is a small group, its figure is exact. Otherwise the reader takes the rest that contains the
small group and shares it out by headcount, or last month's rate where the group was large enough to be shown then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from appliance.charter import load_charter
from appliance.press import release
from appliance.rules.suppression import below_floor, parent_of
from appliance.spool.messages import GroupCount, HeavyCallCounts

AGENCIES = 60
MONTHS = 12
SEED = 20261123
NAME = "press.reconstruction"


@dataclass(frozen=True)
class Truth:
    """What is really so in one month: headcount and figure of every group, the small ones included."""

    headcounts: dict[str, int]
    counts: dict[str, int]


@dataclass
class Score:
    """How often a small group's figure was named exactly, and how often it followed by arithmetic alone."""

    targets: int = 0
    named: int = 0
    base: int = 0
    exact: int = 0

    @property
    def over_base(self) -> float:
        return 100 * (self.named - self.base) / max(self.targets, 1)


def _totals(own: Mapping[str, int]) -> dict[str, int]:
    return {path: sum(n for other, n in own.items() if other == path or other.startswith(path + "/")) for path in own}


def agency(dice: random.Random) -> list[Truth]:
    """Twelve months of one agency: divisions and watches, each with its own rate, people moving between them."""
    people = {"A": dice.randint(0, 6)}
    for division in range(dice.randint(2, 4)):
        people[f"A/{division}"] = dice.randint(0, 5)
        for watch in range(dice.randint(1, 4)):
            people[f"A/{division}/{watch}"] = dice.randint(6, 45)
    rates = {path: dice.uniform(0.1, 1.2) for path in people}
    months = []
    for _ in range(MONTHS):
        for _ in range(dice.randint(0, 8)):
            source, target = dice.choice(sorted(people)), dice.choice(sorted(people))
            if people[source]:
                people[source] -= 1
                people[target] += dice.choice((0, 1, 1, 2))
        counts = {path: sum(dice.random() < rates[path] for _ in range(n)) for path, n in people.items()}
        months.append(Truth(_totals(people), _totals(counts)))
    return months


def published(truth: Truth, month: int) -> dict[str, int]:
    """The figures that the month's release shows, by group; the intake sends groups of the floor or more only."""
    charter, period = load_charter(), f"2026-{month + 1:02d}"
    groups = [
        GroupCount(path, people, {"heavy_calls": truth.counts[path]})
        for path, people in truth.headcounts.items()
        if people >= charter.constants.floor
    ]
    made = release.build(
        agency="A",
        period=period,
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        charter=charter,
        heavy=HeavyCallCounts(period=period, roster_version=month, groups=groups, feed_days_missing=0),
        follow_up=None,
        practices=None,
        salt=bytes(32),
    )
    cells = made["indicators"][0]["cells"]
    return {cell["group"]: cell["value"] for cell in cells if cell["value"] is not None}


def rests(shown: Mapping[str, int], headcounts: Mapping[str, int]) -> dict[str, tuple[frozenset[str], int, int]]:
    """Per published group: the units left over after the published groups inside it, their people, their figure."""
    found = {}
    for path, value in shown.items():
        inside = [other for other in shown if parent_of(other, shown) == path]
        units = frozenset(
            unit
            for unit in headcounts
            if (unit == path or unit.startswith(path + "/"))
            and not any(unit == other or unit.startswith(other + "/") for other in inside)
        )
        people = headcounts[path] - sum(headcounts[other] for other in inside)
        found[path] = (units, people, value - sum(shown[other] for other in inside))
    return found


def _covers(path: str, headcounts: Mapping[str, int]) -> frozenset[str]:
    """Units with people in them that belong to `path`."""
    return frozenset(unit for unit in headcounts if unit == path or unit.startswith(path + "/"))


def attack(months: list[Truth], score: Score) -> None:
    """Name the figure of every small group of every month, and of the same groups by the permitted guess alone."""
    floor = load_charter().constants.floor
    rates: dict[str, float] = {}
    for month, truth in enumerate(months):
        shown = published(truth, month)
        left = rests(shown, truth.headcounts)
        for path, people in truth.headcounts.items():
            if not 0 < people < floor:
                continue
            above = [p for p in truth.headcounts if path.startswith(p + "/") and truth.headcounts[p] >= floor]
            if not above:
                continue
            score.targets += 1
            # What the charter lets everybody know: the smallest large group that the small one belongs to.
            known = max(above, key=len)
            base = round(truth.counts[known] * people / truth.headcounts[known])
            score.base += base == truth.counts[path]
            guess, exact = base, False
            for units, size, value in left.values():
                if size == people and _covers(path, truth.headcounts) <= units:
                    guess, exact = value, True
                elif not exact and size and _covers(path, truth.headcounts) <= units:
                    guess = round(rates[path] * people if path in rates else value * people / size)
            score.exact += exact
            score.named += guess == truth.counts[path]
        rates |= {path: value / truth.headcounts[path] for path, value in shown.items()}


def _only_the_floor(headcounts: Mapping[str, int], floor: int) -> dict[str, str]:
    return {path: below_floor(floor) for path, people in headcounts.items() if people < floor}


def measure(*, complement: bool) -> Score:
    """The attack on the same agencies, with the complement withheld or, as the control, with the floor alone."""
    dice, score = random.Random(SEED), Score()
    weaker = nullcontext() if complement else mock.patch.object(release, "withheld", _only_the_floor)
    with weaker:
        for _ in range(AGENCIES):
            attack(agency(dice), score)
    return score


def run() -> list[dict[str, Any]]:
    """Both figures, each with the control that shows the attack can succeed."""
    found, control = measure(complement=True), measure(complement=False)
    what = f"{found.targets} small groups of {AGENCIES} agencies over {MONTHS} months with roster changes"
    return [
        {
            "name": f"{NAME}.over_base_points",
            "value": round(found.over_base, 2),
            "unit": "percentage points of small groups' figures named exactly",
            "against": f"sharing out the smallest group of the floor or more by headcount ({what})",
            "control": f"{control.over_base:.2f} points when the floor alone is obeyed, not its complement",
        },
        {
            "name": f"{NAME}.exact_groups",
            "value": found.exact,
            "unit": "small groups whose figure follows by subtraction",
            "against": what,
            "control": f"{control.exact} when the floor alone is obeyed, not its complement",
        },
    ]
