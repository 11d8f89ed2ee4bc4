"""Promise: no file, name or writer makes the intake lose, double or misread anything, or stop."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from appliance.errors import WardwellError
from appliance.intake.models import Call
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.read import parsing
from appliance.intake.serve import Watcher, settled_after
from appliance.intake.settle import take
from appliance.settings import Home
from appliance.spool.messages import FileReceipt
from appliance.storage import Store
from tests.intake.support import HEADER, feed, file, let_settle, profile_file, row
from tests.intake.test_check import NAME, balanced, check
from tests.intake.test_take import facts, messages, with_feed

PROFILE = load_profile("san-luis-obispo")


def test_a_file_that_kills_the_parser_is_refused_and_the_next_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first child really dies in mid-run: its program ends itself on that file's name."""
    monkeypatch.setattr(parsing, "CHILD", [*parsing.CHILD[:1], "-c", _DIES_ON_BAD])
    names = ("a.csv", "bad.csv", "c.csv", "d.csv")
    paths = [file(tmp_path, name, row(str(number))) for number, name in enumerate(names)]
    found = []
    for one in parsing.parse_files(PROFILE, [], paths):
        with contextlib.suppress(parsing.ParserDied):
            calls = sum(len(batch) for batch in one.batches())
            found.append((one.name, one.finish().unusable, 0 if one.finish().unusable else calls))
    assert found == [
        ("a.csv", False, 1),
        ("bad.csv", True, 0),
        ("c.csv", False, 1),
        ("d.csv", False, 1),
    ]


_DIES_ON_BAD = """
import os, sys
from appliance.intake.read import child
whole = child.parse_one
child.parse_one = lambda path, *more: os._exit(9) if path.name == "bad.csv" else whole(path, *more)
child.run(sys.stdin.buffer, sys.stdout.buffer)
"""


def test_a_name_that_is_no_text_is_refused_and_blocks_nothing(intake: Store, tmp_path: Path) -> None:
    good = file(tmp_path, NAME, row("1"))
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.csv"))
    bad.write_bytes(feed(row("2")))
    totals = take.take_files(intake, "cad", PROFILE, [bad, good])
    assert (totals.quarantined, totals.taken) == (1, 1)
    assert list(tmp_path.glob("*.csv")) == []


def test_a_refused_file_is_taken_once_its_profile_is_corrected(intake: Store, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(feed(row("1")).decode().encode("utf-16"))
    corrected = load_profile(str(profile_file(tmp_path, encoding='"utf-16"')))
    for profile, taken in ((PROFILE, 0), (PROFILE, 0), (corrected, 1), (corrected, 0), (PROFILE, 0)):
        assert take.take_files(intake, "cad", profile, [path], keep=True).taken == taken
    assert [number for number, *_ in facts(intake)[0]] == ["1"]


def test_what_is_written_while_a_file_is_read_is_not_destroyed(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, NAME, row("1"))
    real = take.take

    def slow(*given: Any) -> FileReceipt | None:
        with path.open("ab") as more:
            more.write(feed(row("2")).split(b"\r\n", 1)[1])
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(take, "take", slow)
        take.take_files(intake, "cad", PROFILE, [path])
    assert path.exists()
    take.take_files(intake, "cad", PROFILE, [path])
    assert not path.exists()
    assert [number for number, *_ in facts(intake)[0]] == ["1", "2"]


def test_a_file_that_somebody_has_open_for_writing_waits(intake: Store) -> None:
    watcher = Watcher(with_feed(intake.home))
    with (intake.home.drop("cad") / NAME).open("wb") as writing:
        writing.write(feed(row("1")))
        writing.flush()
        assert settled_after(Path(writing.name)) is None
        watcher.turn(scan=True)
        let_settle(watcher)
        assert watcher.turn(scan=True)
        assert facts(intake)[0] == []
    assert settled_after(Path(writing.name)) == pytest.approx(1.0)
    watcher.turn(scan=True)
    assert len(facts(intake)[0]) == 1
    watcher.store.close()


def test_a_folder_that_nothing_can_be_removed_from_is_said_and_takes_nothing_twice(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, NAME, row("1"))

    def refuse(*_given: object) -> None:
        raise PermissionError

    monkeypatch.setattr(take, "_leave_drop", refuse)
    assert [take.take_files(intake, "cad", PROFILE, [path]).stuck for _ in range(2)] == [1, 1]
    assert len(messages(intake)) == 1


def test_many_files_at_once_are_taken_in_turns_and_those_that_stay_hold_up_none(
    intake: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, folder = Watcher(with_feed(intake.home)), intake.home.drop("cad")
    for number in range(450):
        file(folder, f"cad_export_20261014_{number:06d}.csv", row(str(number)))
    leave = take._leave_drop

    def leave_all_but_the_first(home: Home, reading: parsing.Reading, unusable: bool) -> None:
        if reading.name < f"cad_export_20261014_{take.BATCH + 10:06d}":
            raise PermissionError
        leave(home, reading, unusable)

    monkeypatch.setattr(take, "_leave_drop", leave_all_but_the_first)
    watcher.turn(scan=True)
    let_settle(watcher)
    found = []
    for _ in range(4):
        watcher.turn(scan=True)
        found.append((len(facts(intake)[0]), watcher.stuck["cad"], len(messages(intake))))
    # In the fourth turn the first ones come again, and change nothing.
    assert found == [(200, 200, 200), (400, 10, 400), (450, 0, 450), (450, 200, 450)]
    watcher.store.close()


@pytest.mark.parametrize(
    ("odd", "changes"),
    [
        ("utf16le_bom.csv", {"encoding": '"utf-16"'}),
        ("utf16be_no_bom.csv", {"encoding": '"utf-16-be"'}),
        ("utf8_bom_semicolon.csv", {"delimiter": '";"'}),
        ("cp1252_smart_quotes.csv", {"encoding": '"cp1252"'}),
    ],
)
def test_other_encodings_need_only_a_line_of_the_profile(
    tmp_path: Path, shared_data: Path, odd: str, changes: dict[str, str]
) -> None:
    """One real drop rewritten: the same calls and people, to the last one."""
    crew = shared_data / "cad" / "roster.csv"
    plain = check(shared_data / "cad" / "san-luis-obispo" / "cad_export_20210922_233119.csv", roster=crew)
    found = check(shared_data / "cad" / "odd" / odd, roster=crew, profile=str(profile_file(tmp_path, **changes)))
    for key in ("rows", "calls", "involvements", "unmapped_units", "first", "last"):
        assert found[key] == plain[key], key


def test_a_call_counts_as_the_weightier_of_what_it_was_sent_as_and_found_to_be(intake: Store, tmp_path: Path) -> None:
    rows = [
        row("1", kind="Welfare Check").replace(',,"Alder', ',SUICIDE,"Alder'),
        row("2", kind="Homicide").replace(',,"Alder', ',Parking Problem,"Alder'),
        row("3", kind="citizen  dispute"),
    ]
    take.take_files(intake, "cad", PROFILE, [file(tmp_path, NAME, *rows)], keep=True)
    with intake.read() as session:
        kinds = {call.number: call.type for call in session.scalars(select(Call))}
    assert kinds == {"1": "suicide", "2": "homicide", "3": "ordinary"}
    (receipt,) = (one for one in messages(intake) if one["message"] == "FileReceipt")
    assert receipt["unmapped_types"] == {}


def test_text_that_strays_into_a_code_is_counted_and_not_shown(tmp_path: Path) -> None:
    stray = "The caller said: <his name> did it!"
    found = check(file(tmp_path, NAME, row("1", units=stray, kind=stray)))
    assert found["unmapped_units"] == {"(not a code)": 1}
    assert found["unmapped_types"] == {"(not a code)": 1}


def test_a_canceled_call_opens_no_follow_up(intake: Store, tmp_path: Path) -> None:
    today = datetime.now(UTC).strftime("%m/%d/%y")
    rows = [row(number, kind="CHILD DEATH", arrived="", day=today) for number in ("1", "2")]
    rows[0] = rows[0].replace("No Report", "Call Cancelled")
    take.take_files(intake, "cad", PROFILE, [file(tmp_path, NAME, *rows)], keep=True)
    notices = [one["reference"] for one in messages(intake) if one["message"] == "IncidentNotice"]
    assert notices == ["CI-2"]


def test_a_conduct_element_in_xml_is_refused_by_name_and_line(tmp_path: Path, shared_data: Path) -> None:
    raw = (shared_data / "cad" / "newworld" / "minimal_call.xml").read_text()
    path = tmp_path / "call.xml"
    path.write_text(raw.replace("</CallExport>", "<UseOfForceFinding>x</UseOfForceFinding></CallExport>"))
    found = check(path, profile="newworld-callexport")
    assert (found["calls"], balanced(found)) == (0, True)
    (refused,) = found["refused"]
    assert (refused["column"], "conduct" in refused["reason"]) == ("UseOfForceFinding", True)
    assert refused["line"] == raw.count("\n", 0, raw.index("</CallExport>")) + 1


def test_a_conduct_column_may_be_dropped_by_name_but_never_taken(tmp_path: Path) -> None:
    dropped = '["grid_location", "location", "address", "description", "call_comments", "complaint_no"]'
    profile = profile_file(tmp_path, dropped=dropped)
    path = tmp_path / NAME
    path.write_text(HEADER + ",complaint_no\r\n" + row("1") + ",77\r\n")
    assert check(path, profile=str(profile))["calls"] == 1
    profile.write_text(profile.read_text().replace('type = "type"', 'type = "complaint_no"'))
    with pytest.raises(WardwellError, match="about conduct: complaint_no"):
        load_profile(str(profile))


def test_what_the_child_hands_back_holds_no_free_text(tmp_path: Path) -> None:
    """Positive control: the same bytes hold the call's number and its unit, and the file itself holds the words."""
    path = file(tmp_path, NAME, row("77001", "4299"))
    readings = parsing.parse_files(PROFILE, [], [path])
    reading = next(readings)
    crossed = repr([*reading.batches(), reading.finish(), reading.name])
    assert "77001" in crossed
    assert "4299" in crossed
    for word in ("ZZNARRATIVEZZ", "ZZADDRESSZZ", "ZZCALLERZZ"):
        assert word in path.read_text()
        assert word not in crossed


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("child._SECONDS = child._SECONDS_PER_MEGABYTE = 0.3; slow = True", "reading it takes too long"),
        ("child._CHILD_BYTES = 256 * 1024 * 1024; slow = False", "reading it takes too much memory"),
    ],
)
def test_a_file_that_takes_too_much_is_refused_with_a_reason_and_the_next_one_is_read(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str, reason: str
) -> None:
    monkeypatch.setattr(parsing, "CHILD", [*parsing.CHILD[:1], "-c", _GREEDY.replace("SPOIL", spoil)])
    paths = [file(tmp_path, name, row(str(number))) for number, name in enumerate(("a.csv", "bad.csv", "c.csv"))]
    totals = take.take_files(intake, "cad", PROFILE, paths, keep=True)
    assert (totals.taken, [(one.file, one.reason) for one in totals.refused]) == (2, [("bad.csv", reason)])


_GREEDY = """
import sys
from appliance.intake.read import child
SPOIL
real = child.versions
def greedy(*given):
    held = []
    while given[1].name == "bad.csv":
        if not slow:
            held.append(bytes(16 * 1024 * 1024))
    yield from real(*given)
child.versions = greedy
child.run(sys.stdin.buffer, sys.stdout.buffer)
"""


def test_an_account_says_how_the_file_was_read_whether_it_was_taken_or_not(tmp_path: Path) -> None:
    detecting = msgspec.structs.replace(PROFILE, encoding="detect")
    good, bad = file(tmp_path, "good.csv", row("1")), file(tmp_path, "bad.csv", row("2"), row("3", day="13/99/26"))
    endings = {}
    for one in parsing.parse_files(detecting, [], [good, bad]):
        list(one.batches())
        endings[one.name] = one.finish()
    assert [endings[name].unusable for name in ("good.csv", "bad.csv")] == [False, True]
    assert endings["good.csv"].chosen == endings["bad.csv"].chosen != []
