"""`wardwell desk`: the worker, the roster, the founding document, local accounts.

Owns: the words of these commands. Must never see: a slip; slips are issued on the trustee's page only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from appliance.charter import load_charter
from appliance.desk.people import founding_document
from appliance.desk.roster import publication
from appliance.desk.sign_in import accounts
from appliance.settings import Home
from appliance.storage import Store, open_store


@contextmanager
def _desk() -> Iterator[tuple[Home, Store]]:
    home = Home.find()
    home.settings()
    store = open_store(home, "desk")
    try:
        yield home, store
    finally:
        store.close()


@click.group()
def desk() -> None:
    """Sign-in, roles, follow-ups: what staff pages and the private space stand on."""


@desk.command()
def work() -> None:
    """Carry messages and clean up, until stopped."""
    from appliance.desk import worker
    from appliance.runtime.worker import controlled

    home = Home.find()
    home.settings()
    with controlled(home, "desk") as control:
        worker.work(home, control, lambda: click.echo("desk: working"))


@desk.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def found(file: Path) -> None:
    """Carry out the founding document FILE, signed by agency and trustee (FILE.agency.sig, FILE.trustee.sig)."""
    with _desk() as (home, store):
        count = founding_document.accept(home, store, load_charter(home), file)
    click.echo(f"Founding document carried out: {count} role grants.")


@desk.group("roster")
def roster_group() -> None:
    """The agency's roster."""


@roster_group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def take(file: Path) -> None:
    """Take the roster FILE (CSV), signed by agency and trustee (FILE.agency.sig, FILE.trustee.sig)."""
    with _desk() as (home, store):
        taken = publication.take(store, file, publication.signers(home, file))
        click.echo(f"Roster {taken.version}: {taken.headcount} people. Leaf {taken.leaf_index} of the ledger.")


@desk.group()
def account() -> None:
    """Appliance-local accounts: clinicians and outside trustees."""


@account.command()
@click.argument("sign_in_name")
@click.argument("name")
@click.password_option(help="The first password; the person changes it in person, with you.")
def add(sign_in_name: str, name: str, password: str) -> None:
    """Make a local account SIGN_IN_NAME for NAME. It can do nothing before two people grant it a role."""
    with _desk() as (_home, store):
        accounts.add_local(store, sign_in_name, name, accounts.hash_password(password))
    click.echo("Account made. Next: a role by two people, and a slip from the officers' trustee.")


@desk.command("password-line")
@click.password_option()
def password_line(password: str) -> None:
    """Print the scrypt line of a password, for the founding document."""
    click.echo(accounts.hash_password(password))
