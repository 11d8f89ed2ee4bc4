"""The ceremony: one card on the screen at a time, each asked back, interrupted anywhere, nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.custody import ceremony, keys, public_record
from appliance.custody.machine import Machine
from appliance.custody.paper import Paper
from appliance.custody.public_record import Places
from appliance.custody.serve import serve
from appliance.custody.shares import Scheme, combine, read_card, split
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home
from tests.custody.support import HOLDERS, Files, People, hold, make_shares_home, names


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.touch()
    return path


@pytest.fixture
def places(home: Home, device: Path) -> Places:
    return make_shares_home(home, str(device))


@pytest.fixture
def machine(tmp_path: Path) -> Files:
    return Files(tmp_path)


def walk(places: Places, machine: Machine, people: People, *, afresh: bool = False) -> None:
    ceremony.hold(places, machine, people, Paper(None), Scheme(), afresh=afresh)


def test_a_ceremony_leaves_the_appliance_unsealed(places: Places, machine: Files, device: Path) -> None:
    people = People(names())
    walk(places, machine, people)
    record = public_record.load(places)
    assert record.state == "held"
    assert [len(record.group(name).holders) for name in ("agency", "trustee")] == [3, 3]
    root = combine([read_card(words) for words in people.cards.values()])
    assert device.read_text() == f"luks {keys.disk_key(root)}\n"
    assert machine.steps == ["format", "open", "make_file_system", "mount", "lay_out", "start"]
    for compartment in COMPARTMENTS:
        path = places.keys / compartment
        assert path.read_text() == keys.compartment_key(root, compartment)
        assert path.stat().st_mode & 0o777 == 0o400
    assert places.keys.stat().st_mode & 0o777 == 0o700
    assert places.unsealed.exists()
    assert places.recipient.read_text().strip() == keys.backup_recipient(root)


def test_one_card_is_on_the_screen_at_a_time_and_none_at_the_end(places: Places, machine: Files) -> None:
    people = People(names())
    walk(places, machine, people)
    assert people.most_on_screen == 1, "the positive control: cards were shown"
    assert not any("CUSTODY CARD" in text for text in people.screen)
    assert len(people.cards) == 6
    agency = {people.cards[holder.name] for holder in HOLDERS["agency"]}
    trustee = {people.cards[holder.name] for holder in HOLDERS["trustee"]}
    assert (len(agency), len(trustee)) == (1, 3)


def test_what_is_written_down_holds_no_word_and_no_key(places: Places, machine: Files) -> None:
    people = People(names())
    walk(places, machine, people)
    root = combine([read_card(words) for words in people.cards.values()])
    written = {path: path.read_bytes() for path in places.etc.iterdir()}
    secret = [root.hex().encode(), keys.disk_key(root).encode(), keys.backup_identity(root).encode()]
    secret += [words[:40].encode() for words in people.cards.values()]
    assert not [path for path, data in written.items() if any(one in data for one in secret)]
    assert any(secret[1] in path.read_bytes() for path in places.home.root.parent.glob("disk")), "the positive control"
    for path in written:
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_card_that_was_taken_down_wrongly_is_asked_again(places: Places, machine: Files) -> None:
    class Careless(People):
        tries = 0

        def ask(self, question: str) -> str:
            answer = super().ask(question)
            if question.startswith("Trustee 2: the words"):
                self.tries += 1
                if self.tries == 1:
                    words = answer.split()
                    return " ".join([*words[:-1], "academic" if words[-1] != "academic" else "acid"])
                if self.tries == 2:
                    return self.cards["Trustee 3"]
            return answer

    people = Careless(names())
    walk(places, machine, people)
    assert people.tries == 3
    assert any("checksum" in text for text in people.said)
    assert any("another card" in text for text in people.said)
    assert public_record.load(places).state == "held"


def test_interrupted_before_the_cards_are_checked_nothing_is_written(
    places: Places, machine: Files, device: Path
) -> None:
    whole = People(names())
    walk(places, machine, whole)
    questions = len(whole.asked)
    for path in (places.record, places.recipient, places.unsealed):
        path.unlink()
    device.write_text("")
    (machine.folder / "mapped").unlink()
    machine.mounted = False
    for number in range(1, questions + 1):
        people = People(names(), stop_at=number)
        with pytest.raises(KeyboardInterrupt):
            walk(places, machine, people)
        assert not any("CUSTODY CARD" in text for text in people.screen)
        assert device.read_text() == ""
        assert not places.record.exists()
    walk(places, machine, People(names()))
    assert public_record.load(places).state == "held"


@pytest.mark.parametrize("step", ["format", "open", "make_file_system", "mount", "lay_out", "start"])
def test_interrupted_later_it_goes_on_with_the_same_cards(places: Places, machine: Files, step: str) -> None:
    first = People(names())
    machine.fail_at = step
    with pytest.raises(WardwellError, match=step):
        walk(places, machine, first)
    assert public_record.load(places).state == "preparing"
    assert not places.unsealed.exists()
    machine.fail_at = ""
    cards = list(first.cards.values())
    again = People([cards[0], cards[3], "no card", cards[5]])
    walk(places, machine, again)
    assert public_record.load(places).state == "held"
    assert places.unsealed.exists()
    assert any("not a word" in text for text in again.said)
    assert machine.steps.count("format") == 1, "what was made is not made twice"


def test_with_its_cards_lost_an_interrupted_ceremony_begins_afresh_on_a_blank_disk_only(
    places: Places, machine: Files, device: Path
) -> None:
    machine.fail_at = "format"
    with pytest.raises(WardwellError):
        walk(places, machine, People(names()))
    machine.fail_at = ""
    with pytest.raises(WardwellError, match="not enough cards"):
        walk(places, machine, People([]))
    with pytest.raises(Refused, match="not blank"):
        walk(places, machine, People(names()), afresh=True)
    device.write_text("")  # emptied by hand, as the refusal says
    walk(places, machine, People(names()), afresh=True)
    assert public_record.load(places).state == "held"


@pytest.mark.parametrize("there", ["ext4\nsomebody's data", "luks 00ff\n", "partitions"])
def test_nothing_that_is_there_is_overwritten(places: Places, machine: Files, device: Path, there: str) -> None:
    device.write_text(there)
    people = People(names())
    with pytest.raises(Refused, match="not blank"):
        walk(places, machine, people)
    assert device.read_text() == there
    assert people.asked == [], "refused before anything is made"
    assert not places.record.exists()
    device.write_text("")
    walk(places, machine, People(names()))
    assert machine.running, "the positive control: a blank one is taken"


def test_a_disk_that_fills_between_cards_and_volume_is_not_overwritten(places: Places, machine: Files) -> None:
    machine.fail_at = "format"
    first = People(names())
    with pytest.raises(WardwellError):
        walk(places, machine, first)
    machine.fail_at = ""
    Path(public_record.load(places).device).write_text("ext4\nput there meanwhile")
    cards = list(first.cards.values())
    with pytest.raises(Refused, match="not blank"):
        walk(places, machine, People([cards[0], cards[3], cards[4]]))
    assert Path(public_record.load(places).device).read_text() == "ext4\nput there meanwhile"


def test_a_ceremony_that_was_held_is_not_held_again(places: Places, machine: Files) -> None:
    hold(places, machine)
    before = places.record.read_bytes()
    for again in (lambda: walk(places, machine, People(names())), lambda: hold(places, machine)):
        with pytest.raises(Refused):
            again()
    assert places.record.read_bytes() == before


def test_a_folder_with_databases_is_not_taken_over(home: Home, machine: Files) -> None:
    places = make_shares_home(home)
    home.database("desk").write_bytes(b"x")
    with pytest.raises(Refused, match="databases"):
        walk(places, machine, People(names()))
    home.database("desk").unlink()
    walk(places, machine, People(names()))
    assert machine.steps == ["lay_out", "start"], "a plain folder is neither formatted nor mounted"


def test_on_a_new_machine_the_present_cards_give_the_same_keys(places: Places, machine: Files, device: Path) -> None:
    first = People(names())
    walk(places, machine, first)
    before = public_record.load(places)
    places.record.unlink()
    device.write_text("")
    (machine.folder / "mapped").unlink()
    machine.mounted = False
    cards = list(first.cards.values())
    foreign = split(bytes(32), Scheme())["trustee"][0].words
    people = People([cards[0], cards[3], foreign, cards[5], *names()])
    ceremony.hold(places, machine, people, Paper(None), Scheme(), present_cards=True)
    after = public_record.load(places)
    assert (after.custody_key, after.recipient) == (before.custody_key, before.recipient)
    assert after.set_number != before.set_number
    assert any("different set" in text for text in people.said)
    assert machine.running


def test_custody_by_file_has_no_ceremony(home: Home, machine: Files) -> None:
    with pytest.raises(Refused, match="file"):
        walk(Places.of(home), machine, People(names()))


def test_a_pdf_is_on_paper_only_from_memory_and_gone_afterwards(tmp_path: Path) -> None:
    from appliance.custody.paper import Labels

    with pytest.raises(WardwellError, match="on a disk"):
        Paper(Path(__file__).parent)
    with pytest.raises(WardwellError, match="neither"):
        Paper(tmp_path / "missing")
    memory = Path("/dev/shm")
    card = split(bytes(32), Scheme())["trustee"][0]
    with Paper(memory).put(card, Labels("Test & Agency", "A <b> Holder", 3, "2026-11-23")) as where:
        path = memory / "wardwell-card.pdf"
        assert str(path) in where
        assert path.read_bytes().startswith(b"%PDF-")
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_programs_ceremony_says_so(places: Places, machine: Files) -> None:
    hold(places, machine)
    assert json.loads(places.record.read_text())["ceremony"] is False


def test_file_custody_refuses_data_that_were_opened_with_shares(places: Places, machine: Files) -> None:
    home = places.home
    hold(places, machine)
    for compartment in COMPARTMENTS:
        home.key(compartment).unlink()
    home.settings_file.write_text('custody = "file"\ndemonstration = true\n')
    with pytest.raises(Refused, match="demonstrations"):
        keys.create_file_custody(home)
    assert not home.key("desk").exists()
    (home.root / keys.PRODUCTION_MARK).unlink()
    keys.create_file_custody(home)
    assert home.key("desk").exists(), "the positive control"


def test_custodys_process_does_not_start_with_custody_by_file(places: Places, machine: Files) -> None:
    places.home.settings_file.write_text('custody = "file"\n')
    with pytest.raises(Refused, match="demonstrations"):
        serve(places, machine)
