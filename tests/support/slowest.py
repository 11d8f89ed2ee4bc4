"""The table at the end of `.ci/run`: the slowest tests of all parts, and where the time went.

Owns: how results and parts of a target are shown.
Must never see: whether a target passed; its exit status says that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.balance import ROOT, Case, read_results

FOLDER = ROOT / ".cache" / "bootstrap"


def slowest(cases: Iterable[Case], number: int = 10) -> Iterator[str]:
    """One line for each of the `number` slowest tests: seconds with set-up and teardown, file and name."""
    for case in sorted(cases, key=lambda case: -case.seconds)[:number]:
        yield f"{case.seconds:8.1f}  {case.file}::{case.name}"


def parts_of(target: str, folder: Path = FOLDER) -> list[tuple[str, int]]:
    """(part, seconds) in the order in which `make TARGET` did them; empty when it did not get so far."""
    file = folder / f"{target}.parts"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [(name, int(seconds)) for name, seconds in (line.split("\t") for line in lines)]


def table(targets: Iterable[str], folder: Path = FOLDER) -> Iterator[str]:
    """The whole table, line by line. A target without results has a line that says so."""
    cases: list[Case] = []
    missing = []
    for target in targets:
        results = folder / f"{target}.xml"
        if results.is_file():
            cases.extend(read_results(results))
        else:
            missing.append(f"make {target} left no results of tests")
    yield "== slowest tests (s)"
    yield from slowest(cases)
    yield from missing
    yield "== parts (s)"
    for target in targets:
        for name, seconds in parts_of(target, folder):
            yield f"{seconds:6}    make {target}: {name}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(table(sys.argv[1:])) + "\n")
