"""The commands: what status says, a card checked without opening anything, exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from appliance.custody import console, opening, public_record
from appliance.custody.console import custody
from appliance.custody.public_record import Places
from appliance.custody.shares import Card, Scheme, split
from appliance.errors import Refused, WardwellError
from appliance.settings import Home
from tests.custody.support import HOLDERS, Files, hold, make_shares_home, serving


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    files = Files(tmp_path)
    monkeypatch.setattr(console, "Machine", lambda: files)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return files


@pytest.fixture
def places(home: Home, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    return make_shares_home(home)


@pytest.fixture
def cards(places: Places, machine: Files) -> dict[str, list[Card]]:
    made = hold(places, machine)
    opening.seal(places, machine, public_record.load(places), lambda _: None)
    return made


def test_status_counts_and_names_whom_to_call(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    silent = CliRunner().invoke(custody, ["status"])
    assert silent.exit_code == 1
    assert "wardwell-custody" in silent.output
    with serving(places, machine):
        answer = CliRunner().invoke(custody, ["status", "--json"])
        shown = CliRunner().invoke(custody, ["status"]).output
    found = json.loads(answer.output)
    assert (answer.exit_code, found["ok"], found["state"], found["volume"]) == (0, True, "sealed", "folder")
    assert [group["needed"] for group in found["groups"]] == [1, 2]
    assert HOLDERS["trustee"][1].telephone in shown
    assert "plain folder" in shown


def test_fewer_than_three_holders_are_not_in_order(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    record = public_record.load(places)
    fewer = [msgspec.structs.replace(group, holders=group.holders[:2]) for group in record.groups]
    public_record.save(places, msgspec.structs.replace(record, groups=fewer))
    with serving(places, machine):
        answer = CliRunner().invoke(custody, ["status"])
    assert answer.exit_code == 1
    assert "fewer than 3 holders" in answer.output


def test_a_card_is_checked_without_opening_anything(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    machine.steps.clear()
    card = cards["trustee"][1]
    answer = CliRunner().invoke(custody, ["check-share", "--stdin"], input=card.words + "\n")
    assert (answer.exit_code, "card 2 of 3" in answer.output) == (0, True)
    for words in (split(bytes(32), Scheme())["agency"][0].words, "hello"):
        refused = CliRunner().invoke(custody, ["check-share", "--stdin"], input=words + "\n")
        assert isinstance(refused.exception, Refused)
        assert refused.exception.exit_code == 3
    assert machine.steps == []
    assert not places.unsealed.exists()


def test_unsealing_and_sealing(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    with serving(places, machine):
        few = [card.words for card in cards["trustee"]]
        answer = CliRunner().invoke(custody, ["unseal", "--stdin"], input="\n".join(few) + "\n")
        assert isinstance(answer.exception, WardwellError)
        assert "More cards are needed" in answer.exception.message
        answer = CliRunner().invoke(custody, ["unseal", "--stdin"], input=cards["agency"][0].words + "\n")
        assert answer.exit_code == 0, answer.output
    assert places.unsealed.exists()
    assert "already" in CliRunner().invoke(custody, ["unseal"]).output
    assert CliRunner().invoke(custody, ["seal"]).exit_code == 0
    assert not places.unsealed.exists()


def test_a_holder_is_replaced(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    options = ["--name", "New Person", "--place", "Room 9", "--telephone", "555-0199"]
    assert CliRunner().invoke(custody, ["holder", "trustee", "3", *options]).exit_code == 0
    record = public_record.load(places)
    assert (record.group("trustee").holders[2].name, record.group("trustee").holders[2].card) == ("New Person", 3)
    assert record.group("agency").holders == HOLDERS["agency"]
    assert isinstance(CliRunner().invoke(custody, ["holder", "trustee", "4", *options]).exception, Refused)


def test_only_root_and_only_a_terminal(
    places: Places, machine: Files, cards: dict[str, list[Card]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CliRunner().invoke(custody, ["rotate"]).exit_code == 2
    assert CliRunner().invoke(custody, ["ceremony"]).exit_code == 2
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for command in ("ceremony", "unseal", "seal", "rotate", "serve"):
        assert isinstance(CliRunner().invoke(custody, [command]).exception, Refused), command


def test_a_ceremony_by_program(places: Places, machine: Files) -> None:
    holders = {
        group: [{"name": one.name, "place": one.place, "telephone": one.telephone, "card": one.card} for one in people]
        for group, people in HOLDERS.items()
    }
    answer = CliRunner().invoke(custody, ["ceremony", "--stdin"], input=json.dumps(holders))
    assert answer.exit_code == 0, answer.output
    assert [len(cards) for cards in json.loads(answer.output)["cards"].values()] == [1, 3]
    assert public_record.load(places).ceremony is False
    broken = CliRunner().invoke(custody, ["ceremony", "--stdin"], input="{}")
    assert isinstance(broken.exception, Refused)
