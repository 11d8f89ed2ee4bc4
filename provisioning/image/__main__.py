"""`python -m provisioning.image`: the same disk as qcow2, OVA and VHDX."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from appliance.errors import WardwellError
from appliance.operate.bundle import read_bundle
from provisioning.image import disk, formats, root

_path = click.Path(path_type=Path)


@click.command()
@click.option("--bundle", type=_path, required=True, help="The bundle that the image carries.")
@click.option("--fingerprint", required=True, help="SHA256:… of the release key that the bundle is signed with.")
@click.option("--out", type=_path, required=True, help="The folder to write the images to.")
def image(bundle: Path, fingerprint: str, out: Path) -> None:
    """Make bootable images, as root, with Debian's package source reachable. They start by UEFI, with Secure Boot."""
    begun = time.monotonic()
    for file in make(bundle, fingerprint, out):
        click.echo(f"{file}: {file.stat().st_size / (1 << 20):.0f} MiB")
    click.echo(f"in {time.monotonic() - begun:.0f} s")


def make(bundle: Path, fingerprint: str, out: Path) -> list[Path]:
    """Make the three files. Raises Refused for a bundle that is damaged or not signed, before anything is made."""
    contents = read_bundle(bundle, fingerprint)
    out.mkdir(parents=True, exist_ok=True)
    name = f"wardwell-{contents.manifest.version}"
    with tempfile.TemporaryDirectory(prefix="image-", dir=out) as scratch:
        system = disk.new_system()
        folder = root.make(Path(scratch) / "root", contents, system)
        raw = disk.make(Path(scratch) / "disk.raw", folder, system)
        return formats.convert(raw, out, name)


def main() -> None:
    """Run the command; print a WardwellError as its message and its fix."""
    try:
        image(prog_name="python -m provisioning.image", standalone_mode=True)
    except WardwellError as error:
        click.echo(f"wardwell: {error.message}", err=True)
        click.echo(f"  what to do: {error.fix}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
