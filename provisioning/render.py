"""`wardwell render`: the configurations of production, written into a folder.

Owns: which files those are. What stands in them comes from the same templates that the demonstration runs on.
Must never see: a secret; a certificate's key is named, not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from appliance import durable
from appliance.settings import COMPARTMENTS, PRODUCTION, Home
from provisioning import front, supervise

Command = Callable[..., None]

CODE = Path("/opt/wardwell/current")
# What systemd takes for a unit that must never run.
MASK = Path("/dev/null")


def _target(command: Command) -> Command:
    """The options that each of them has."""
    folder = click.Path(file_okay=False, path_type=Path)
    for option in (
        click.option("--preview/--write", help="Only say what would be written. Without either: --write."),
        click.option(
            "--code", default=CODE, show_default=True, type=folder, help="Where the installed code is: src/ and venv/."
        ),
        click.option("--to", required=True, type=folder, help="Folder to write into."),
    ):
        command = option(command)
    return command


@click.group()
def render() -> None:
    """Write the configurations that the installed appliance runs on."""


@render.command("units")
@_target
def units_command(to: Path, code: Path, preview: bool) -> None:
    """Write the units of systemd/, each in its folder, and mask those that never run."""
    _put(unit_files(code / "src" / "systemd"), to, preview)


@render.command("supervisor")
@_target
def supervisor_command(to: Path, code: Path, preview: bool) -> None:
    """Write <compartment>.conf for each compartment's own supervisord."""
    _put(supervisor_files(code), to, preview)


@render.command("front")
@_target
def front_command(to: Path, code: Path, preview: bool) -> None:
    """Write nginx.conf and the still pages (sealed, maintenance), from wardwell.toml."""
    _put(front_files(Home.find(), code), to, preview)


def unit_files(source: Path) -> dict[str, str | None]:
    """Path below systemd's folder -> content: the units as they lie in `source`. None for one that is masked."""
    files = {str(path.relative_to(source)): path.read_text() for path in sorted(source.rglob("*")) if path.is_file()}
    masked = (line.partition("#")[0].strip() for line in files.pop("masked").splitlines())
    return {**files, **{name: None for name in masked if name}}


def supervisor_files(code: Path = CODE) -> dict[str, str]:
    """File name -> content, one for each compartment."""
    home = Home(PRODUCTION)
    return {f"{name}.conf": supervise.render_compartment(home, name, code) for name in COMPARTMENTS}


def front_files(home: Home, code: Path = CODE) -> dict[str, str]:
    """File name -> content of the front's folder. Raises WardwellError for hosts that cannot be."""
    settings = home.settings()
    certificates = front.given_certificates(home)
    text = front.render(home, settings.hosts, certificates, settings.address, code / "src")
    return {"nginx.conf": text, **front.still_pages(settings.hosts)}


def _put(files: Mapping[str, str | None], folder: Path, preview: bool) -> None:
    """Write each below `folder` unless it is just that already, and say which. `preview`: say it only."""
    for name, text in files.items():
        path = folder / name
        if _is_just(path, text):
            click.echo(f"unchanged  {path}")
            continue
        if preview:
            click.echo(f"differs    {path}")
            continue
        if text is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() and not path.is_symlink():
                # Somebody wrote it for this machine, and nothing here could write it again.
                path.rename(path.with_name(f"{path.name}.replaced"))
            durable.replace_link(path, MASK)
        else:
            durable.replace(path, text.encode(), mode=0o644)
        click.echo(f"written    {path}")


def _is_just(path: Path, text: str | None) -> bool:
    if path.is_symlink() or text is None:
        return text is None and path.is_symlink() and path.readlink() == MASK
    return path.is_file() and path.read_text() == text
