"""The ceremony: the root secret is made, put on cards, every card is asked back, the data volume is made.

Owns: the order of the ceremony, and that it may be interrupted anywhere. Must never see: a disk with a card on it.

Until every card was read back, nothing is written at all; interrupted there, the next ceremony begins afresh and the
cards made so far open nothing. Then `custody.json` says "preparing" until the appliance was opened once; interrupted
there, the next ceremony asks for the cards and goes on. A device that holds anything is never overwritten.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from appliance import clock
from appliance.custody import keys, opening, public_record
from appliance.custody.machine import Machine
from appliance.custody.offers import require_current
from appliance.custody.paper import Labels, Paper, as_text
from appliance.custody.public_record import GROUP_NAMES, LEAST_HOLDERS, Group, Holder, Places, PublicRecord
from appliance.custody.shares import GROUPS, Card, CardError, Scheme, combine, read_card, split, still_missing
from appliance.errors import Refused, WardwellError
from appliance.settings import COMPARTMENTS


class Console(Protocol):
    """The screen and the keyboard of the people in the room."""

    def say(self, text: str) -> None:
        """Show a line."""

    def ask(self, question: str) -> str:
        """Ask for a line."""

    def clear(self) -> None:
        """Empty the screen, what was scrolled away included."""


@dataclass(frozen=True)
class Plan:
    """How the cards are made, and who gets them: by group, one list of holders in the order of their cards."""

    scheme: Scheme
    holders: dict[str, list[Holder]]


def hold(
    places: Places,
    machine: Machine,
    console: Console,
    paper: Paper,
    scheme: Scheme,
    *,
    afresh: bool = False,
    present_cards: bool = False,
) -> None:
    """Hold the ceremony, or go on with one that was interrupted. Leaves the appliance unsealed.

    `afresh` gives up an interrupted one whose cards are lost. With `present_cards` the root secret is the one of cards
    that exist (a new machine, whose backup they open), and new cards are made for it. Raises Refused when there is
    something to lose.
    """
    record = public_record.load_if_there(places)
    if record is not None and record.state == "held":
        raise Refused("The ceremony has already been held.", "For new cards: `wardwell custody rotate`.")
    if record is not None and not afresh:
        console.say("A ceremony was interrupted after its cards were made. It goes on with those cards.")
        finish(places, machine, record, collect(console, record), console.say)
        return
    require_nothing_to_lose(places, machine)
    if present_cards:
        console.say("First type the present cards of both sides.")
    root = _from_present_cards(console) if present_cards else secrets.token_bytes(keys.ROOT_BYTES)
    plan = Plan(scheme, {group: ask_holders(console, group, scheme) for group in GROUPS})
    made = split(root, scheme)
    hand_out(console, paper, made, plan, places.home.settings().agency)
    record = new_record(root, made, plan, places.home.settings().disk.device)
    public_record.save(places, record)
    finish(places, machine, record, root, console.say)


def hold_by_program(places: Places, machine: Machine, holders: dict[str, list[Holder]], scheme: Scheme) -> list[Card]:
    """The same without people, for demonstrations and tests: the cards are given back instead of being shown."""
    if public_record.load_if_there(places) is not None:
        raise Refused("A ceremony has already been held or begun.", "For new cards: `wardwell custody rotate`.")
    require_nothing_to_lose(places, machine)
    root = secrets.token_bytes(keys.ROOT_BYTES)
    made = split(root, scheme)
    record = new_record(root, made, Plan(scheme, holders), places.home.settings().disk.device, ceremony=False)
    public_record.save(places, record)
    finish(places, machine, record, root, lambda _: None)
    return [card for group in GROUPS for card in made[group]]


def require_nothing_to_lose(places: Places, machine: Machine) -> None:
    """Refuse before anything is made when the volume is not blank or the folder holds databases. Raises Refused."""
    settings = places.home.settings()
    if settings.custody != "shares":
        raise Refused('custody = "file" has no cards.', 'Set custody = "shares" in wardwell.toml.')
    if settings.disk.device:
        if machine.contents(settings.disk.device) != "":
            raise opening.holds_something(settings.disk.device)
        return
    held = [name for name in COMPARTMENTS if places.home.database(name).exists()]
    if held:
        raise Refused(
            f"There are databases already under {places.home.root}.", "Move them away, or use the cards made for them."
        )


def finish(places: Places, machine: Machine, record: PublicRecord, root: bytes, say: opening.Say) -> None:
    """Make the volume where it is not there yet, open the appliance, and set down that the ceremony was held."""
    opening.require_right(record, root)
    opening.prepare_volume(places, machine, record.device, root, say)
    opening.unseal(places, machine, record, root, say)
    public_record.save(places, msgspec.structs.replace(record, state="held"))


def new_record(
    root: bytes,
    made: dict[str, list[Card]],
    plan: Plan,
    device: str,
    *,
    ceremony: bool = True,
    retired: Sequence[int] = (),
) -> PublicRecord:
    """What is public about the new set `made`; state "preparing"."""
    groups = [
        Group(name, plan.scheme.of(name)[0], [card.check for card in made[name]], plan.holders[name]) for name in GROUPS
    ]
    return PublicRecord(
        state="preparing",
        made_at=clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        set_number=made["agency"][0].set_number,
        groups=groups,
        custody_key=str(keys.custody_signer(root).verifier),
        recipient=keys.backup_recipient(root),
        device=device,
        ceremony=ceremony,
        retired=list(retired),
    )


def hand_out(console: Console, paper: Paper, made: dict[str, list[Card]], plan: Plan, agency: str) -> None:
    """Show each holder their card, one at a time, and ask every one of them back."""
    today = clock.now().date().isoformat()
    pieces = [(holder, made[group][holder.card - 1]) for group in GROUPS for holder in plan.holders[group]]
    for number, (holder, card) in enumerate(pieces, start=1):
        title = f"card {number} of {len(pieces)}, for {holder.name} ({GROUP_NAMES[card.group]})"
        console.clear()
        console.ask(f"Next: {title}. Everybody else looks away. Press Enter to show it.")
        labels = Labels(agency, holder.name, len(made[card.group]), today)
        with paper.put(card, labels) as where:
            console.clear()
            try:
                console.say(as_text(card, labels))
                console.ask(f"{where} Then press Enter to clear the screen.")
            finally:  # also when somebody stops it here
                console.clear()
    console.say("Now type every card back, to check that it was copied correctly.")
    for holder, card in pieces:
        while True:
            text = console.ask(f"{holder.name}: the words of your card (four letters of each are enough)")
            console.clear()
            try:
                right = read_card(text) == card
            except CardError as error:
                console.say(str(error))
                continue
            if right:
                console.say(f"Correct: {GROUP_NAMES[card.group]}, card {card.number}.")
                break
            console.say("That is another card. Type the one that was shown to you.")


def collect(console: Console, record: PublicRecord) -> bytes:
    """The root secret from cards that their holders type, one after the other.

    Raises WardwellError when somebody stops it, CardError when the cards do not fit together.
    """
    return _collect(console, lambda card: require_current(card, record))


def _from_present_cards(console: Console) -> bytes:
    """The same on a machine that knows none of the cards; they have to be of one set."""
    first: list[int] = []

    def of_one_set(card: Card) -> None:
        first.append(card.set_number)
        if card.set_number != first[0]:
            raise CardError("That card belongs to a different set than the first one.", "Use cards of the newest set.")

    return _collect(console, of_one_set)


def _collect(console: Console, require: Callable[[Card], None]) -> bytes:
    cards: list[Card] = []
    while still_missing(cards):
        have = ", ".join(
            f"{GROUP_NAMES[group]} {len({card.number for card in cards if card.group == group})}" for group in GROUPS
        )
        text = console.ask(f"Cards so far: {have}. The words of one more card (empty to stop)")
        console.clear()
        if not text.strip():
            raise WardwellError("There are not enough cards, so nothing was done.", "Call another holder.")
        try:
            card = read_card(text)
            require(card)
        except CardError as error:
            console.say(str(error))
            continue
        cards.append(card)
    return combine(cards)


def ask_holders(console: Console, group: str, scheme: Scheme) -> list[Holder]:
    """Ask who holds the cards of `group`: at least three people, who can be called."""
    threshold, cards = scheme.of(group)
    least = max(LEAST_HOLDERS, cards)
    console.say(f"{GROUP_NAMES[group]}: at least {least} holders.")
    if cards == 1:
        console.say("Each of them gets a copy of the same card.")
    else:
        console.say(f"Each of them gets a card of their own; any {threshold} of the {cards} are enough.")
    holders: list[Holder] = []
    while len(holders) < least or (cards == 1 and len(holders) < 9):
        number = len(holders) + 1
        more = " (empty when there are no more)" if len(holders) >= least else ""
        name = console.ask(f"Holder {number}: name{more}").strip()
        if not name:
            if len(holders) >= least:
                break
            continue
        place = console.ask(f"Holder {number}: workstation or office").strip()
        telephone = console.ask(f"Holder {number}: telephone").strip()
        holders.append(Holder(name, place, telephone, 1 if cards == 1 else number))
    return holders
