"""Runs the measurements of `make bench` and the attacks of `make attacks`, and writes down what they found.

Owns: `.bench/results.json` and `.bench/attacks.json`, lists of `{name, value, unit, against, control, date}`, and which
areas there are: each module of `tests.demonstration.bench` or `tests.demonstration.attacks` with a `run()`. Must never
see: an agency's own appliance; areas measure on homes that they make.

`run()` returns an iterable of mappings with name ("area.figure"), value, unit, against (what it is compared with, or
"") and control (what shows that the measurement can fail, or ""). The date is added here.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from appliance import clock

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
FIELDS = ("name", "value", "unit", "against", "control")


def areas(package: str) -> dict[str, Any]:
    """Area name -> module, for each module with a `run()`."""
    parent = importlib.import_module(package)
    found = {}
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        if callable(getattr(module, "run", None)):
            found[info.name] = module
    return found


def checked(rows: Iterable[Mapping[str, Any]], area: str, day: str) -> list[dict[str, Any]]:
    """The rows with their date, fields in order. Raises ValueError when one lacks a field."""
    done = []
    for row in rows:
        missing = [field for field in FIELDS if field not in row]
        if missing:
            raise ValueError(f"a figure of {area} lacks {', '.join(missing)}")
        done.append({**{field: row[field] for field in FIELDS}, "date": day})
    return done


def merged(path: Path, fresh: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stood in the file, with the figures of the same name replaced."""
    old = json.loads(path.read_text()) if path.exists() else []
    names = {row["name"] for row in fresh}
    return sorted([row for row in old if row["name"] not in names] + fresh, key=lambda row: str(row["name"]))


def main(package: str, file: str) -> None:
    """Run the areas of `package` and write `.bench/FILE`; exit code 1 when an area failed."""
    parser = argparse.ArgumentParser(prog=package)
    parser.add_argument("--only", metavar="AREA", default="")
    only = parser.parse_args().only
    known = areas(package)
    if only and only not in known:
        sys.exit(f"wardwell: there is no area {only!r}.\n  what to do: one of {', '.join(known) or '(none yet)'}")
    fresh: list[dict[str, Any]] = []
    failed = []
    for area, module in known.items():
        if only and area != only:
            continue
        sys.stdout.write(f"== {area}\n")
        sys.stdout.flush()
        started = time.monotonic()
        try:
            rows = checked(module.run(), area, clock.now().date().isoformat())
        except Exception as error:  # one area that fails must not hide the figures of the others
            sys.stdout.write(f"   failed: {type(error).__name__}: {error}\n")
            failed.append(area)
            continue
        for row in rows:
            compared = f"  (against: {row['against']})" if row["against"] else ""
            sys.stdout.write(f"   {row['name']} = {row['value']} {row['unit']}{compared}\n")
        sys.stdout.write(f"   {time.monotonic() - started:.1f} s\n")
        fresh += rows
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / file
    path.write_text(json.dumps(merged(path, fresh), indent=1) + "\n")
    sys.stdout.write(f"written: {path.relative_to(ROOT)}\n")
    if failed:
        sys.exit(f"wardwell: {', '.join(failed)} failed.\n  what to do: read the lines above.")
