"""Which groups may stand beside each other in one release.

Owns: the floor and its complement. A group is a headcount that covers everyone at or below its path. A reader can add
and subtract what is published, so it is not enough that every published group is large: every difference must be too.
Must never see: a figure; the choice depends on headcounts alone, so that a gap in a table says nothing about a figure.

Published groups form a tree. Call what is left of a group after its published children its rest. Every set of people
whose figure a reader can work out by adding and subtracting is a union of rests. So it is enough that each rest is
empty or has at least `floor` people, and leaving out further groups only joins rests and stays safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from appliance.errors import WardwellError


def below_floor(floor: int) -> str:
    """The reason in the cell of a group that is too small."""
    return f"fewer than {floor} people"


COMPLEMENT = "would reveal a smaller group"


def parent_of(path: str, paths: Iterable[str]) -> str | None:
    """The nearest of `paths` above `path` ("Agency/Patrol/Day" lies under "Agency/Patrol" and "Agency"), or None."""
    above = [other for other in paths if path.startswith(other + "/")]
    return max(above, key=len) if above else None


def tree(paths: Iterable[str]) -> dict[str | None, list[str]]:
    """Parent to children among `paths`, each list in order; the key None holds those without a parent."""
    known = sorted(set(paths))
    children: dict[str | None, list[str]] = {None: []}
    for path in known:
        children.setdefault(parent_of(path, known), []).append(path)
    return children


def withheld(headcounts: Mapping[str, int], floor: int) -> dict[str, str]:
    """The groups that may not be published, each with its reason; all others may, together.

    Of several children that could be left out, the smallest is: that costs the reader least, and depends on nothing
    but the signed roster. Raises WardwellError when children have more people than the group they belong to.
    """
    children = tree(headcounts)
    reasons: dict[str, str] = {}
    for path, below in children.items():
        if path is not None and sum(headcounts[child] for child in below) > headcounts[path]:
            raise WardwellError(
                "The groups do not add up: the parts have more people than the whole.",
                "Check the signed roster; nothing is published until it is corrected.",
            )

    def withhold(path: str, reason: str) -> None:
        reasons[path] = below_floor(floor) if headcounts[path] < floor else reason
        for child in children.get(path, []):
            withhold(child, reason)

    def visit(path: str) -> None:
        large = []
        for child in children.get(path, []):
            if headcounts[child] < floor:
                withhold(child, below_floor(floor))
            else:
                large.append(child)
        rest = headcounts[path] - sum(headcounts[child] for child in large)
        if large and 0 < rest < floor:
            smallest = min(large, key=lambda child: (headcounts[child], child))
            withhold(smallest, COMPLEMENT)
            large.remove(smallest)
        for child in large:
            visit(child)

    for root in children[None]:
        if headcounts[root] < floor:
            withhold(root, below_floor(floor))
        else:
            visit(root)
    return reasons
