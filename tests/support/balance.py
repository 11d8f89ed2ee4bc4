"""Balances the test processes: the files that take longest begin first, by the seconds in `tests/durations.json`.

Owns: that file, which `make test DURATIONS=write` writes anew, and the order in which xdist hands files out.
Must never see: what a test does. Within a file the order stays, so its module fixtures are made once.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from defusedxml.ElementTree import parse

ROOT = Path(__file__).resolve().parents[2]
DURATIONS = ROOT / "tests" / "durations.json"


class Case(NamedTuple):
    """One test of a results file: its file, its name with parameters, and seconds with set-up and teardown."""

    file: str
    name: str
    seconds: float


def read_results(results: Path) -> list[Case]:
    """The tests in a JUnit file that pytest wrote (family xunit2, which names modules and not files)."""
    cases = []
    for element in parse(results).getroot().iter("testcase"):
        module = element.get("classname", "").split(".")
        # A test class follows its module in that name.
        while module and not module[-1].startswith("test_"):
            module.pop()
        cases.append(Case("/".join(module) + ".py", element.get("name", ""), float(element.get("time", "0"))))
    return cases


def seconds_of_files(cases: list[Case]) -> dict[str, int]:
    """Test file -> whole seconds of all its tests."""
    total: defaultdict[str, float] = defaultdict(float)
    for case in cases:
        total[case.file] += case.seconds
    return {file: round(seconds) for file, seconds in sorted(total.items())}


def expected_seconds(file: str, seconds: dict[str, int]) -> float:
    """Seconds of a test file; the median of the measured ones for one that was never measured."""
    return seconds[file] if file in seconds else statistics.median(seconds.values() or [0])


def longest_first(files: list[str], seconds: dict[str, int]) -> list[str]:
    """Each file once, longest first; those that take equally long in the order in which they came."""
    return sorted(dict.fromkeys(files), key=lambda file: -expected_seconds(file, seconds))


def load() -> dict[str, int]:
    """Test file -> seconds, as it was last measured; empty when it never was."""
    if not DURATIONS.is_file():
        return {}
    seconds: dict[str, int] = json.loads(DURATIONS.read_text())
    return seconds


def pytest_configure(config: pytest.Config) -> None:
    # Otherwise xdist puts the files with the most tests first, whatever they cost.
    if config.pluginmanager.hasplugin("xdist"):
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The processes of xdist alone: somebody who runs one folder expects its files in order.
    if hasattr(config, "workerinput"):
        files = [item.location[0] for item in items]
        place = {file: number for number, file in enumerate(longest_first(files, load()))}
        items.sort(key=lambda item: place[item.location[0]])


def main() -> None:
    """Bring `tests/durations.json` up to date with the results files that are named as arguments."""
    seconds = load()
    for results in sys.argv[1:]:
        seconds.update(seconds_of_files(read_results(Path(results))))
    kept = {file: seconds[file] for file in sorted(seconds) if (ROOT / file).is_file()}
    DURATIONS.write_text(json.dumps(kept, indent=1) + "\n")
    sys.stdout.write(f"{len(kept)} test files, {sum(kept.values())} s: {DURATIONS.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
