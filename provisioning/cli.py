"""The `wardwell` command as it is installed: the appliance's own groups and those that install and build it.

Owns: the list of the second kind. It is here so that the appliance names nothing of what installs it.
"""

from __future__ import annotations

from appliance.cli import COMMANDS, command_of
from appliance.output import run_command

wardwell = command_of(
    {
        **COMMANDS,
        "apply": "provisioning.install.commands:apply",
        "bundle": "provisioning.bundle.commands:bundle",
        "config": "provisioning.install.commands:config",
        "preflight": "provisioning.install.commands:preflight",
        "render": "provisioning.render:render",
        "setup": "provisioning.install.commands:setup",
    }
)


def main() -> None:
    """Run the command; show a WardwellError as its sentence and its fix."""
    run_command(wardwell, "wardwell")


if __name__ == "__main__":
    main()
