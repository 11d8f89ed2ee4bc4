"""Groups as they may leave a compartment: each of the floor or more, and no difference of two below it.

Owns: the group paths of a roster ("Agency", "Agency/Patrol", "Agency/Patrol/Watch A") and the choice among them
(`appliance.rules.suppression`). Must never keep: a figure; it counts in memory for the length of one call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from appliance.rules.suppression import withheld
from appliance.spool.messages import GroupCount

WHOLE = "Agency"


def paths_of(division: str, unit: str) -> tuple[str, str, str]:
    """The three groups that a person of `unit` in `division` belongs to, largest first."""
    division, unit = division.replace("/", "-").strip() or "Other", unit.replace("/", "-").strip() or "Other"
    return WHOLE, f"{WHOLE}/{division}", f"{WHOLE}/{division}/{unit}"


def roll_up(
    people: Iterable[tuple[str, str]], figures: Mapping[str, Mapping[tuple[str, str], int]], floor: int
) -> list[GroupCount]:
    """The groups that may be published, with their headcounts and figures, in path order.

    `people` are (division, unit) of everyone on the roster; `figures` maps a figure's name to counts per
    (division, unit). A group below the floor is contained in its parent's figures; an agency below it yields nothing.
    """
    headcounts = Counter(path for division, unit in people for path in paths_of(division, unit))
    hidden = withheld(headcounts, floor)
    sums: dict[str, Counter[str]] = {path: Counter() for path in headcounts}
    for name, counts in figures.items():
        for (division, unit), count in counts.items():
            for path in paths_of(division, unit):
                if path in sums:
                    sums[path][name] += count
    return [
        GroupCount(path, headcounts[path], {name: sums[path][name] for name in figures})
        for path in sorted(headcounts)
        if path not in hidden
    ]


def withheld_groups(people: Iterable[tuple[str, str]], floor: int) -> dict[str, str]:
    """The groups of the same roster that `roll_up` leaves out: path to reason, in path order, no number.

    They are named so that a release can say of a watch why it has no figure.
    """
    headcounts = Counter(path for division, unit in people for path in paths_of(division, unit))
    return dict(sorted(withheld(headcounts, floor).items()))
