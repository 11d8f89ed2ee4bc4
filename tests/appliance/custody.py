"""The people who hold custody cards, at the ceremony and when the appliance has to be opened.

They read their cards from the screen and type them, as the handbook says; nothing is taken from a file or a program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.appliance.ssh import Shell
from tests.appliance.terminal import Terminal

HOLDERS = {
    "agency": ["Robin Ash", "Kim Birch", "Lee Cedar"],
    "trustee": ["Sam Fir", "Alex Oak", "Pat Yew"],
}


@dataclass
class Cards:
    """Holder -> the words of their card."""

    words: dict[str, str] = field(default_factory=dict)

    def enough(self) -> list[str]:
        """One agency card and two of the trustee's."""
        return [self.words[name] for name in (HOLDERS["agency"][1], *HOLDERS["trustee"][1:])]


def hold_ceremony(shell: Shell, present: Cards | None = None) -> Cards:
    """The whole ceremony at the console; leaves the appliance unsealed. `present`: the cards of another machine."""
    cards = Cards()
    with Terminal(shell, f"wardwell custody ceremony{' --present-cards' if present else ''}") as console:
        for words in present.enough() if present else []:
            console.expect("The words of one more card.*: ")
            console.type(words)
        for names in HOLDERS.values():
            for name in names:
                console.expect(r"Holder \d: name.*: ")
                console.type(name)
                console.expect("workstation or office: ")
                console.type("Room 4")
                console.expect("telephone: ")
                console.type("555-0100")
            if names is HOLDERS["agency"]:
                console.expect(r"Holder 4: name.*: ")
                console.type("")
        for _ in range(6):
            name = console.expect(r"card \d of 6, for ([A-Za-z ]+) \(").group(1)
            console.expect("Press Enter to show it.*: ")
            console.type("")
            shown = console.shown[:]
            console.expect("press Enter to clear the screen.*: ", "clear the screen.*: ")
            cards.words[name] = _words_in_order(console.shown[len(shown) :])
            console.type("")
        for _ in range(6):
            name = console.expect(r"([A-Z][a-z]+ [A-Z][a-z]+): the words of your card.*: ").group(1)
            console.type(cards.words[name])
            console.expect("Correct: ")
        console.expect("The ceremony is held", timeout=400)
        status = console.end()
    assert status == 0, console.shown[-2000:]
    return cards


def _words_in_order(shown: str) -> str:
    numbered = {int(number): word for number, word in re.findall(r"(\d+)\. ([a-z]+)", shown)}
    return " ".join(numbered[number] for number in sorted(numbered))


def unseal(shell: Shell, cards: list[str], timeout: float = 300) -> None:
    """Holders type their cards at the console until it is open."""
    with Terminal(shell, "wardwell custody unseal") as console:
        for words in cards:
            if console.expect("The words of one card.*: ", "Unsealed", timeout=timeout).group() == "Unsealed":
                break
            console.type(words)
        status = console.end(timeout)
    assert status == 0, console.shown[-2000:]
