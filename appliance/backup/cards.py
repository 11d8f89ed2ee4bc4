"""Asking for custody's cards at a console, for a restore or the check of one.

Owns: the question. Must never see: anything but cards; the root secret is handed back and not kept.
"""

from __future__ import annotations

import sys

import click

from appliance.custody.shares import Card, CardError, combine, read_card, still_missing


def ask() -> bytes:
    """The root secret from as many cards as it takes, typed one after the other and not shown. Raises CardError."""
    cards: list[Card] = []
    while still_missing(cards) if cards else True:
        text = click.prompt(f"Card {len(cards) + 1} (words are not shown)", hide_input=True, err=True)
        try:
            card = read_card(text)
        except CardError as error:
            click.echo(f"{error.message} {error.fix}", err=True)
            continue
        if cards and card.set_number != cards[0].set_number:
            click.echo("That card belongs to a different set. Use cards that were made at the same ceremony.", err=True)
            continue
        cards.append(card)
        click.echo(f"taken: {card.group}, card {card.number}", err=True)
    return combine(cards)


def from_stdin() -> bytes:
    """The root secret from cards on standard input, one a line. Raises CardError."""
    return combine([read_card(line) for line in sys.stdin.read().splitlines() if line.strip()])
