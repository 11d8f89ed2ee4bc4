"""Verifying the public log from its files alone, as any outsider with a copy can.

Owns: recomputing the tree from the entry bundles, comparing every tile file, and checking the ledger's signature and
the witness's cosignature. Must never see: the ledger's database or a private key.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from appliance.crypto import merkle, tiles
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.crypto.trusted_keys import signed_keys, trusted_keys
from appliance.errors import WardwellError
from appliance.settings import Home

Problem = tuple[str, str]


@dataclass(frozen=True)
class Report:
    """What was verified. `problem` is (where, what) of the first thing that does not hold, or None."""

    size: int = 0
    root: str = ""
    files: int = 0
    witnessed_size: int = -1
    witnessed_at: datetime | None = None
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None

    def with_problem(self, problem: Problem | None) -> Report:
        return replace(self, problem=problem) if problem is not None else self

    def as_json(self) -> dict[str, Any]:
        """The report as `--json` prints it."""
        return {
            "ok": self.ok,
            "size": self.size,
            "root": self.root,
            "files": self.files,
            "witnessed_size": self.witnessed_size,
            "witnessed_at": self.witnessed_at.isoformat() if self.witnessed_at else None,
            "problem": {"where": self.problem[0], "what": self.problem[1]} if self.problem else None,
        }


class _Bad(Exception):
    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.problem = (where, what)


def verify_home(home: Home) -> Report:
    """Verify the log of the appliance at `home`, with the keys that the trustee signed."""
    try:
        keys = signed_keys(home)
    except WardwellError as error:
        return Report(problem=("public/site.json", error.message))
    witness = keys.witness
    report = verify_files(home.public / "ledger", keys.ledger, home.public / "witness" / "checkpoint", witness)
    shown = home.public / "witness" / "vkey"
    if report.ok and (not shown.exists() or shown.read_bytes().rstrip(b"\n") != str(witness).encode()):
        return report.with_problem(("witness/vkey", "this is not the witness's key that the trustee signed"))
    if report.ok:
        try:
            trusted_keys(home)
        except WardwellError as error:
            return report.with_problem(("founding", error.message.rstrip(".")))
    return report


def verify_files(folder: Path, ledger: Verifier, witness_note: Path | None, witness: Verifier | None) -> Report:
    """Verify the log in `folder` against `ledger`, and `witness_note` against `witness` where both are given."""
    report = Report()
    try:
        checkpoint = _checkpoint(folder, ledger)
        report = replace(report, size=checkpoint.size, root=checkpoint.root.hex())
        files, seen_root = _rebuild(folder, checkpoint, _witness_size(witness_note))
        report = replace(report, files=files)
        if witness_note is not None and witness is not None:
            seen, at = _witness(witness_note, ledger, witness)
            report = replace(report, witnessed_size=seen.size, witnessed_at=at)
            if seen.size > checkpoint.size:
                raise _Bad("checkpoint", f"the log shrank: the witness saw {seen.size} entries")
            if seen.origin != checkpoint.origin or seen_root != seen.root:
                raise _Bad(
                    "checkpoint",
                    f"the log was rewritten: its first {seen.size} entries are not those that the witness saw",
                )
    except _Bad as bad:
        return replace(report, problem=bad.problem)
    return report


def show(report: Report, as_json: bool) -> None:
    """Print `report`, and exit 1 when something does not hold."""
    if as_json:
        click.echo(json.dumps(report.as_json()))
    elif report.problem is not None:
        click.echo(f"NOT VERIFIED: {report.problem[0]}: {report.problem[1]}.", err=True)
    else:
        click.echo(f"Verified: {report.size} entries, root {report.root}, {report.files} files agree with it.")
        if report.witnessed_at is not None:
            click.echo(
                f"The witness cosigned {report.witnessed_size} of them on {report.witnessed_at:%Y-%m-%d %H:%M:%S} UTC."
            )
        else:
            click.echo("No witness was checked.")
    if not report.ok:
        sys.exit(1)


def _checkpoint(folder: Path, ledger: Verifier) -> Checkpoint:
    try:
        published = (folder / "vkey").read_text().rstrip("\n")
        note = (folder / "checkpoint").read_bytes()
    except (OSError, ValueError) as error:
        raise _Bad(_name(error, "vkey or checkpoint"), "the file is missing or no text") from None
    if published != str(ledger):
        raise _Bad("vkey", "this is not the ledger's key that the trustee signed")
    try:
        return Checkpoint.parse(open_note(note, ledger))
    except WardwellError as error:
        raise _Bad("checkpoint", error.message.rstrip(".")) from None


def _name(error: Exception, otherwise: str) -> str:
    return Path(error.filename).name if isinstance(error, OSError) and error.filename else otherwise


def _witness_size(note: Path | None) -> int:
    """The size that the witness's file claims, read before it is verified: the tree is computed only once."""
    try:
        return int(note.read_text().split("\n")[1]) if note is not None else -1
    except (OSError, ValueError, IndexError):
        return -1


def _witness(note: Path, ledger: Verifier, witness: Verifier) -> tuple[Checkpoint, datetime]:
    try:
        data = note.read_bytes()
        return Checkpoint.parse(open_note(data, ledger)), cosigned_at(data, witness)
    except OSError:
        raise _Bad("witness/checkpoint", "the witness has not cosigned anything yet") from None
    except WardwellError as error:
        raise _Bad("witness/checkpoint", error.message.rstrip(".")) from None


def _entries(folder: Path, size: int) -> Iterator[tuple[str, bytes]]:
    """Every entry with the name of its bundle."""
    for number in range((size + tiles.WIDTH - 1) // tiles.WIDTH):
        width = min(tiles.WIDTH, size - number * tiles.WIDTH)
        name = tiles.bundle_path(number, width)
        if width < tiles.WIDTH and not (folder / name).exists():
            name = tiles.bundle_path(number)
        try:
            entries = tiles.decode_bundle((folder / name).read_bytes())
        except OSError:
            raise _Bad(name, "the file is missing") from None
        except ValueError as error:
            raise _Bad(name, str(error)) from None
        if len(entries) < width or (len(entries) > width and name.endswith(f"/{width}")):
            raise _Bad(name, f"it holds {len(entries)} entries instead of {width}")
        for entry in entries[:width]:
            yield name, entry


def _rebuild(folder: Path, checkpoint: Checkpoint, witnessed_size: int) -> tuple[int, bytes]:
    """Recompute the tree, comparing every file on the way; how many files, and the root at `witnessed_size`."""
    builder, seen_root = tiles.Builder(), b""
    present = set(tiles.tile_files(folder))
    count = len(present)
    hashes: list[bytes] = []
    for index, (name, entry) in enumerate(_entries(folder, checkpoint.size)):
        if index == witnessed_size:
            seen_root = builder.root()
        if index % tiles.WIDTH == 0:
            hashes = _tile(folder, index // tiles.WIDTH, checkpoint.size)
        if merkle.leaf_hash(entry) != hashes[index % tiles.WIDTH]:
            raise _Bad(f"entry {index}", f"{name} does not fit the tile over it")
        _check_form(index, entry)
        builder.add(entry)
        for base, data in builder.take_full().items():
            _compare(folder, base, data, present)
    if builder.size == witnessed_size:
        seen_root = builder.root()
    for path, data in builder.take_partial().items():
        _compare(folder, path.split(".p/")[0], data, present)
    for name in sorted(present):
        if not _ahead(name.split(".p/")[0], checkpoint.size):
            raise _Bad(name, "the log did not write this file")
    if builder.root() != checkpoint.root:
        raise _Bad("checkpoint", "its root is not the root over the entries")
    return count, seen_root


def _tile(folder: Path, number: int, size: int) -> list[bytes]:
    width = min(tiles.WIDTH, size - number * tiles.WIDTH)
    name = tiles.tile_path(0, number, width)
    if width < tiles.WIDTH and not (folder / name).exists():
        name = tiles.tile_path(0, number)
    try:
        hashes = tiles.decode_tile((folder / name).read_bytes())
    except OSError:
        raise _Bad(name, "the file is missing") from None
    except ValueError as error:
        raise _Bad(name, str(error)) from None
    if len(hashes) < width:
        raise _Bad(name, f"it holds {len(hashes)} hashes instead of {width}")
    return hashes


def _check_form(index: int, entry: bytes) -> None:
    try:
        leaf = json.loads(entry)
        fits = isinstance(leaf, dict) and canonical(leaf) == entry and leaf.get("v") == 1 and "kind" in leaf
    except ValueError:
        fits = False
    if not fits:
        raise _Bad(f"entry {index}", "it is no entry in canonical form")


def _compare(folder: Path, base: str, data: bytes, present: set[str]) -> None:
    """Compare the full and the partial files of one tile or bundle with what the entries give.

    Older partial files hold less, and while the ledger runs a file may be ahead of the checkpoint: what both have is
    compared. Names are taken out of `present`.
    """
    decode = tiles.decode_bundle if base.startswith("tile/entries/") else tiles.decode_tile
    wanted = decode(data)
    names = sorted(name for name in _names(folder, base) if name in present)
    if base not in present and f"{base}.p/{len(wanted)}" not in present:
        raise _Bad(base, "the file is missing")
    for name in names:
        present.discard(name)
        try:
            value = decode((folder / name).read_bytes())
        except FileNotFoundError:
            continue  # a partial file that the running ledger has just replaced by the full one
        except ValueError as error:
            raise _Bad(name, str(error)) from None
        stated = name.rpartition("/")[2] if ".p/" in name else str(tiles.WIDTH)
        if str(len(value)) != stated:
            raise _Bad(name, f"it holds {len(value)} items instead of {stated}")
        both = min(len(value), len(wanted))
        if value[:both] != wanted[:both]:
            raise _Bad(name, "it is not what the entries give")


def _names(folder: Path, base: str) -> list[str]:
    return [base, *(f"{base}.p/{path.name}" for path in (folder / f"{base}.p").glob("*"))]


def _ahead(base: str, size: int) -> bool:
    """Whether the tile or bundle begins behind the checkpoint's `size`."""
    parts = base.split("/")
    try:
        level = 0 if parts[1] == "entries" else int(parts[1])
        number = int("".join(part.removeprefix("x") for part in parts[2:]))
    except (ValueError, IndexError):
        return False
    return number * tiles.WIDTH >= size >> (tiles.LEVEL_BITS * level)
