"""`wardwell custody`: the ceremony, unsealing and sealing, and how custody stands.

Owns: these commands' words, and the terminal that cards are shown on. Must never see: a card after its screen was
cleared.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click
import msgspec

from appliance.custody import ceremony as ceremonies
from appliance.custody import opening, problems, public_record
from appliance.custody.machine import Machine
from appliance.custody.offers import require_current
from appliance.custody.paper import Paper
from appliance.custody.public_record import GROUP_NAMES, Holder, Places, PublicRecord
from appliance.custody.serve import Request, ask
from appliance.custody.serve import serve as serve_custody
from appliance.custody.shares import GROUPS, CardError, Scheme, read_card
from appliance.errors import Refused, WardwellError
from appliance.settings import Home

OPENING_SECONDS = 180.0
TWO_PEOPLE = Scheme(trustee=(1, 1))


class Terminal:
    """The terminal of this machine. Echo stays on: people compare what they type with their card."""

    def say(self, text: str) -> None:
        click.echo(text)

    def ask(self, question: str) -> str:
        typed: str = click.prompt(question, default="", show_default=False)
        return typed

    def clear(self) -> None:
        # Erases what was scrolled away as well, which `click.clear` leaves.
        click.echo("\033[H\033[2J\033[3J", nl=False)


@click.group()
def custody() -> None:
    """Who can open this appliance: cards on paper, in the hands of two sides."""


@custody.command()
@click.option("--paper", type=click.Path(path_type=Path), help="A printer's device, or a folder in memory for PDFs.")
@click.option("--two-people", is_flag=True, help="One card a side, so two people are enough (default: 1 and 2 of 3).")
@click.option("--afresh", is_flag=True, help="Give up an interrupted ceremony whose cards are lost.")
@click.option("--present-cards", is_flag=True, help="A new machine whose backups the present cards open.")
@click.option("--stdin", "by_program", is_flag=True, help="For demonstrations: holders as JSON in, cards as JSON out.")
def ceremony(paper: Path | None, two_people: bool, afresh: bool, present_cards: bool, by_program: bool) -> None:
    """Make the root secret and its cards, and the encrypted volume. Leaves the appliance unsealed."""
    places, machine = _as_root()
    scheme = TWO_PEOPLE if two_people else Scheme()
    if by_program:
        cards = ceremonies.hold_by_program(places, machine, _holders_from_stdin(), scheme)
        by_group = {group: [card.words for card in cards if card.group == group] for group in GROUPS}
        click.echo(json.dumps({"cards": by_group}))
        return
    if not sys.stdin.isatty():
        raise click.UsageError("The ceremony needs a terminal.")
    ceremonies.hold(places, machine, Terminal(), Paper(paper), scheme, afresh=afresh, present_cards=present_cards)
    record = public_record.load(places)
    click.echo("The ceremony is held, and the appliance is unsealed. Both sides write down these two lines:")
    click.echo(f"  custody key  {record.custody_key}\n  backup key   {record.recipient}")


@custody.command()
@click.option("--stdin", "from_stdin", is_flag=True, help="One card a line, instead of asking.")
def unseal(from_stdin: bool) -> None:
    """Offer cards, and wait until the appliance is open."""
    places, _ = _as_root()
    record = public_record.load(places)
    if places.unsealed.exists():
        click.echo("The appliance is unsealed already.")
        return
    terminal = Terminal()
    for text in sys.stdin if from_stdin else iter(lambda: terminal.ask("The words of one card (empty to stop)"), ""):
        if not from_stdin:
            terminal.clear()
        status = ask(places, Request("offer", text))
        if status.get("state") in ("opening", "unsealed"):
            click.echo("Enough cards; opening ...")
            break
        click.echo(status["message"] + " " + status["fix"] if not status["ok"] else _progress(status))
        if not status["ok"] and from_stdin:
            sys.exit(1)
    _wait(places, record)


@custody.command()
def seal() -> None:
    """Stop everything, destroy the keys in memory, lock the volume."""
    places, machine = _as_root()
    opening.seal(places, machine, public_record.load(places), click.echo)
    click.echo("Sealed.")


@custody.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def status(as_json: bool) -> None:
    """Show the state, the scheme and whom to call. Exit code 1 when something about it is not in order."""
    places = Places.of(Home.find())
    record = public_record.load(places)
    status = problems.live(places)
    wrong = [f"{words}. {fix}" for words, fix in problems.list_problems(record, status)]
    if as_json:
        shown = {
            "ok": not wrong,
            "state": status.get("state", "unsealed" if places.unsealed.exists() else "sealed"),
            "volume": "luks2" if record.device else "folder",
            "made_at": record.made_at,
            "set": record.set_number,
            "ceremony": record.ceremony,
            "groups": [
                {"group": group.name, "needed": group.threshold, "cards": len(group.checks), "holders": group.holders}
                for group in record.groups
            ],
            "offered": status.get("groups", []),
            "custody_key": record.custody_key,
            "backup_key": record.recipient,
            "problems": wrong,
        }
        click.echo(msgspec.json.encode(shown))
    else:
        _show(record, status, places, wrong)
    if wrong:
        sys.exit(1)


@custody.command("check-share")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the card from standard input.")
def check_share(from_stdin: bool) -> None:
    """Say whether a card is readable and of the present set. Nothing is opened and nothing is kept."""
    record = public_record.load(Places.of(Home.find()))
    terminal = Terminal()
    text = sys.stdin.readline() if from_stdin else terminal.ask("The words of the card")
    if not from_stdin:
        terminal.clear()
    try:
        card = read_card(text)
        require_current(card, record)
    except CardError as error:
        raise Refused(error.message, error.fix) from None
    cards = len(record.group(card.group).checks)
    click.echo(f"In order: {GROUP_NAMES[card.group]}, card {card.number} of {cards}, set {card.set_number}.")


@custody.command()
@click.option("--new-root", is_flag=True, help="A card was stolen: a new root secret, and new keys for everything.")
@click.option("--paper", type=click.Path(path_type=Path), help="A printer's device, or a folder in memory for PDFs.")
@click.option("--two-people", is_flag=True, help="One card a side, so two people are enough (default: 1 and 2 of 3).")
def rotate(new_root: bool, paper: Path | None, two_people: bool) -> None:
    """Make new cards: a card was lost, a holder leaves. Needs the present cards of both sides."""
    from appliance.custody import rotation

    places, machine = _as_root()
    if not sys.stdin.isatty():
        raise click.UsageError("New cards need a terminal.")
    scheme = TWO_PEOPLE if two_people else Scheme()
    if new_root:
        rotation.new_root(places, machine, Terminal(), Paper(paper), scheme)
    else:
        rotation.new_cards(places, Terminal(), Paper(paper), scheme)


@custody.command()
@click.argument("group", type=click.Choice(GROUPS))
@click.argument("number", type=click.IntRange(1))
@click.option("--name", required=True)
@click.option("--place", required=True, help="Workstation or office.")
@click.option("--telephone", required=True)
def holder(group: str, number: int, name: str, place: str, telephone: str) -> None:
    """Say who holds card NUMBER of GROUP now, when a card was handed over in its envelope."""
    places, _ = _as_root()
    record = public_record.load(places)
    held = record.group(group).holders
    if number > len(held):
        raise Refused(f"There are {len(held)} holders.", "Give the number of one of them.")
    changed = [
        Holder(name, place, telephone, holder.card) if at == number else holder for at, holder in enumerate(held, 1)
    ]
    groups = [
        msgspec.structs.replace(holder, holders=changed) if holder.name == group else holder for holder in record.groups
    ]
    public_record.save(places, msgspec.structs.replace(record, groups=groups))
    click.echo(f"{GROUP_NAMES[group]}, holder {number}: {name}, {place}, {telephone}.")


@custody.command()
def serve() -> None:
    """Wait for cards on custody's socket (the service `wardwell-custody`)."""
    places, machine = _as_root()
    serve_custody(places, machine)


def _as_root() -> tuple[Places, Machine]:
    home = Home.find()
    if os.geteuid() != 0:
        raise Refused("Only root may do that.", "Use `sudo`.")
    return Places.of(home), Machine()


def _holders_from_stdin() -> dict[str, list[Holder]]:
    class Given(msgspec.Struct, forbid_unknown_fields=True):
        agency: list[Holder]
        trustee: list[Holder]

    try:
        given = msgspec.json.decode(sys.stdin.buffer.read(), type=Given)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Refused(
            f"The holders cannot be read: {error}.",
            'Give {"agency": [{"name", "place", "telephone", "card"}, …], "trustee": […]}.',
        ) from None
    return {"agency": given.agency, "trustee": given.trustee}


def _progress(status: dict[str, object]) -> str:
    groups = status.get("groups", [])
    assert isinstance(groups, list)
    return "; ".join(f"{GROUP_NAMES[offer['group']]}: {offer['offered']} of {offer['needed']}" for offer in groups)


def _wait(places: Places, record: PublicRecord) -> None:
    """Until the appliance is open. Raises WardwellError with what went wrong, or when cards are still missing."""
    deadline = time.monotonic() + OPENING_SECONDS
    while not places.unsealed.exists():
        status = ask(places, Request("status"))
        if status.get("state") == "sealed" and not places.unsealed.exists():
            if status.get("problem"):
                raise WardwellError(status["problem"], status["fix"])
            kept = f" The cards are kept for {status['minutes_left']} minutes." if status["minutes_left"] else ""
            raise WardwellError(f"More cards are needed ({_progress(status)}).{kept}", "Call another holder.")
        if time.monotonic() > deadline:
            raise WardwellError("Opening is taking too long.", "Read `journalctl -u wardwell-custody`.")
        time.sleep(0.2)
    click.echo("Unsealed; the compartments are starting. `wardwell status` shows when they serve.")


def _show(record: PublicRecord, status: dict[str, object], places: Places, wrong: list[str]) -> None:
    click.echo(f"State: {status.get('state', 'unsealed' if places.unsealed.exists() else 'sealed')}")
    click.echo(
        f"Data volume: LUKS2 on {record.device}"
        if record.device
        else "Data volume: a plain folder; its encryption is the hypervisor's or the disk's matter"
    )
    click.echo(f"Cards: set {record.set_number}, made {record.made_at}{'' if record.ceremony else ', by a program'}")
    for group in record.groups:
        click.echo(f"{GROUP_NAMES[group.name]}: {group.threshold} of {len(group.checks)} cards needed. Whom to call:")
        for holder in group.holders:
            click.echo(f"  {holder.name}, {holder.place}, {holder.telephone}")
    if status.get("groups"):
        click.echo(f"Offered now: {_progress(status)}")
    for problem in wrong:
        click.echo(f"WRONG: {problem}")
