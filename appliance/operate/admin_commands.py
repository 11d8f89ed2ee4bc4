"""`wardwell admin reset-access` and `wardwell admin console-password`.

Owns: these commands' words. Must never see: anything about an officer.
"""

from __future__ import annotations

import contextlib
import os
import sys

import click

from appliance.errors import Refused
from appliance.output import json_option, tell
from appliance.settings import Home


@click.group()
def admin() -> None:
    """The appliance's own administrator, for when the directory is down or a password is lost."""


@admin.command("reset-access")
@click.argument("name")
@click.option("--stdin", is_flag=True, help="Take the new password from standard input.")
@json_option
def reset_access(name: str, stdin: bool, as_json: bool) -> None:
    """Set a new password for the local administrator NAME. The access log has it first, and everybody can see that."""
    from appliance.operate import break_glass
    from appliance.storage import open_store

    home = Home.find()
    if home.production and os.geteuid() != 0:
        raise Refused("Only root at the machine may do that.", "Run it with sudo.")
    with contextlib.closing(open_store(home, "desk")) as store:
        break_glass.find(store, name)  # refused before a password is asked for
        if stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
        break_glass.reset(store, name, password)
    tell(
        as_json,
        "The password is set, and every session of that account has ended. The code from the phone stays.\n"
        "Phone lost: a slip from the officers' trustee, typed in place of the code.",
    )


@admin.command("console-password")
def console_password() -> None:
    """Make a new password for this machine's administrator (console and sudo), and show it once."""
    from appliance.operate import administrator

    if os.geteuid() != 0:
        raise Refused("Only root at the machine may do that.", "Run it with sudo.")
    click.echo(administrator.shown(administrator.new_password()))
