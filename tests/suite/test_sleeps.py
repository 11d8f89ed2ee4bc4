"""Tests wait for what they need, and one file holds the only sleep: a fixed sleep is too long or too short."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAITING = ROOT / "support" / "waiting.py"
# The demonstration is a program of its own, with its own words for what it waits for.
DEMONSTRATION = ROOT / "demonstration"


def sleeps(text: str) -> list[int]:
    """The lines on which a program sleeps."""
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    names = ("sleep", "wait_for_timeout")
    return [
        func.lineno
        for func in calls
        if (isinstance(func, ast.Attribute) and func.attr in names) or (isinstance(func, ast.Name) and func.id in names)
    ]


def test_only_the_helper_sleeps() -> None:
    files = [path for path in ROOT.rglob("*.py") if path != WAITING and not path.is_relative_to(DEMONSTRATION)]
    assert len(files) > 200
    assert {str(path.relative_to(ROOT)): sleeps(path.read_text()) for path in files if sleeps(path.read_text())} == {}


def test_a_sleep_is_noticed_however_it_is_written() -> None:
    assert sleeps("import time\ntime.sleep(1)\n") == [2]
    assert sleeps("from time import sleep\n\nsleep(1)\n") == [3]
    assert sleeps("page.wait_for_timeout(500)\n") == [1]
    assert sleeps(WAITING.read_text())
