"""The last screen of `make demo`: addresses, one person per role, and how to go on.

Owns: words and columns. Must never see: anything that is not in the pockets.
"""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from appliance.charter import load_charter
from appliance.settings import Home
from provisioning.demo.agency import ROLES
from provisioning.demo.pockets import Pockets

# Where each role works: in the private space, or on desk's pages.
SPACE_ROLES = ("officer", "peer", "clinician")


def show(home: Home, pockets: Pockets) -> None:
    """Print addresses, sign-ins with their present codes, and the words of the prepared vaults."""
    settings = home.settings()
    titles = load_charter(home).roles
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Role", "Person", "Sign-in name", "Password", "Code now", "Where"):
        table.add_column(column, no_wrap=True)
    for role in ROLES:
        pocket = pockets.of(role)
        code = f"{pocket.code()[0]} ({pocket.code()[1]} s)" if pocket.totp else "not yet"
        place = "space" if role in SPACE_ROLES else "desk"
        table.add_row(titles[role], pocket.display, pocket.name, pocket.password, code, place)
    console.print(f"\n{settings.agency} (demonstration: every person here is invented)\n", style="bold")
    console.print(f"  desk   https://{settings.hosts.desk}/     staff pages")
    console.print(f"  space  https://{settings.hosts.space}/       private space of officers, peers and clinicians")
    console.print(f"         https://{settings.hosts.space}/crisis/  before sign-in, like family, resources, directory")
    console.print(f"  post   https://{settings.hosts.post}/     sealed post; nothing to see\n")
    console.print(table)
    prepared = [pocket for pocket in pockets.people if pocket.passphrase]
    if prepared:
        console.print("\nPrivate spaces prepared by the browser's own code (demonstration: their words are known)\n")
        for pocket in prepared:
            console.print(f"  {pocket.display} ({titles[pocket.role].lower()})")
            console.print(f"    passphrase     {pocket.passphrase}")
            console.print(f"    recovery code  {pocket.recovery}")
    width = "  {:<44}{}"
    click.echo()
    for command, what in (
        ("wardwell demo code NAME", "the next sign-in code of a role or a sign-in name; a code works once"),
        ("wardwell demo open", "a browser that trusts this demonstration's CA (needs a screen)"),
        ("wardwell demo drop", "a critical incident arrives from CAD"),
        ("wardwell demo next-day", "a day passes: the epoch turns"),
        ("wardwell demo attack", "play root"),
        ("wardwell demo people", "this list again"),
        ("wardwell demo stop", "stop everything (also: make demo-stop)"),
    ):
        click.echo(width.format(f".venv/bin/{command}", what))
