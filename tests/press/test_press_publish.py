"""A release is made once, ledgered before it is shown, signed, and told to desk."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import clock
from appliance.errors import WardwellError
from appliance.press import keys, publish
from appliance.press.models import Input, Release
from appliance.settings import Home
from appliance.spool.append import LedgerDown
from appliance.spool.messages import Append, FollowUpCounts, GroupCount, HeavyCallCounts, Practices
from appliance.storage import Store, open_store
from appliance.storage.migrate import differences, upgrade

OVER = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)  # half an hour into November in Los Angeles
HEAVY = HeavyCallCounts(
    period="2026-10", roster_version=1, groups=[GroupCount("A", 60, {"heavy_calls": 131})], feed_days_missing=0
)
FOLLOW = FollowUpCounts(
    period="2026-10", roster_version=1, groups=[GroupCount("A", 60, {"steps_due": 48, "steps_on_time": 44})]
)
PRACTICES = Practices(period="2026-10", facts={"On-call peer": "31 of 31 days"})


def give(store: Store, *messages: HeavyCallCounts | FollowUpCounts | Practices) -> None:
    with store.write() as session:
        for message in messages:
            publish.store_input(session, message)


@pytest.fixture
def store(store_of: Callable[[str], Store]) -> Store:
    return store_of("press")


def test_it_is_made_once_and_asking_again_gives_the_same_bytes(store: Store, taking_ledger: list[Append]) -> None:
    give(store, HEAVY, FOLLOW, PRACTICES)
    with clock.held(OVER):
        first = publish.make(store, "2026-10")
    with clock.held(OVER + timedelta(days=40)):
        give(store, HeavyCallCounts(period="2026-10", roster_version=9, groups=[], feed_days_missing=9))
        assert publish.make(store, "2026-10") == first
    assert [request.kind for request in taking_ledger] == ["release"]


def test_ledger_file_signature_and_message_name_the_same_bytes(
    store: Store, home: Home, taking_ledger: list[Append], tmp_path: Path
) -> None:
    give(store, HEAVY, FOLLOW, PRACTICES)
    with clock.held(OVER):
        body = publish.make(store, "2026-10")
    leaf = taking_ledger[0].public
    assert leaf is not None
    assert leaf["sha256"] == hashlib.sha256(body).hexdigest()
    assert (leaf["period"], leaf["epsilon"]) == ("2026-10", 0)
    assert leaf["inputs"] == json.loads(body)["inputs"]
    path = home.public / "releases" / "2026-10.json"
    assert path.read_bytes() == body
    (message,) = home.spool("press", "desk").glob("*.json")
    told = json.loads(message.read_bytes())
    assert (told["message"], told["period"], told["leaf_index"]) == ("ReleasePublished", "2026-10", 0)
    signers = tmp_path / "allowed_signers"
    signers.write_text(keys.allowed_signers((home.public / "press" / "report.pub").read_text()) + "\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "wardwell-report", "-n", "wardwell-report"]
    command += ["-s", f"{path}.sig"]
    assert subprocess.run(command, input=body, capture_output=True).returncode == 0
    assert subprocess.run(command, input=body[:-1] + b"]", capture_output=True).returncode != 0


def test_without_the_ledger_nothing_is_published_and_the_same_bytes_come_later(
    store: Store, home: Home, request: pytest.FixtureRequest
) -> None:
    give(store, HEAVY, FOLLOW, PRACTICES)
    with clock.held(OVER), pytest.raises(LedgerDown):
        publish.make(store, "2026-10")
    assert not (home.public / "releases").exists()
    assert not home.spool("press", "desk").exists()
    with store.read() as session:
        made = session.get_one(Release, "2026-10").body
    with clock.held(OVER):
        assert publish.due_periods(store) == ["2026-10"]
        request.getfixturevalue("taking_ledger")
        assert publish.make(store, "2026-10") == made
        assert publish.due_periods(store) == []
    assert (home.public / "releases" / "2026-10.json").read_bytes() == made


def test_a_month_that_is_not_over_is_refused(store: Store) -> None:
    give(store, HEAVY, FOLLOW, PRACTICES)
    with clock.held(OVER - timedelta(hours=1)):
        assert publish.due_periods(store) == []
        with pytest.raises(WardwellError, match="not over"):
            publish.make(store, "2026-10")


def test_a_month_without_any_input_is_refused(store: Store) -> None:
    with clock.held(OVER), pytest.raises(WardwellError, match="Nothing has arrived"):
        publish.make(store, "2026-10")


def test_it_waits_for_all_inputs_or_a_day_of_grace(store: Store) -> None:
    with clock.held(OVER):
        give(store, HEAVY)
        assert publish.due_periods(store) == []
    with clock.held(OVER + timedelta(hours=23)):
        assert publish.due_periods(store) == []
    with clock.held(OVER + timedelta(hours=25)):
        assert publish.due_periods(store) == ["2026-10"]
    with clock.held(OVER):
        give(store, FOLLOW, PRACTICES)
        assert publish.due_periods(store) == ["2026-10"]


def test_a_newer_count_replaces_the_older_one_until_the_release_is_made(store: Store) -> None:
    give(store, HEAVY)
    give(store, HeavyCallCounts(period="2026-10", roster_version=1, groups=[], feed_days_missing=0))
    with store.read() as session:
        assert b'"groups":[]' in session.get_one(Input, ("2026-10", "heavy_calls")).body


def test_the_migrated_schema_is_the_models_schema(home: Home) -> None:
    store = open_store(home, "press")
    try:
        upgrade(store)
        assert differences(store) == []
    finally:
        store.close()


def test_many_first_uses_make_one_key(home: Home) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(keys.report_public_line(home))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 6
    assert keys.key_file(home).stat().st_mode & 0o077 == 0
    assert [path.name for path in home.folder("press").glob(".report-key*")] == []
