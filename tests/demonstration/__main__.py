"""`wardwell-demo`, or `python -m tests.demonstration`: the demonstration agency's own command.

Owns: nothing but its start. It is no part of the `wardwell` command, and no bundle carries this package, so an
installed appliance has no demonstration. Must never see: an agency's own appliance.
"""

from __future__ import annotations

from appliance.output import run_command
from tests.demonstration.commands import demo


def main() -> None:
    """Run the command; show a WardwellError as its sentence and its fix."""
    run_command(demo, "wardwell-demo")


if __name__ == "__main__":
    main()
