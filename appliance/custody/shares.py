"""The root secret as cards: SLIP-39 shares in two groups, the agency's and the officers' trustee's.

Owns: the making, reading and combining of cards. Must never see: a file, a screen, a name. Nothing here keeps a card.

A card is one SLIP-39 mnemonic of 33 words over the 32-byte root secret. Both groups are needed; within a group, as many
cards as its threshold says. SLIP-39 forbids several cards where one is enough (1-of-3), so the agency's holders carry
copies of one card. Source: SLIP-0039, by its reference implementation `shamir-mnemonic`; no passphrase is used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.share import Share
from shamir_mnemonic.wordlist import WORDLIST

from appliance.custody.keys import ROOT_BYTES
from appliance.errors import WardwellError

GROUPS = ("agency", "trustee")
CARD_WORDS = 33
PREFIX_LETTERS = 4
_SAME_CEREMONY = "Use cards that were made at the same ceremony."
# SLIP-39 words differ within their first four letters.
_BY_PREFIX = {word[:PREFIX_LETTERS]: word for word in WORDLIST}


class CardError(WardwellError):
    """A card is not taken: misread, or of another set. The message repeats no word of it."""


@dataclass(frozen=True)
class Scheme:
    """How many cards each group has and how many of them it takes; 1 of 1 is one card, copied to every holder."""

    agency: tuple[int, int] = (1, 1)
    trustee: tuple[int, int] = (2, 3)

    def of(self, group: str) -> tuple[int, int]:
        """(threshold, cards) of `group`."""
        group_scheme: tuple[int, int] = getattr(self, group)
        return group_scheme


@dataclass(frozen=True)
class Card:
    """One card as it was read. Its words are secret: `repr` shows none of them."""

    words: str
    set_number: int
    group: str
    number: int
    threshold: int

    def __repr__(self) -> str:
        return f"Card({self.group} {self.number}, set {self.set_number}, <secret>)"

    @property
    def check(self) -> str:
        """A value that tells this card from any other and nothing about it: a card carries 256 random bits."""
        return hashlib.sha256(b"wardwell/v1/card " + self.words.encode()).hexdigest()[:32]


def split(root: bytes, scheme: Scheme) -> dict[str, list[Card]]:
    """A new set of cards for the 32-byte `root`, by group. Splitting again gives other cards for the same secret."""
    if len(root) != ROOT_BYTES:
        raise ValueError("the root secret is 32 bytes")
    made = generate_mnemonics(len(GROUPS), [scheme.of(group) for group in GROUPS], root)
    return {group: [read_card(words) for words in cards] for group, cards in zip(GROUPS, made, strict=True)}


def read_card(text: str) -> Card:
    """Read the words of one card; the first four letters of a word are enough. Numbers between words are skipped.

    Raises CardError that says which word is wrong by its place, or that the card as a whole was misread.
    """
    given = re.findall(r"[a-z]+", text.lower())
    words = []
    for place, word in enumerate(given, start=1):
        known = _BY_PREFIX.get(word[:PREFIX_LETTERS])
        if known is None or not known.startswith(word):
            raise CardError(f"Word {place} is not a word of these cards.", "Compare it with the card, and type again.")
        words.append(known)
    if len(words) != CARD_WORDS:
        raise CardError(f"A card has {CARD_WORDS} words; {len(words)} were given.", "Type every word of one card.")
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        raise CardError(
            "The words are not those of a card: its checksum does not fit.",
            "Compare each word and their order with the card, and type again.",
        ) from None
    if share.group_count != len(GROUPS) or share.group_threshold != len(GROUPS):
        raise CardError("That card does not belong to a Wardwell appliance.", "Look for the right card.")
    return Card(
        words=share.mnemonic(),
        set_number=share.identifier,
        group=GROUPS[share.group_index],
        number=share.index + 1,
        threshold=share.member_threshold,
    )


def still_missing(cards: Iterable[Card]) -> bool:
    """Whether these cards, all of one set, are not enough yet."""
    have: dict[str, set[int]] = {group: set() for group in GROUPS}
    needed: dict[str, int] = {}
    for card in cards:
        have[card.group].add(card.number)
        needed[card.group] = card.threshold
    return any(len(have[group]) < needed.get(group, 1) for group in GROUPS)


def combine(cards: Iterable[Card]) -> bytes:
    """The root secret from enough cards of one set; more than enough are let be. Raises CardError."""
    chosen: dict[tuple[str, int], Card] = {}
    taken: dict[str, int] = {}
    for card in cards:
        if (card.group, card.number) in chosen or taken.get(card.group, 0) >= card.threshold:
            continue
        chosen[card.group, card.number] = card
        taken[card.group] = taken.get(card.group, 0) + 1
    if len({card.set_number for card in chosen.values()}) > 1:
        raise CardError("These cards belong to different sets.", _SAME_CEREMONY)
    if still_missing(chosen.values()):
        raise CardError("There are not enough cards.", "Both groups are needed, each with as many cards as it says.")
    try:
        root: bytes = combine_mnemonics(card.words for card in chosen.values())
    except MnemonicError:
        raise CardError(
            "These cards do not belong together.", "Use cards that were made at the same ceremony."
        ) from None
    if len(root) != ROOT_BYTES:
        raise CardError("These cards do not hold a root secret.", "Look for the right cards.")
    return root
