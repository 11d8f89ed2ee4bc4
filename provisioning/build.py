"""Builds the browser code when it, or what it is built with, has changed: `python -m provisioning.build`.

Owns: which folders each builder reads, and the stamps that make a second run take no time.
Must never see: anything of an appliance; it only turns sources of this repository into files beside them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance import durable
from provisioning import packages

ROOT = Path(__file__).resolve().parents[1]
STAMPS = ROOT / ".cache" / "stamps"
_MADE_HERE = {"dist", "dist-node", "node_modules", "__pycache__", ".cache"}


@dataclass(frozen=True)
class Builder:
    """One builder: the module that is run, what it reads, and one file that it leaves behind."""

    module: str
    title: str
    sources: tuple[str, ...]
    result: str


BUILDERS = (
    # The space first: its npm packages are the skin's too.
    Builder(
        "provisioning.build_space",
        "the private space",
        (
            "provisioning/build_space.py",
            "provisioning/space_front.py",
            "pyproject.toml",
            "provisioning/build_skin.py",
            "provisioning/packages.py",
            "webapp/space",
            "webapp/desk/static-src",
            "appliance/rules",
            "appliance/charter/charter.toml",
        ),
        "webapp/space/dist",
    ),
    Builder(
        "provisioning.build_skin",
        "the look of the pages",
        ("provisioning/build_skin.py", "webapp/common", "webapp/desk"),
        "webapp/desk/dist",
    ),
)


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for path in sorted(source.rglob("*")):
        if path.is_file() and not _MADE_HERE.intersection(path.relative_to(ROOT).parts):
            yield path


def digest(builder: Builder) -> str:
    """SHA-256 (hex) over names and bytes of everything that `builder` reads."""
    total = hashlib.sha256()
    for source in builder.sources:
        for path in _files(ROOT / source):
            total.update(str(path.relative_to(ROOT)).encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def build(builder: Builder) -> bool:
    """Run `builder` unless its stamp says that nothing changed; whether it ran. Waits for one that already does."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    # One build at a time: test processes that start together all find the same change.
    with durable.locked(STAMPS / "lock"):
        return _build(builder)


def _build(builder: Builder) -> bool:
    stamp = STAMPS / builder.module
    wanted = digest(builder)
    if (ROOT / builder.result).exists() and stamp.is_file() and stamp.read_text() == wanted:
        return False
    sys.stdout.write(f"== building {builder.title}\n")
    sys.stdout.flush()
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", builder.module], cwd=ROOT, check=True)
    stamp.write_text(digest(builder))
    sys.stdout.write(f"   done in {time.monotonic() - started:.0f} s\n")
    return True


def main() -> None:
    packages.install()
    for builder in BUILDERS:
        try:
            build(builder)
        except subprocess.CalledProcessError:
            sys.exit(f"wardwell: {builder.title} could not be built.\n  what to do: read the lines above.")


if __name__ == "__main__":
    main()
