"""`wardwell logs` and `wardwell debug`.

Owns: which files and units belong to which part. Must never see: anything about a person; no program writes it down.
"""

from __future__ import annotations

import subprocess
from collections import deque
from datetime import timedelta
from pathlib import Path

import click

from appliance import clock
from appliance import logs as writing
from appliance.errors import WardwellError
from appliance.output import json_option, tell
from appliance.settings import COMPARTMENTS, Home

LONGEST_MINUTES = 240
# Parts that are units of their own, with their lines in the journal alone.
UNITS = ("custody", "sealed", "front", "backup", "relay")


@click.command()
@click.argument("part", type=click.Choice((*COMPARTMENTS, *UNITS)))
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, at most.")
@json_option
def logs(part: str, lines: int, as_json: bool) -> None:
    """Show the newest lines of one part's logs, oldest first; names, addresses and what people do are not in them."""
    home = Home.find()
    lines_of: dict[str, list[str]] = {}
    if part in COMPARTMENTS:
        for path in sorted(home.logs(part).glob("*.log")):
            if home.production or path.stem.split("-")[0] == part:
                lines_of[path.name] = [line.rstrip("\n") for line in tail(path, lines)]
    if home.production:
        unit = f"wardwell@{part}" if part in COMPARTMENTS else f"wardwell-{part}"
        lines_of[f"journal of {unit}"] = _journal(unit, lines)
    shown = [text for name, written in lines_of.items() for text in (f"== {name}", *written)]
    tell(as_json, "\n".join(shown), logs=lines_of)


def _journal(unit: str, lines: int) -> list[str]:
    command = ["journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", str(lines), "-u", unit]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise WardwellError("The journal cannot be read.", "Run this as root: `sudo wardwell logs PART`.")
    return done.stdout.splitlines()


def tail(path: Path, lines: int) -> list[str]:
    """The last `lines` lines of a file."""
    with path.open(errors="replace") as file:
        return list(deque(file, maxlen=lines))


@click.command()
@click.option("--for", "minutes", type=click.IntRange(1, LONGEST_MINUTES), help="Write more for so many minutes.")
@click.option("--off", is_flag=True, help="End it now.")
@json_option
def debug(minutes: int | None, off: bool, as_json: bool) -> None:
    """Have every part write more into its log for a while: places in the code and durations, never anybody's data."""
    if off == (minutes is not None):
        raise click.UsageError("Say --for MINUTES, or --off.")
    switch = writing.switch(Home.find())
    if minutes is None:
        switch.unlink(missing_ok=True)
        tell(as_json, "Debug lines are off.", until=None)
        return
    until = clock.now() + timedelta(minutes=minutes)
    writing.let_through(switch, until)
    words = f"Debug lines are written until {until:%H:%M} UTC; then it ends by itself."
    tell(as_json, words, until=until.isoformat(timespec="seconds"))
