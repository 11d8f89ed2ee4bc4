"""What a release shows, what it withholds and why."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from appliance.charter import load_charter
from appliance.crypto.canonical import canonical
from appliance.errors import WardwellError
from appliance.press.release import build, canonical_release, check_period, input_digest, percent, sample
from appliance.rules.rollup import roll_up, withheld_groups
from appliance.spool.delivery import encode
from appliance.spool.messages import FollowUpCounts, GroupCount, HeavyCallCounts, Practices

PERIOD = "2026-10"
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def heavy(groups: dict[str, tuple[int, int]], roster: int = 4, silent: int = 0) -> HeavyCallCounts:
    counts = [GroupCount(path, people, {"heavy_calls": calls}) for path, (people, calls) in groups.items()]
    return HeavyCallCounts(period=PERIOD, roster_version=roster, groups=counts, feed_days_missing=silent)


def follow_up(groups: dict[str, tuple[int, int, int]], roster: int = 4) -> FollowUpCounts:
    counts = [
        GroupCount(path, people, {"steps_due": due, "steps_on_time": on_time})
        for path, (people, due, on_time) in groups.items()
    ]
    return FollowUpCounts(period=PERIOD, roster_version=roster, groups=counts)


def make(**inputs: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"heavy": None, "follow_up": None, "practices": None, "salt": bytes(32)} | inputs
    return build(agency="Test Agency", period=PERIOD, made_at=AT, charter=load_charter(), **given)


def cells(release: dict[str, Any], indicator: str) -> dict[str, dict[str, Any]]:
    (found,) = [row for row in release["indicators"] if row["id"] == indicator]
    return {cell["group"]: cell for cell in found["cells"]}


def test_figures_carry_their_denominators() -> None:
    release = make(heavy=heavy({"A": (60, 131)}), follow_up=follow_up({"A": (60, 48, 44)}))
    assert cells(release, "heavy_calls")["A"] == {
        "group": "A", "value": 131, "of": 60, "text": "131 (60 people)", "reason": "",
    }  # fmt: skip
    assert cells(release, "steps_on_time")["A"]["text"] == "44 of 48 (92%)"


def test_a_small_group_that_crossed_by_mistake_is_refused_by_press_itself() -> None:
    release = make(heavy=heavy({"A": (60, 131), "A/x": (19, 7)}))
    assert cells(release, "heavy_calls")["A/x"]["value"] is None
    assert cells(release, "heavy_calls")["A/x"]["reason"] == "fewer than 20 people"
    assert [group["headcount"] for group in release["groups"]] == [60, None]
    # Positive control: the same group with one person more is shown.
    assert cells(make(heavy=heavy({"A": (60, 131), "A/x": (20, 7)})), "heavy_calls")["A/x"]["value"] == 7


def test_a_withheld_figure_stands_nowhere_in_the_bytes() -> None:
    marked = make(heavy=heavy({"A": (60, 131), "A/day": (25, 7654321), "A/swing": (22, 1234567)}))
    body = canonical_release(marked)
    assert b"would reveal a smaller group" in body
    assert b"1234567" not in body
    assert b"7654321" in body


def test_the_hash_of_the_inputs_does_not_let_a_reader_try_values() -> None:
    message = heavy({"A": (60, 131), "A/day": (25, 70), "A/swing": (22, 40)})
    release = make(heavy=message, salt=b"s" * 32)
    plain = {hashlib.sha256(encode(message)).hexdigest(), input_digest(message, bytes(32))}
    assert release["inputs"]["intake"] not in plain
    assert release["inputs"]["intake"] == input_digest(message, b"s" * 32)


def test_different_rosters_are_not_combined() -> None:
    release = make(heavy=heavy({"A": (60, 131)}, roster=3), follow_up=follow_up({"A": (61, 48, 44)}, roster=4))
    assert cells(release, "heavy_calls")["A"]["reason"] == "counted on roster 3, while this release uses roster 4"
    assert cells(release, "steps_on_time")["A"]["value"] == 92
    assert release["roster_version"] == 4


def test_two_headcounts_of_one_group_on_one_roster_stop_the_release() -> None:
    with pytest.raises(WardwellError, match="two headcounts"):
        make(heavy=heavy({"A": (60, 131)}), follow_up=follow_up({"A": (61, 48, 44)}))


def test_a_silent_feed_shows_no_figure_and_says_for_how_long() -> None:
    assert cells(make(heavy=heavy({"A": (60, 1)}, silent=3)), "heavy_calls")["A"]["reason"] == (
        "the feed was silent on 3 days"
    )
    assert cells(make(heavy=heavy({"A": (60, 1)}, silent=1)), "heavy_calls")["A"]["reason"].endswith("1 day")


def test_a_source_that_did_not_arrive_says_so() -> None:
    release = make(heavy=heavy({"A": (60, 131)}))
    assert cells(release, "steps_on_time")["A"]["reason"] == "no counts arrived in time for this month"
    assert release["inputs"]["desk"] is None


def test_an_agency_below_the_floor_gets_no_figure_and_is_told_so_but_sees_its_practices() -> None:
    release = make(heavy=heavy({}), practices=Practices(period=PERIOD, facts={"On-call peer": "31 of 31 days"}))
    assert "no group of 20 or more people" in release["notice"]
    assert release["practices"] == [{"title": "On-call peer", "value": "31 of 31 days"}]
    assert all(not row["cells"] for row in release["indicators"])


@pytest.mark.parametrize("counts", [{}, {"heavy_calls": -1}])
def test_missing_or_negative_counts_stop_the_release(counts: dict[str, int]) -> None:
    message = HeavyCallCounts(
        period=PERIOD, roster_version=1, groups=[GroupCount("A", 30, counts)], feed_days_missing=0
    )
    with pytest.raises(WardwellError, match="contradict"):
        make(heavy=message)


def test_more_on_time_than_due_stops_the_release() -> None:
    with pytest.raises(WardwellError, match="contradict"):
        make(follow_up=follow_up({"A": (60, 4, 5)}))


def test_no_step_due_is_no_percentage() -> None:
    assert cells(make(follow_up=follow_up({"A": (60, 0, 0)})), "steps_on_time")["A"]["reason"] == "no step was due"


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(0, 9, 0), (9, 9, 100), (999, 1000, 99), (1, 1000, 1), (1, 2, 50)]
)
def test_percentages_say_all_and_none_only_when_it_is_so(part: int, whole: int, shown: int) -> None:
    assert percent(part, whole) == shown


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "../../x", "2026-10\n", ""])
def test_a_period_is_a_month(period: str) -> None:
    with pytest.raises(WardwellError):
        check_period(period)


def test_the_sample_has_shown_and_withheld_cells_in_the_order_of_the_groups() -> None:
    release = sample(load_charter())
    order = [group["path"] for group in release["groups"]]
    for indicator in release["indicators"]:
        assert [cell["group"] for cell in indicator["cells"]] == order
    reasons = {cell["reason"] for indicator in release["indicators"] for cell in indicator["cells"]}
    assert reasons == {"", "would reveal a smaller group"}
    assert canonical_release(release) == canonical(release)
    assert release["epsilon"] == 0


def test_groups_that_the_senders_left_out_are_named_with_the_reason_and_no_number() -> None:
    left_out = {"A/night": "fewer than 20 people", "A/day": "would reveal a smaller group", "A/odd": "Smith is ill"}
    message = msgspec.structs.replace(heavy({"A": (60, 131)}), withheld=left_out)
    release = make(heavy=message, follow_up=follow_up({"A": (60, 48, 44), "A/day": (45, 9, 9)}))
    shown = cells(release, "steps_on_time")
    assert {path: cell["reason"] for path, cell in shown.items() if cell["reason"]} == left_out | {"A/odd": "not shown"}
    assert [group["headcount"] for group in release["groups"]] == [60, None, None, None]


def test_the_roll_up_of_a_roster_names_exactly_the_groups_that_it_leaves_out() -> None:
    people = (
        [("Patrol", "Day")] * 25 + [("Patrol", "Swing")] * 22 + [("Patrol", "Night")] * 13 + [("Dispatch", "D")] * 30
    )
    groups, left_out = roll_up(people, {"heavy_calls": {}}, 20), withheld_groups(people, 20)
    assert left_out == {
        "Agency/Patrol/Night": "fewer than 20 people",
        "Agency/Patrol/Swing": "would reveal a smaller group",
    }
    release = make(
        heavy=HeavyCallCounts(period=PERIOD, roster_version=1, groups=groups, feed_days_missing=0, withheld=left_out)
    )
    assert [cell["reason"] for cell in cells(release, "heavy_calls").values()] == [
        "", "", "", "", "", "fewer than 20 people", "would reveal a smaller group",
    ]  # fmt: skip
