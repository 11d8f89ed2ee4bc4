"""The `wardwell` command: one group per part of the appliance, each loaded only when it is called.

Owns: the list of the appliance's own commands and how an error is shown (one sentence, one fix, exit code 1, or 3 when
it was refused before anything changed; wrong usage exits 2). The command that is installed is `provisioning.cli`, which
adds what installs and builds; nothing here may name it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

import click

from appliance.output import run_command

# name -> where the click command is; a heavy library loads only with the command that needs it.
COMMANDS = {
    "admin": "appliance.operate.admin_commands:admin",
    "backup": "appliance.backup.commands:backup",
    "cert": "appliance.operate.cert_commands:cert",
    "check": "appliance.health.commands:check",
    "charter": "appliance.charter.commands:charter",
    "custody": "appliance.custody.console:custody",
    "debug": "appliance.operate.log_commands:debug",
    "desk": "appliance.desk.commands:desk",
    "disk": "appliance.operate.disk_commands:disk",
    "doctor": "appliance.health.commands:doctor",
    "exposure": "appliance.rules.commands:exposure",
    "found": "appliance.founding.commands:found",
    "intake": "appliance.intake.commands:intake",
    "kit": "appliance.kit.commands:kit",
    "layout": "appliance.migrate:layout",
    "ledger": "appliance.ledger.commands:ledger",
    "logs": "appliance.operate.log_commands:logs",
    "maintenance": "appliance.operate.maintenance_commands:maintenance",
    "migrate": "appliance.migrate:migrate",
    "post": "appliance.post.commands:post",
    "press": "appliance.press.commands:press",
    "relay": "appliance.operate.relay_commands:relay",
    "report": "appliance.press.commands:report",
    "status": "appliance.health.commands:status",
    "upkeep": "appliance.runtime.commands:upkeep",
    "update": "appliance.operate.update_commands:update",
    "support-bundle": "appliance.operate.support_commands:support_bundle",
}


class _Lazy(click.Group):
    def __init__(self, *arguments: Any, table: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._table:
            return None
        module, attribute = self._table[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def command_of(table: Mapping[str, str]) -> click.Group:
    """The `wardwell` command with the groups of `table`, name to `module:attribute`."""

    @click.group(cls=_Lazy, table=table)
    @click.option(
        "--home",
        type=click.Path(),
        help="State folder (default: $WARDWELL_HOME, else the installed appliance, else ./.wardwell).",
    )
    def wardwell(home: str | None) -> None:
        """Wardwell: confidential wellness support for officers, on the agency's own machine."""
        if home:
            os.environ["WARDWELL_HOME"] = home

    return wardwell


wardwell = command_of(COMMANDS)


def main() -> None:
    """Run the command; show a WardwellError as its sentence and its fix."""
    run_command(wardwell, "wardwell")


if __name__ == "__main__":
    main()
