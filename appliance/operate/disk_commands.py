"""`wardwell disk status`.

Owns: this command's words. Must never see: what fills the disk beyond sizes of parts.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from appliance.output import json_option, tell
from appliance.settings import Home

_GIB = 1 << 30


@click.group()
def disk() -> None:
    """The data volume, and the reserve on it that sign-in and the access log live on."""


@disk.command()
@json_option
def status(as_json: bool) -> None:
    """How full the volume is, and with what. Exit code 1 when exports and uploads are refused."""
    from appliance import disk as volume

    home = Home.find()
    room = volume.room(home.root)
    parts = {path.name: size(path) for path in sorted(home.root.iterdir()) if path.is_dir() and not path.is_symlink()}
    if as_json:
        tell(True, "", ok=not room.low, **asdict(room), refused=room.low, parts=parts)
    else:
        click.echo(f"{room.free / _GIB:.2f} GiB free of {room.total / _GIB:.2f}; reserve {room.reserve / _GIB:.2f}")
        for name, taken in sorted(parts.items(), key=lambda part: -part[1]):
            click.echo(f"  {taken / (1 << 20):10.1f} MiB  {name}")
        click.echo("Exports and uploads are refused." if room.low else "Exports and uploads are taken.")
    if room.low:
        sys.exit(1)


def size(folder: Path) -> int:
    """Bytes on the disk below `folder`; what goes meanwhile is left out."""
    taken = 0
    for path in folder.rglob("*"):
        try:
            taken += path.lstat().st_blocks * 512
        except OSError:
            continue
    return taken
