"""New cards for the same secret and for a new one: the old set stays until the new one is checked; power cuts."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import sqlcipher3

from appliance.custody import keys, opening, public_record, rotation
from appliance.custody.offers import require_current
from appliance.custody.paper import Paper
from appliance.custody.public_record import Places
from appliance.custody.shares import GROUPS, Card, CardError, Scheme, combine, read_card
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store
from tests.custody.support import HOLDERS, Files, People, hold
from tests.support.databases import lay_database
from tests.support.waiting import pause


@pytest.fixture
def cards(places: Places, machine: Files) -> dict[str, list[Card]]:
    """A ceremony was held, and every compartment has a database under its key."""
    made = hold(places, machine)
    for compartment in COMPARTMENTS:
        places.home.key(compartment).write_text((places.keys / compartment).read_text())
        lay_database(places.home, compartment)
    return made


def three(cards: dict[str, list[Card]]) -> list[str]:
    return [cards["agency"][0].words, cards["trustee"][0].words, cards["trustee"][2].words]


def root_of(people: People) -> bytes:
    return combine([read_card(words) for words in people.cards.values()])


def opens(places: Places, root: bytes) -> list[str]:
    """The compartments whose database opens with the key that `root` gives."""
    return [
        compartment
        for compartment in COMPARTMENTS
        if rotation._opens(places.home.database(compartment), keys.compartment_key(root, compartment))
    ]


def test_new_cards_for_the_same_secret(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    before = public_record.load(places)
    people = People([*three(cards), "yes"])
    after = rotation.new_cards(places, people, Paper(None), Scheme())
    assert root_of(people) == combine([*cards["agency"], *cards["trustee"]])
    assert after == public_record.load(places)
    assert (after.custody_key, after.recipient) == (before.custody_key, before.recipient)
    assert after.retired == [before.set_number]
    assert after.state == "held"
    assert [after.group(name).holders for name in GROUPS] == [HOLDERS[name] for name in GROUPS]
    with pytest.raises(CardError, match="replaced by a newer"):
        require_current(cards["agency"][0], after)
    for words in people.cards.values():
        require_current(read_card(words), after)


def test_interrupted_the_old_cards_stay(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    before = places.record.read_bytes()
    whole = People([*three(cards), "yes"])
    rotation.new_cards(places, whole, Paper(None), Scheme())
    assert places.record.read_bytes() != before, "the positive control"
    places.record.write_bytes(before)
    for number in range(1, len(whole.asked) + 1):
        with pytest.raises(KeyboardInterrupt):
            rotation.new_cards(places, People([*three(cards), "yes"], stop_at=number), Paper(None), Scheme())
        assert places.record.read_bytes() == before


def test_one_side_makes_no_new_cards(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    before = places.record.read_bytes()
    for few in ([card.words for card in cards["trustee"]], [cards["agency"][0].words]):
        with pytest.raises(WardwellError, match="not enough cards"):
            rotation.new_cards(places, People([*few, ""]), Paper(None), Scheme())
        with pytest.raises(WardwellError, match="not enough cards"):
            rotation.new_root(places, machine, People([*few, ""]), Paper(None), Scheme())
    assert places.record.read_bytes() == before


def test_a_new_root_secret_changes_every_key(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    old = combine([*cards["agency"], *cards["trustee"]])
    assert opens(places, old) == list(COMPARTMENTS)
    before = public_record.load(places)
    people = People([*three(cards), "yes"])
    after = rotation.new_root(places, machine, people, Paper(None), Scheme())
    new = root_of(people)
    assert new != old
    assert opens(places, old) == []
    assert opens(places, new) == list(COMPARTMENTS)
    assert machine.fits(after.device, keys.disk_key(new))
    assert not machine.fits(after.device, keys.disk_key(old))
    assert after.next is None
    assert after.custody_key != before.custody_key
    assert places.recipient.read_text().strip() == keys.backup_recipient(new)
    assert (places.keys / "desk").read_text() == keys.compartment_key(new, "desk")
    assert machine.running
    with pytest.raises(Refused):
        opening.require_right(after, old)


@pytest.mark.parametrize("step", ["stop", "add_key", "remove_key", "lay_out"])
def test_interrupted_a_new_root_secret_goes_on(
    places: Places, machine: Files, cards: dict[str, list[Card]], step: str
) -> None:
    first = People([*three(cards), "yes"])
    machine.fail_at = step
    with pytest.raises(WardwellError, match=step):
        rotation.new_root(places, machine, first, Paper(None), Scheme())
    machine.fail_at = ""
    new = list(first.cards.values())
    record = public_record.load(places)
    if step == "lay_out":
        assert record.next is None, "every key was changed; what is left is unsealing with the new cards"
        opening.unseal(places, machine, record, root_of(first), lambda _: None)
    else:
        assert record.next is not None
        with pytest.raises(Refused, match="interrupted"):
            rotation.new_cards(places, People([]), Paper(None), Scheme())
        again = People([*three(cards), new[0], new[3], new[4]])
        rotation.new_root(places, machine, again, Paper(None), Scheme())
    assert opens(places, root_of(first)) == list(COMPARTMENTS)
    assert places.unsealed.exists()


def test_a_database_is_under_one_key_after_a_power_cut(
    places: Places, store_of: Callable[[str], Store], home: Home
) -> None:
    path = home.database("intake")
    old, new = home.key("intake").read_text(), "ef" * 32
    store_of("intake").close()
    connection = sqlcipher3.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{old}'\"")
    connection.execute("CREATE TABLE weight (data BLOB)")
    connection.execute("BEGIN")
    for _ in range(3000):
        connection.execute("INSERT INTO weight VALUES (randomblob(4000))")
    connection.execute("COMMIT")
    connection.close()
    program = (
        "import sys; from pathlib import Path; from appliance.custody.rotation import rekey; print('go', flush=True); "
        "rekey(Path(sys.argv[1]), *sys.argv[2:])"
    )
    cut = 0
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        child = subprocess.Popen([sys.executable, "-c", program, str(path), old, new], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        pause(delay, "the moment of the kill")
        child.send_signal(signal.SIGKILL)
        cut += child.wait() == -signal.SIGKILL
        child.stdout.close()
        assert rotation._opens(path, old) != rotation._opens(path, new)
        if rotation._opens(path, new):
            old, new = new, old
    assert cut > 0, "the positive control: it was cut at least once"
    rotation.rekey(path, old, new)
    rotation.rekey(path, old, new)
    connection = sqlcipher3.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{new}'\"")
    assert connection.execute("SELECT count(*) FROM weight").fetchone()[0] == 3000
    assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
    connection.close()
    with pytest.raises(WardwellError, match="neither"):
        rotation.rekey(path, "00" * 32, "11" * 32)
