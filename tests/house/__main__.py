"""`make house [BASE=REVISION]`: print the counts; exit code 1 when one that must be 0 is not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from tests.house import counts
from tests.house.duplicates import Duplicate, duplicates

ROOT = Path(__file__).resolve().parents[2]

MUST_BE_NONE: dict[str, Callable[[Path], list[str]]] = {
    "circles of imports, Python": counts.python_circles,
    "circles of imports, TypeScript": counts.typescript_circles,
    f"files over {counts.MOST_LINES} lines": counts.long_files,
    f"durable writes outside {counts.DURABLE_PLACE}": counts.durable_by_hand,
}

# The last commit of version 0.1.0, as this command counts it.
LINES_AT_0_1_0 = {"Python without tests": 40_745, "Python of tests": 33_456, "TypeScript": 9_614}


@dataclass(frozen=True)
class House:
    """What one tree amounts to: the places that must not be, its duplicates, its lines by kind of code."""

    wrong: dict[str, list[str]]
    duplicates: list[Duplicate]
    lines: dict[str, int]

    @property
    def figures(self) -> dict[str, int]:
        return {
            **{name: len(places) for name, places in self.wrong.items()},
            "duplicates of six lines or more": len(self.duplicates),
            **line_figures(self.lines),
        }


def look(tree: Path) -> House:
    texts = {path: (tree / path).read_text() for path in counts.files(tree) if not path.startswith(counts.FROZEN)}
    wrong = {name: places(tree) for name, places in MUST_BE_NONE.items()}
    return House(wrong, duplicates(texts), counts.lines(tree))


def look_at(revision: str) -> House:
    """The same of an older revision."""
    done = subprocess.run(["git", "archive", "--format=tar", revision], cwd=ROOT, capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=done.stdout, check=True)
        return look(Path(folder))


def line_figures(lines: dict[str, int]) -> dict[str, int]:
    figures = {f"lines, {name}": number for name, number in lines.items()}
    return {**figures, "lines, Python in all": lines["Python without tests"] + lines["Python of tests"]}


@click.command()
@click.option("--base", default="", help="A revision to compare with; without one, the lines of version 0.1.0.")
@click.option("--list", "listed", is_flag=True, help="List the duplicates too.")
def house(base: str, listed: bool) -> None:
    """Print the counts of the house; exit code 1 when one that must be 0 is not."""
    here = look(ROOT)
    before = look_at(base).figures if base else line_figures(LINES_AT_0_1_0)
    click.echo(f"{'':44}{'here':>12}{base[:12] or '0.1.0':>14}")
    for name, number in here.figures.items():
        was = f"{before[name]:>14,}" if name in before else f"{'':>14}"
        click.echo(f"{name:44}{number:>12,}{was}" + ("   must be 0" if name in MUST_BE_NONE else ""))
    if listed:
        for duplicate in here.duplicates:
            click.echo(f"{duplicate.first} = {duplicate.second} ({duplicate.length} lines)")
    for name, places in here.wrong.items():
        for place in places:
            click.echo(f"{name}: {place}", err=True)
    if any(here.wrong.values()):
        sys.exit(1)


if __name__ == "__main__":
    house()
