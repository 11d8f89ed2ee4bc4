"""No group below the floor can be worked out from a release, by adding and subtracting whatever it shows."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import WardwellError
from appliance.rules.suppression import COMPLEMENT, parent_of, withheld

FLOOR = 20


@st.composite
def hierarchies(draw: st.DrawFn) -> dict[str, int]:
    """Path to headcount, each covering everyone at or below it; some paths are left out, as the intake leaves them."""
    own: dict[str, int] = {"A": draw(st.integers(0, 60))}
    for path in ("A/0", "A/1", "A/2", "A/3"):
        if draw(st.booleans()):
            own[path] = draw(st.integers(0, 45))
            for number in range(draw(st.integers(0, 4))):
                own[f"{path}/{number}"] = draw(st.integers(0, 45))
                for leaf in range(draw(st.integers(0, 2))):
                    own[f"{path}/{number}/{leaf}"] = draw(st.integers(0, 45))
    totals = {
        path: sum(people for other, people in own.items() if other == path or other.startswith(path + "/"))
        for path in own
    }
    return {path: total for path, total in totals.items() if draw(st.integers(0, 9)) > 0}


def derivable(published: dict[str, int]) -> list[int]:
    """Headcounts of every set that can be cut out of one published group by subtracting others inside it."""
    found = []
    for path, people in published.items():
        inside = [other for other in published if other.startswith(path + "/")]
        for size in range(min(len(inside), 6) + 1):
            for cut in itertools.combinations(inside, size):
                if not any(a != b and b.startswith(a + "/") for a in cut for b in cut):
                    found.append(people - sum(published[other] for other in cut))
    return found


@given(hierarchies())
@settings(max_examples=300, deadline=None)
def test_every_difference_of_published_groups_is_empty_or_large(headcounts: dict[str, int]) -> None:
    reasons = withheld(headcounts, FLOOR)
    published = {path: people for path, people in headcounts.items() if path not in reasons}
    assert all(people == 0 or people >= FLOOR for people in derivable(published))


@given(hierarchies(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_leaving_out_more_groups_stays_safe(headcounts: dict[str, int], random: object) -> None:
    """An indicator may miss some of the published groups; that never uncovers a small one."""
    reasons = withheld(headcounts, FLOOR)
    published = {p: n for p, n in headcounts.items() if p not in reasons and random.random() > 0.3}  # type: ignore[attr-defined]
    assert all(people == 0 or people >= FLOOR for people in derivable(published))


def test_the_attack_finds_a_small_group_when_only_the_floor_is_obeyed() -> None:
    """Positive control: without the complement the same difference uncovers 13 people."""
    headcounts = {"A": 60, "A/day": 25, "A/swing": 22}
    assert min(people for people in derivable(headcounts) if people) == 13
    assert withheld(headcounts, FLOOR) == {"A/swing": COMPLEMENT}


def test_the_smallest_child_is_left_out_and_everything_below_it() -> None:
    headcounts = {"A": 130, "A/p": 70, "A/q": 50, "A/q/1": 25, "A/q/2": 25}
    assert set(withheld(headcounts, FLOOR)) == {"A/q", "A/q/1", "A/q/2"}


def test_a_group_below_the_floor_says_so_even_under_a_withheld_parent() -> None:
    reasons = withheld({"A": 60, "A/p": 32, "A/q": 24, "A/q/1": 5}, FLOOR)
    assert reasons == {"A/q": COMPLEMENT, "A/q/1": "fewer than 20 people"}


def test_an_agency_below_the_floor_is_withheld_whole() -> None:
    assert set(withheld({"A": 19, "A/p": 12}, FLOOR)) == {"A", "A/p"}


def test_an_exact_split_is_shown_whole() -> None:
    assert withheld({"A": 45, "A/p": 25, "A/q": 20}, FLOOR) == {}


def test_parts_with_more_people_than_the_whole_are_refused() -> None:
    with pytest.raises(WardwellError, match="do not add up"):
        withheld({"A": 40, "A/p": 25, "A/q": 25}, FLOOR)


def test_a_name_that_begins_alike_is_no_parent() -> None:
    assert parent_of("Agency/Patrol West", ["Agency", "Agency/Patrol"]) == "Agency"
