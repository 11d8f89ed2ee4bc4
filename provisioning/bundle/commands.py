"""`wardwell bundle`: keys, pool, build, verify.

Owns: what these commands print. Must never see: an appliance's data.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.output import json_option, tell

ROOT = Path(__file__).resolve().parents[2]
_path = click.Path(path_type=Path)
_pool = click.option(
    "--pool", "folder", type=_path, default=ROOT / ".cache" / "bundle-pool", help="The stored packages."
)


@click.group()
def bundle() -> None:
    """The signed file that an appliance is installed and updated from."""


@bundle.command()
@click.option("--to", type=_path, required=True, help="The new folder; keep it where only releases are made.")
def keys(to: Path) -> None:
    """Make the release keys, once."""
    from provisioning.bundle.keys import make

    click.echo(f"Release keys are in {to}. Publish this fingerprint where receivers get it without the bundle:")
    click.echo(make(to))


@bundle.command()
@_pool
def pool(folder: Path) -> None:
    """Fetch what bundles are built from: as root, with a network, once for each change of the lists."""
    from provisioning.bundle.pool import fill

    fill(folder, _say)
    click.echo(f"{folder} is filled.")


@bundle.command()
@_pool
@click.option("--keys", "release_keys", type=_path, required=True, help="The folder that `bundle keys` made.")
@click.option("--out", type=_path, required=True, help="The file to write.")
@click.option("--made-at", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="The declared time (default: now).")
def build(folder: Path, release_keys: Path, out: Path, made_at: datetime | None) -> None:
    """Build the bundle of this tree's commit, without a network."""
    from provisioning.bundle.build import build

    begun = time.monotonic()
    moment = made_at.replace(tzinfo=UTC) if made_at else datetime.now(UTC)
    digest = build(folder, release_keys, out, moment, _say)
    size = out.stat().st_size / (1 << 20)
    click.echo(f"{out}: {size:.0f} MiB, sha256 {digest}, in {time.monotonic() - begun:.0f} s")


@bundle.command()
@click.argument("file", type=_path)
@click.option("--fingerprint", required=True, help="SHA256:… of the release key, from elsewhere than the bundle.")
@json_option
def verify(file: Path, fingerprint: str, as_json: bool) -> None:
    """Check FILE against the release key that you trust. Exit code 3 when it is not to be installed."""
    from appliance.operate.bundle import read_bundle

    manifest = read_bundle(file, fingerprint).manifest
    version, commit = manifest.version, manifest.commit
    words = f"{file.name}: wardwell {version}, commit {commit}, whole and signed."
    tell(as_json, words, version=version, commit=commit)


def _say(words: str) -> None:
    click.echo(f"== {words}", err=True)
