"""Duplicates: six lines or more that are the same in two places.

A line is compared with its whitespace folded. Blank lines, comments, imports and lines without a letter or digit do
not count and do not interrupt. A passage is as long as the two places agree, and counts once per pair of places: three
copies are three pairs. Two files that differ in their names alone do not count; a person sees those, this does not.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

LEAST = 6

_COMMENT = {".py": ("#",), ".sh": ("#",)}
_WORDS = re.compile(r"\w")


@dataclass(frozen=True, order=True)
class Duplicate:
    """Two places with the same passage; `length` counts compared lines."""

    first: str
    second: str
    length: int


def normal_lines(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Line number and folded text of each line of a file that is compared."""
    skipped = _import_lines(path, text)
    comment = _COMMENT.get(Path(path).suffix, ("//", "/*", "*"))
    for number, line in enumerate(text.splitlines(), start=1):
        folded = " ".join(line.split())
        if number not in skipped and _WORDS.search(folded) and not folded.startswith(comment):
            yield number, folded


def _import_lines(path: str, text: str) -> set[int]:
    if path.endswith(".py"):
        imports = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom))
        return {number for node in imports for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    numbers: set[int] = set()
    for found in re.finditer(r"^import\b[^;]*;", text, re.M):
        start = text.count("\n", 0, found.start()) + 1
        numbers.update(range(start, start + found[0].count("\n") + 1))
    return numbers


def duplicates(texts: dict[str, str]) -> list[Duplicate]:
    """Every pair of places with the same passage of six lines or more, in `texts` of path to content."""
    compared = {path: list(normal_lines(path, text)) for path, text in texts.items()}
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for path, lines in compared.items():
        for at in range(len(lines) - LEAST + 1):
            places[tuple(line for _, line in lines[at : at + LEAST])].append((path, at))
    pairs = {
        (first, second)
        for same in places.values()
        for first, second in combinations(same, 2)
        if first[0] != second[0] or second[1] - first[1] >= LEAST
    }

    def after(pair: tuple[tuple[str, int], tuple[str, int]], by: int) -> tuple[tuple[str, int], tuple[str, int]]:
        (first, at), (second, there) = pair
        return (first, at + by), (second, there + by)

    found = []
    for pair in pairs:
        if after(pair, -1) in pairs:
            continue  # inside a passage that began before
        length = LEAST
        while after(pair, length - LEAST + 1) in pairs:
            length += 1
        first, second = (f"{path}:{compared[path][at][0]}" for path, at in pair)
        found.append(Duplicate(first, second, length))
    return sorted(found)
