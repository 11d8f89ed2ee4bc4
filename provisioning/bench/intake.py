"""How long the dry run takes beside reading the same rows with Python's own csv module, in one run.

Owns: generated rows in a scratch folder. Must never see: a real feed.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from typing import Any

from appliance import clock
from appliance.intake.check import check
from appliance.intake.profiles import load_profile

ROWS = 100_000
_CONTROL = "both readings must count the same rows, or the measurement fails"
_HEADER = [
    *("case_number", "date", "received", "dispatched", "arrived", "cleared", "type", "grid_location", "location"),
    *("address", "observed_crime", "responsible_officer", "units", "description", "call_comments", "clearance_code"),
]


def _write(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for number in range(ROWS):
            units = f"42{number % 90:02d},42{(number * 7) % 90:02d}"
            free = "words " * 12
            writer.writerow(
                [
                    number,
                    "10/14/26",
                    "10:01",
                    "10:03",
                    "10:12",
                    "",
                    "Theft",
                    "P1",
                    free,
                    free,
                    "",
                    "A",
                    units,
                    free,
                    free,
                    "",
                ]
            )


def run() -> list[dict[str, Any]]:
    """`intake.rows_ratio`: time of `intake check` over that of plain csv reading, same file, same run."""
    profile = load_profile("san-luis-obispo")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "cad_export_20261014_233100.csv"
        _write(path)
        begin = time.perf_counter()
        with path.open(newline="") as file:
            read = sum(1 for _ in csv.reader(file)) - 1
        plain = time.perf_counter() - begin
        begin = time.perf_counter()
        for _, account in check([path], profile, []):
            rows = account.rows
        took = time.perf_counter() - begin
    if read != rows:
        raise RuntimeError("the two readings differ")
    date = clock.now().date().isoformat()
    against = f"csv.reader, {ROWS} rows: {plain:.2f} s"
    return [
        {
            "name": "intake.rows_per_second",
            "value": round(rows / took),
            "unit": "rows/s",
            "against": against,
            "control": _CONTROL,
            "date": date,
        },
        {
            "name": "intake.rows_ratio",
            "value": round(took / plain, 1),
            "unit": "x",
            "against": against,
            "control": _CONTROL,
            "date": date,
        },
    ]
