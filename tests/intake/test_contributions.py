"""Promise: every enrolled officer gets deliveries of one size, sealed to a witnessed key; no sum exists anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sealing
from appliance.intake import contributions
from appliance.intake.counts import count
from appliance.intake.models import Outbox
from appliance.intake.profiles import load_profile
from appliance.intake.take import take_files
from appliance.kit.exposure import Contribution, summarize
from appliance.model.exposure import load_model
from appliance.spool import delivery
from appliance.spool.messages import MailboxKeyPublished
from appliance.storage import Store
from tests.intake.support import ADDRESS, CALLER, NARRATIVE, file, roster, row
from tests.intake.test_take import messages

PROFILE = load_profile("san-luis-obispo")
CHARTER = load_charter()
ZONE = ZoneInfo("America/Los_Angeles")
KEYS = {number: sealing.key_pair() for number in (1, 2)}


@pytest.fixture
def intake(store_of: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch) -> Store:
    store = store_of("intake")
    roster(store)
    monkeypatch.setattr(contributions, "_is_in_the_ledger", lambda _home, key: key.leaf_index >= 0)
    return store


def enroll(store: Store, number: int, leaf: int = 0) -> None:
    message = MailboxKeyPublished(
        person_id=f"E{number:04d}", handle=f"{number:032x}", public_key=KEYS[number].public, leaf_index=leaf
    )
    with store.write() as session:
        contributions.accept_key(session, message)
    contributions.admit_keys(store, CHARTER)
    delivery.flush(store, Outbox)


def deliveries(store: Store, number: int) -> list[dict[str, Any]]:
    import base64

    found = []
    for one in messages(store):
        if one["message"] == "SealedExposure" and one["handle"] == f"{number:032x}":
            sealed = base64.b64decode(one["sealed"])
            plain = sealing.open_sealed(KEYS[number].seed, sealed, info=sealing.info("exposure", one["handle"]))
            found.append({"kind": one["kind"], "size": len(sealed), **json.loads(plain)})
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
        "type": "death",
        "role": "primary",
        "minutes": 0,
        "revision": 1,
        "gone": False,
    }


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
    given = [
        Contribution(**{**c, "at": datetime.fromisoformat(c["at"])}) for c in deliveries(intake, 1)[1]["contributions"]
    ]
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
