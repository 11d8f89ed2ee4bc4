"""Promise: some target runs every test, whatever its markers; quick, check and test run ever more of them."""

from __future__ import annotations

import itertools
import re
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from tests.support.changed import NOT_UNIT

ROOT = Path(__file__).parents[2]
BOOTSTRAP = (ROOT / "provisioning" / "bootstrap.sh").read_text()
MARKERS = [
    line.partition(":")[0]
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
]
SETS = [frozenset(chosen) for size in range(len(MARKERS) + 1) for chosen in itertools.combinations(MARKERS, size)]


def expressions(script: str) -> dict[str, str]:
    """Target -> expression, as the function `markers` of the script chooses it."""
    body = re.search(r"^markers\(\) \{\n(.*?)^\}", script, re.MULTILINE | re.DOTALL)
    assert body is not None
    lines = re.findall(r'^ +([a-z| -]+)\) echo "(.*)" ;;$', body[1], re.MULTILINE)
    return {target: expression for targets, expression in lines for target in targets.split(" | ")}


TARGETS = expressions(BOOTSTRAP)


def runs(expression: str, marks: Iterable[str]) -> bool:
    """Whether `pytest -m expression` runs a test that has these markers."""
    have = set(marks)
    return Expression.compile(expression).evaluate(lambda name, /, **_: name in have)


def never_run(targets: dict[str, str]) -> list[frozenset[str]]:
    """Sets of markers that no target runs."""
    return [marks for marks in SETS if not any(runs(expression, marks) for expression in targets.values())]


def test_every_set_of_markers_is_run_by_some_target() -> None:
    assert {"system", "browser", "long", "appliance", "vm"} <= set(MARKERS)
    assert never_run(TARGETS) == []


@pytest.mark.parametrize("target", ["test", "test-long", "test-appliance", "test-vm"])
def test_without_one_of_the_targets_some_tests_would_never_run(target: str) -> None:
    rest = {name: expression for name, expression in TARGETS.items() if name != target}
    assert never_run(rest)


def test_each_target_runs_what_the_one_before_runs() -> None:
    for smaller, larger in itertools.pairwise(("quick", "check", "test")):
        for marks in SETS:
            assert runs(TARGETS[larger], marks) or not runs(TARGETS[smaller], marks), (smaller, larger, marks)
    assert not runs(TARGETS["check"], {"browser"})
    assert runs(TARGETS["test"], {"browser"})


def test_long_campaigns_are_for_test_long_alone() -> None:
    assert not runs(TARGETS["test"], {"long"})
    assert runs(TARGETS["test-long"], {"long"})
    assert not runs(TARGETS["test-long"], {"system"})


def test_quick_selects_the_files_that_its_expression_runs() -> None:
    assert {marker for marker in MARKERS if not runs(TARGETS["quick"], {marker})} == NOT_UNIT


def test_make_lists_every_target_and_bootstrap_knows_each() -> None:
    makefile = (ROOT / "Makefile").read_text()
    described = dict(re.findall(r"^([a-z-]+):.*## (.+)$", makefile, re.MULTILINE))
    named = re.search(r"^TARGETS := (.+)$", makefile, re.MULTILINE)
    assert named is not None
    assert set(named[1].split()) == set(described) - {"help"}
    asked = subprocess.run(["sh", ROOT / "provisioning" / "bootstrap.sh"], capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert set(asked.stderr.split()[-1].split("|")) == set(named[1].split())
    assert set(TARGETS) <= set(described)
