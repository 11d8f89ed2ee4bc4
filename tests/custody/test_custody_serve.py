"""Custody's process: counts and nothing more, cards forgotten in time, wrong ones refused, opening and sealing."""

from __future__ import annotations

import logging
import socket
from typing import Any

import msgspec
import pytest

from appliance.custody import keys, opening, public_record
from appliance.custody.offers import KEEP_SECONDS, WRONG_PER_MINUTE
from appliance.custody.public_record import Places
from appliance.custody.serve import Request, ask
from appliance.custody.shares import Card, Scheme, combine, split
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS
from tests.custody.support import Files, hold, serving
from tests.support.waiting import until


@pytest.fixture
def cards(places: Places, machine: Files) -> dict[str, list[Card]]:
    """A ceremony was held, and the appliance was sealed again."""
    made = hold(places, machine)
    opening.seal(places, machine, public_record.load(places), lambda _: None)
    machine.steps.clear()
    return made


def offer(places: Places, card: Card) -> dict[str, Any]:
    return ask(places, Request("offer", card.words))


def counts(answer: dict[str, Any]) -> list[int]:
    return [group["offered"] for group in answer["groups"]]


def test_sealing_takes_everything_away(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    assert not places.unsealed.exists()
    assert list(places.keys.iterdir()) == []
    assert (machine.mounted, machine.running, machine.is_open()) == (False, False, False)


def test_cards_from_both_sides_open_and_the_process_ends(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    with serving(places, machine) as server:
        ended = []
        server.keeper._opened = lambda: ended.append(True)
        assert ask(places, Request("status"))["state"] == "sealed"
        assert counts(offer(places, cards["agency"][0])) == [1, 0]
        assert counts(offer(places, cards["agency"][0])) == [1, 0], "a copy counts once"
        assert counts(offer(places, cards["trustee"][2])) == [1, 1]
        assert not places.unsealed.exists()
        assert offer(places, cards["trustee"][0])["state"] in ("opening", "unsealed")
        until(lambda: bool(ended))
        answer = ask(places, Request("status"))
        assert answer["state"] == "unsealed"
        assert counts(answer) == [0, 0]
        refused = offer(places, cards["agency"][0])
        assert (refused["ok"], "not sealed" in refused["message"]) == (False, True)
    assert machine.steps == ["open", "mount", "lay_out", "start"]
    root = combine([cards["agency"][0], *cards["trustee"][:2]])
    assert {name: (places.keys / name).read_text() for name in COMPARTMENTS} == {
        name: keys.compartment_key(root, name) for name in COMPARTMENTS
    }


def test_after_opening_the_process_ends_by_itself(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    with serving(places, machine) as server:
        ended = server._BaseServer__is_shut_down  # type: ignore[attr-defined]
        for card in (cards["agency"][0], *cards["trustee"][:2]):
            offer(places, card)
        assert ended.wait(10)


def test_one_side_never_opens(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    with serving(places, machine):
        for card in cards["trustee"]:
            answer = offer(places, card)
        assert answer["state"] == "sealed"
        assert counts(answer) == [0, 3]
    assert machine.steps == []


def test_a_card_is_forgotten_after_a_quarter_of_an_hour(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    moment = [1000.0]
    with serving(places, machine, lambda: moment[0]):
        offer(places, cards["agency"][0])
        moment[0] += KEEP_SECONDS - 1
        answer = offer(places, cards["trustee"][0])
        assert (counts(answer), answer["minutes_left"]) == ([1, 1], 1)
        moment[0] += 2
        answer = offer(places, cards["trustee"][1])
        assert (counts(answer), answer["state"]) == ([0, 2], "sealed")
        assert ask(places, Request("forget"))["minutes_left"] == 0
    assert machine.steps == []


def test_wrong_cards_are_refused_by_reason_and_count_for_nothing(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    foreign = split(bytes(32), Scheme())
    record = public_record.load(places)
    root = combine([cards["agency"][0], *cards["trustee"][:2]])
    older = split(root, Scheme())["agency"][0]
    public_record.save(places, msgspec.structs.replace(record, retired=[older.set_number]))
    with serving(places, machine):
        for words, reason in (
            ("hello", "not a word"),
            ("academic acid", "33 words"),
            (foreign["agency"][0].words, "not made for this appliance"),
            (older.words, "replaced by a newer one"),
        ):
            answer = ask(places, Request("offer", words))
            assert not answer["ok"]
            assert reason in answer["message"]
            assert counts(answer) == [0, 0]
        assert counts(offer(places, cards["agency"][0])) == [1, 0]


def test_a_card_of_the_right_set_that_somebody_made_up_is_refused(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    # Right set number and checksum, other value: without check values it would spoil the opening for everybody.
    from shamir_mnemonic.share import Share

    real = Share.from_mnemonic(cards["trustee"][0].words)
    false = Share(*(*(getattr(real, name) for name in list(real.__dataclass_fields__)[:-1]), bytes(32)))
    with serving(places, machine):
        answer = ask(places, Request("offer", false.mnemonic()))
        assert "not made for this appliance" in answer["message"]
        assert counts(offer(places, cards["trustee"][0])) == [0, 1]


def test_many_wrong_cards_make_it_wait(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    moment = [0.0]
    with serving(places, machine, lambda: moment[0]):
        for _ in range(WRONG_PER_MINUTE):
            assert "Too many" not in ask(places, Request("offer", "hello"))["message"]
        assert "Too many" in offer(places, cards["agency"][0])["message"]
        moment[0] += 61
        assert counts(offer(places, cards["agency"][0])) == [1, 0]


def test_a_failed_opening_takes_back_what_it_opened_and_says_why(
    places: Places, machine: Files, cards: dict[str, list[Card]]
) -> None:
    machine.fail_at = "lay_out"
    with serving(places, machine):
        for card in (cards["agency"][0], *cards["trustee"][:2]):
            offer(places, card)
        until(lambda: bool(ask(places, Request("status"))["problem"]))
        answer = ask(places, Request("status"))
        assert (answer["state"], counts(answer)) == ("sealed", [0, 0])
        assert answer["problem"] == "`lay_out` failed."
        assert (machine.mounted, machine.is_open(), places.unsealed.exists()) == (False, False, False)
        machine.fail_at = ""
        for card in (cards["agency"][0], *cards["trustee"][:2]):
            offer(places, card)
        until(places.unsealed.exists)


def test_cards_of_another_appliance_open_nothing(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    with pytest.raises(Refused, match="another appliance"):
        opening.unseal(places, machine, public_record.load(places), bytes(32), lambda _: None)
    assert machine.steps == []


def test_no_word_of_a_card_is_logged_or_answered(
    places: Places,
    machine: Files,
    cards: dict[str, list[Card]],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with serving(places, machine):
        for card in (cards["agency"][0], cards["trustee"][0]):
            shown.append(str(offer(places, card)))
            shown.append(str(ask(places, Request("offer", card.words + " more"))))
    captured = capfd.readouterr()
    everything = " ".join([*shown, caplog.text, captured.out, captured.err])
    assert "a card was taken" in everything, "the positive control: what is logged is looked at"
    # Three words in a row: single ones are ordinary English.
    words = [card.words.split() for card in (cards["agency"][0], cards["trustee"][0])]
    assert not [
        one for card in words for one in zip(card, card[1:], card[2:], strict=False) if " ".join(one) in everything
    ]


def test_lines_that_are_no_request_harm_nobody(places: Places, machine: Files, cards: dict[str, list[Card]]) -> None:
    with serving(places, machine):
        for line in (b"\n", b"{}\n", b"x" * 10_000 + b"\n", b'{"do": "offer", "extra": 1}\n', b'{"do": "open"}\n'):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(places.socket))
                connection.sendall(line)
                assert b'"ok":false' in connection.makefile("rb").readline()
        assert ask(places, Request("status"))["ok"]
        assert places.socket.stat().st_mode & 0o777 == 0o660


def test_without_the_process_the_fix_is_named(places: Places) -> None:
    with pytest.raises(WardwellError, match="does not answer") as caught:
        ask(places, Request("status"))
    assert "wardwell-custody" in caught.value.fix
