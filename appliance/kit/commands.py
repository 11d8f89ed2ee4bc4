"""The command `wardwell kit …`: offline tools for union, auditor, clinician and families.

Owns: the list of the kit's commands; each stands in its own module and loads only when it is called.
Must never see: an appliance's private files; every tool works from what anyone may read.
"""

from __future__ import annotations

import importlib

import click

# name -> where the click command stands.
COMMANDS = {
    "report-verify": "appliance.kit.report_verify:report_verify",
    "take-home": "appliance.kit.take_home:take_home",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=_Lazy)
def kit() -> None:
    """Offline tools: check, witness, take home. None of them needs the appliance's private files."""
