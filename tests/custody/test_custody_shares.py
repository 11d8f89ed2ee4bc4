"""Cards: published SLIP-39 vectors, both groups needed, wrong and foreign cards refused, keys as documented."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import subprocess

import pytest
import shamir_mnemonic

from appliance.custody import keys
from appliance.custody.shares import GROUPS, Card, CardError, Scheme, combine, read_card, split, still_missing

ROOT = bytes(range(32))

# From the vectors published with SLIP-0039 (passphrase "TREZOR"), 256-bit ones: mnemonics and the secret in hex.
SINGLE = (
    "theory painting academic academic armed sweater year military elder discuss acne wildlife boring employer fused "
    "large satoshi bundle carbon diagnose anatomy hamster leaves tracks paces beyond phantom capital marvel lips brave "
    "detect luck",
    "989baf9dcaad5b10ca33dfd8cc75e42477025dce88ae83e75a230086a0e00e92",
)
TWO_OF_THREE = (
    (
        "humidity disease academic always aluminum jewelry energy woman receiver strategy amuse duckling "
        "lying evidence network walnut tactics forget hairy rebound impulse brother survive clothes stadium "
        "mailman rival ocean reward venture always armed unwrap",
        "humidity disease academic agency actress jacket gross physics cylinder solution fake mortgage "
        "benefit public busy prepare sharp friar change work slow purchase ruler again tricycle involve viral "
        "wireless mixture anatomy desert cargo upgrade",
    ),
    "c938b319067687e990e05e0da0ecce1278f75ff58d9853f19dcaeed5de104aae",
)
GROUPS_OF_CARDS = (
    (
        "wildlife deal decision scared acne fatal snake paces obtain election dryer dominant romp tactics "
        "railroad marvel trust helpful flip peanut theory theater photo luck install entrance taxi step oven "
        "network dictate intimate listen",
        "wildlife deal beard romp alcohol space mild usual clothes union nuclear testify course research heat "
        "listen task location thank hospital slice smell failure fawn helpful priest ambition average recover "
        "lecture process dough stadium",
        "wildlife deal decision smug ancestor genuine move huge cubic strategy smell game costume extend "
        "swimming false desire fake traffic vegan senior twice timber submit leader payroll fraction apart "
        "exact forward pulse tidy install",
    ),
    "5385577c8cfc6c1a8aa0f7f10ecde0a3318493262591e78b8c14c6686167123b",
)


@pytest.fixture
def cards() -> dict[str, list[Card]]:
    return split(ROOT, Scheme())


def test_the_library_gives_the_published_secrets() -> None:
    assert shamir_mnemonic.combine_mnemonics([SINGLE[0]], b"TREZOR").hex() == SINGLE[1]
    for mnemonics, secret in (TWO_OF_THREE, GROUPS_OF_CARDS):
        assert shamir_mnemonic.combine_mnemonics(mnemonics, b"TREZOR").hex() == secret
        with pytest.raises(shamir_mnemonic.MnemonicError):
            shamir_mnemonic.combine_mnemonics(mnemonics[:1], b"TREZOR")
    altered = SINGLE[0].replace("brave", "brace")
    with pytest.raises(shamir_mnemonic.MnemonicError):
        shamir_mnemonic.combine_mnemonics([altered], b"TREZOR")


def test_the_agencys_card_and_any_two_of_the_trustees_open(cards: dict[str, list[Card]]) -> None:
    assert [len(cards[group]) for group in GROUPS] == [1, 3]
    for pair in itertools.combinations(cards["trustee"], 2):
        assert combine([*cards["agency"], *pair]) == ROOT
    assert combine([*cards["agency"], *cards["trustee"]]) == ROOT, "more cards than needed are let be"
    assert combine([cards["agency"][0], *cards["agency"], *cards["trustee"][:2]]) == ROOT, "a copy counts once"


def test_neither_side_opens_alone(cards: dict[str, list[Card]]) -> None:
    for few in (cards["agency"], cards["trustee"], [cards["agency"][0], cards["trustee"][0]], []):
        assert still_missing(few)
        with pytest.raises(CardError, match="not enough"):
            combine(few)
    assert not still_missing([cards["agency"][0], *cards["trustee"][:2]])


def test_one_card_a_side_where_two_people_shall_be_enough() -> None:
    made = split(ROOT, Scheme(trustee=(1, 1)))
    assert combine([made["agency"][0], made["trustee"][0]]) == ROOT
    with pytest.raises(CardError):
        combine(made["trustee"])


def test_a_new_set_is_for_the_same_secret_and_does_not_mix_with_the_old(cards: dict[str, list[Card]]) -> None:
    other = split(ROOT, Scheme())
    assert combine([*other["agency"], *other["trustee"]]) == ROOT
    assert {card.words for group in GROUPS for card in cards[group]}.isdisjoint(
        card.words for group in GROUPS for card in other[group]
    )
    with pytest.raises(CardError, match="different sets"):
        combine([*cards["agency"], *other["trustee"]])


def test_a_card_is_read_as_people_type_it(cards: dict[str, list[Card]]) -> None:
    card = cards["trustee"][1]
    words = card.words.split()
    numbered = "\n".join(f"{place:>2}. {word.upper()}" for place, word in enumerate(words, start=1))
    short = ", ".join(word[:4] for word in words)
    assert read_card(numbered) == read_card(short) == card
    assert (card.group, card.number, card.threshold) == ("trustee", 2, 2)


def test_a_misread_card_is_refused_and_no_word_is_repeated(cards: dict[str, list[Card]]) -> None:
    words = cards["agency"][0].words.split()
    # One word of the list for another; two neighbours may happen to be the same word.
    swapped = [*words[:-1], "academic" if words[-1] != "academic" else "acid"]
    strange = [*words[:6], "zzzz", *words[7:]]
    longer = [*words[:6], f"{words[6]}x", *words[7:]]
    for text, expected in (
        (swapped, "checksum"),
        (words[:-1], "33 words"),
        ([], "33 words"),
        (strange, "Word 7"),
        (longer, "Word 7"),
        (SINGLE[0].split(), "does not belong"),
    ):
        with pytest.raises(CardError, match=expected) as caught:
            read_card(" ".join(text))
        shown = str(caught.value).lower().replace("word", "")
        assert not [word for word in words if len(word) > 5 and word in shown.split()]
    assert read_card(" ".join(words)) == cards["agency"][0], "the positive control: unaltered, it is taken"


def test_a_cards_words_do_not_show_in_its_representation(cards: dict[str, list[Card]]) -> None:
    for card in (card for group in GROUPS for card in cards[group]):
        assert not any(word in repr(card).split() for word in card.words.split() if word not in GROUPS)
        assert card.check != read_card(split(ROOT, Scheme())[card.group][0].words).check


def test_every_key_is_hkdf_of_the_root_secret_under_its_own_name() -> None:
    def hkdf(purpose: str) -> bytes:
        # RFC 5869 by hand: extract with a salt of zeros, then one block of expand.
        extracted = hmac.digest(bytes(32), ROOT, hashlib.sha256)
        return hmac.digest(extracted, f"wardwell/v1/{purpose}".encode() + b"\x01", hashlib.sha256)

    assert keys.disk_key(ROOT) == hkdf("disk").hex()
    assert keys.compartment_key(ROOT, "desk") == hkdf("db/desk").hex()
    assert keys.custody_signer(ROOT).private.private_bytes_raw() == hkdf("custody")
    made = [keys.disk_key(ROOT), *(keys.compartment_key(ROOT, name) for name in ("desk", "post", "intake"))]
    assert len(set(made)) == len(made)


def test_the_stock_age_tool_takes_the_backup_key() -> None:
    root = secrets.token_bytes(32)
    identity, recipient = keys.backup_identity(root), keys.backup_recipient(root)
    shown = subprocess.run(["age-keygen", "-y"], input=f"{identity}\n", capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == recipient
    assert keys.backup_recipient(secrets.token_bytes(32)) != recipient
