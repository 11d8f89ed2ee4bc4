"""Promise: every enrolled officer gets deliveries of one size, sealed to a witnessed key; no sum exists anywhere."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import select

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sealing
from appliance.crypto.canonical import canonical
from appliance.intake.deliver import contributions
from appliance.intake.deliver.counts import count, send_due
from appliance.intake.models import Outbox, Waiting
from appliance.intake.profile.feed_profile import load_profile
from appliance.intake.settle.take import take_files
from appliance.kit.exposure import Contribution, summarize
from appliance.rules.exposure_model import load_model
from appliance.spool import delivery
from appliance.spool.messages import HistoryReleased, MailboxKeyPublished
from appliance.storage import Store
from tests.intake.support import ADDRESS, CALLER, NARRATIVE, file, row
from tests.intake.test_take import messages

PROFILE = load_profile("san-luis-obispo")
CHARTER = load_charter()
ZONE = ZoneInfo("America/Los_Angeles")
KEYS = {number: sealing.key_pair() for number in (1, 2)}


@pytest.fixture
def intake(intake: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(contributions, "_is_in_the_ledger", lambda _home, key: key.leaf_index >= 0)
    return intake


def enroll(store: Store, number: int, leaf: int = 0) -> None:
    message = MailboxKeyPublished(
        person_id=f"E{number:04d}", handle=f"{number:032x}", public_key=KEYS[number].public, leaf_index=leaf
    )
    with store.write() as session:
        contributions.accept_key(session, message)
    contributions.admit_keys(store, CHARTER)
    delivery.flush(store, Outbox)


def deliveries(store: Store, number: int, skip: int = 0) -> list[dict[str, Any]]:
    """What was sealed to that officer's present key; `skip` of them were for an earlier one."""
    found: list[dict[str, Any]] = []
    for one in messages(store):
        if one["message"] == "SealedExposure" and one["handle"] == f"{number:032x}":
            if skip > 0:
                skip -= 1
                continue
            sealed = base64.b64decode(one["sealed"])
            plain = sealing.open_sealed(KEYS[number].seed, sealed, info=sealing.info("exposure", one["handle"]))
            said = json.loads(plain)
            assert plain.rstrip(b" ") == canonical(said)
            found.append({"kind": one["kind"], "size": len(sealed), **said})
    return found


def take(store: Store, path: Path) -> None:
    take_files(store, "cad", PROFILE, [path], keep=True)
    contributions.run_cycle(store, CHARTER, ZONE)
    delivery.flush(store, Outbox)


def test_the_first_history_comes_with_the_key_and_later_cycles_are_of_equal_size(intake: Store, tmp_path: Path) -> None:
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", row("1"), row("2", kind="Theft")))
    enroll(intake, 1)
    enroll(intake, 2)
    take(intake, file(tmp_path, "cad_export_20261015_233100.csv", row("3", "4201")))
    first, second = deliveries(intake, 1), deliveries(intake, 2)
    assert [(one["kind"], len(one["contributions"])) for one in first] == [("history", 1), ("delta", 1)]
    assert [(one["kind"], len(one["contributions"])) for one in second] == [("history", 0), ("delta", 0)]
    assert [one["size"] for one in first] == [one["size"] for one in second]
    assert first[0]["contributions"][0] | {"id": ""} == {
        "id": "",
        "at": "2026-10-14T17:01:00Z",
        "hour": 10,
        "shift_day": "2026-10-14",
        "type": "death",
        "role": "primary",
        "minutes": None,
        "revision": 1,
        "gone": False,
    }


@pytest.mark.parametrize(
    ("begin", "hour", "day"),
    [
        ("2026-10-15T06:59:00", 23, "2026-10-14"),
        ("2026-10-15T12:59:00", 5, "2026-10-14"),  # after midnight, and the shift began the day before
        ("2026-10-15T13:00:00", 6, "2026-10-15"),
        ("2026-11-01T08:30:00", 1, "2026-10-31"),  # the night's first 1:30, and its second
        ("2026-11-01T09:30:00", 1, "2026-10-31"),
        ("2026-11-01T14:00:00", 6, "2026-11-01"),
        ("2026-03-08T10:00:00", 3, "2026-03-07"),  # there was no 2:00
    ],
)
@pytest.mark.parametrize("role", ["primary", "dispatch"])
def test_what_patterns_need_travels_on_the_agencys_clock(
    intake: Store, begin: str, hour: int, day: str, role: str
) -> None:
    enroll(intake, 1)
    start = int(datetime.fromisoformat(begin).replace(tzinfo=UTC).timestamp())
    call = contributions._Held("1", start - 3600, "suicide", 1)
    with intake.write() as session:
        queue = contributions.Queue(session, "cad", ZONE)
        queue.changed(call, [], [("E0001", "42", role, start, start + 1234), ("E0002", "42", role, start, start)])
        queue.write()
        (waiting,) = session.scalars(select(Waiting))
        said = json.loads(waiting.contribution)
    assert (said["hour"], said["shift_day"], said["role"], said["minutes"]) == (hour, day, role, 21)


def test_each_gets_their_own_when_officers_are_sealed_to_in_groups(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contributions, "_GROUP", 1)
    enroll(intake, 1)
    enroll(intake, 2)
    kinds = {1: "Suicide", 2: "CHILD DEATH"}
    rows = [row(str(number), units=f"420{number}", kind=kind) for number, kind in kinds.items()]
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", *rows))
    for number, kind in ((1, "suicide"), (2, "child-death")):
        (_, delta) = deliveries(intake, number)
        assert [one["type"] for one in delta["contributions"]] == [kind]


def test_more_than_fits_is_carried_over(intake: Store, tmp_path: Path) -> None:
    enroll(intake, 1)
    rows = [row(f"N{number}", "4201") for number in range(60)]
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", *rows))
    for day in (15, 16):
        take(intake, file(tmp_path, f"cad_export_202610{day}_233100.csv", row(f"X{day}", "4202")))
    found = deliveries(intake, 1)[1:]
    assert [one["more"] for one in found] == [True, True, False]
    assert len({one["size"] for one in found}) == 1
    assert len({c["id"] for one in found for c in one["contributions"]}) == 60


def test_someone_taken_off_a_call_gets_it_withdrawn(intake: Store, tmp_path: Path) -> None:
    enroll(intake, 1)
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201")))
    take(intake, file(tmp_path, "cad_export_20261015_233100.csv", row("1", "4202")))
    (given,), (withdrawn,) = [one["contributions"] for one in deliveries(intake, 1)[1:]]
    assert (given["id"], given["gone"]) == (withdrawn["id"], False)
    assert (withdrawn["gone"], withdrawn["revision"]) == (True, 2)


def test_nothing_is_sealed_to_a_key_that_the_witness_has_not_seen(intake: Store, tmp_path: Path) -> None:
    enroll(intake, 1, leaf=-1)
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201")))
    assert deliveries(intake, 1) == []
    enroll(intake, 1, leaf=0)  # control: with its leaf witnessed, the history comes
    assert len(deliveries(intake, 1)) == 1


def _everything_on_disk(store: Store) -> bytes:
    """The database opened with its key, row by row, and every file under the home."""
    from sqlalchemy import inspect, text

    found = []
    with store.reader.connect() as connection:
        for table in inspect(connection).get_table_names():
            found += [repr(tuple(line)).encode() for line in connection.execute(text(f'SELECT * FROM "{table}"'))]
    found += [path.read_bytes() for path in store.home.root.rglob("*") if path.is_file()]
    return b"\n".join(found)


def test_no_free_text_and_no_sum_about_a_person_is_anywhere(intake: Store, tmp_path: Path) -> None:
    """Positive controls: the search finds a call number and a type; and it finds each planted thing once written."""
    enroll(intake, 1)
    kinds = ["Deceased Subj", "Child Abuse", "COLL INJ"] * 7
    rows = [row(f"Q{number}", "4201", kind) for number, kind in enumerate(kinds)]
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", *rows))
    given = msgspec.convert(deliveries(intake, 1)[1]["contributions"], type=list[Contribution])
    at = datetime(2026, 10, 15, 18, tzinfo=UTC)
    load = summarize(given, at, "America/Los_Angeles").load
    weights = sum(kind.weight for c in given if (kind := load_model().type(c.type)))
    assert load > 40
    forbidden = [f"{load}".encode(), NARRATIVE.encode(), ADDRESS.encode(), CALLER.encode()]
    found = _everything_on_disk(intake)
    assert b"'Q0'" in found
    assert b"child-abuse" in found
    assert [word for word in forbidden if word in found] == []
    with intake.read() as session:
        from sqlalchemy import inspect

        names = {
            c["name"]
            for t in inspect(session.connection()).get_table_names()
            for c in inspect(session.connection()).get_columns(t)
        }
    assert not {
        name for name in names if any(word in name for word in ("load", "score", "rank", "sum", "total", "band"))
    }
    (intake.home.log / "x.log").write_text(f"load {load} weight {weights} {NARRATIVE} {ADDRESS} {CALLER}")
    found = _everything_on_disk(intake)
    assert all(word in found for word in forbidden)


def test_counts_leave_in_groups_of_the_floor_or_more_only(intake: Store, tmp_path: Path) -> None:
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202"), row("2", kind="Theft")))
    with clock.held(datetime(2026, 11, 5, tzinfo=UTC)), intake.read() as session:
        message = count(session, "2026-10", ZONE, CHARTER.constants.floor)
        small = count(session, "2026-10", ZONE, 11)
    assert [(g.group, g.headcount, g.counts["heavy_calls"]) for g in message.groups] == [
        ("Agency", 30, 2),
        ("Agency/Patrol", 30, 2),
    ]
    assert set(message.withheld) == {"Agency/Patrol/Watch A", "Agency/Patrol/Watch B"}
    assert len(small.groups) == 4  # control: at a floor of 11 both watches of 15 are shown


def test_a_month_is_counted_once_it_is_over_by_the_clock_and_by_a_later_call(intake: Store, tmp_path: Path) -> None:
    def due(now: datetime) -> list[str]:
        with clock.held(now):
            return send_due(intake, CHARTER, ZONE)

    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", row("1", "4201,4202")))
    # A clock that is a year ahead: the rest of October is still to come, and so are the months after it.
    assert due(datetime(2027, 11, 5, tzinfo=UTC)) == []
    take(intake, file(tmp_path, "cad_export_20261101_233100.csv", row("2", "4201", day="11/01/26")))
    assert due(datetime(2026, 11, 1, 20, tzinfo=UTC)) == []
    assert due(datetime(2026, 11, 5, tzinfo=UTC)) == ["2026-10"]
    assert due(datetime(2027, 11, 5, tzinfo=UTC)) == []


def test_a_replaced_key_gets_nothing_of_the_time_before_until_two_people_vouched(
    intake: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by its first delivery, nor by an export that changes an old call. Control: officer 2 keeps the key."""
    old, new = row("1", "4201,4202"), row("2", "4201,4202", day="10/16/26")
    take(intake, file(tmp_path, "cad_export_20261014_233100.csv", old))
    enroll(intake, 1)
    enroll(intake, 2)
    monkeypatch.setitem(KEYS, 1, sealing.key_pair())
    with clock.held(datetime(2026, 10, 15, 12, tzinfo=UTC)):
        enroll(intake, 1, leaf=1)
        # Said twice it is the same key, and sends nothing twice.
        enroll(intake, 1, leaf=1)
    changed = row("1", "4201,4202", kind="Suicide")
    take(intake, file(tmp_path, "cad_export_20261016_233100.csv", changed, new))
    own = deliveries(intake, 1, skip=1)
    assert [(one["kind"], [call["at"] for call in one["contributions"]]) for one in own] == [
        ("history", []),
        ("delta", ["2026-10-16T17:01:00Z"]),
    ]
    assert [len(one["contributions"]) for one in deliveries(intake, 2)] == [1, 2]
    with intake.write() as session:
        contributions.release_history(session, HistoryReleased(handle=f"{1:032x}"))
    assert contributions.admit_keys(intake, CHARTER) == (1, 0)
    delivery.flush(intake, Outbox)
    assert [call["at"] for call in deliveries(intake, 1, skip=1)[-1]["contributions"]] == [
        "2026-10-16T17:01:00Z",
        "2026-10-14T17:01:00Z",
    ]
