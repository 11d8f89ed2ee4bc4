"""Run sheets of other disciplines, drawn by a seed: what an export may look like, and what it says in truth."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import openpyxl

SECRET = ("Zebedee", "Quagmire")
_NAMES = {
    "number": [
        "Run #",
        "Incident Number",
        "INC_NUM",
        "Alarm No",
        "Call No",
        "CFS #",
        "Event",
        "Report No",
        "incident_id",
    ],
    "date": ["Date", "Alarm Date", "Incident Date", "Run Date", "DATE_OF_CALL", "EventDate", "dt"],
    "received": ["Time", "Alarm", "Call Time", "Received", "TOC", "Rcvd", "Psap Time", "Notified", "911 Call"],
    "dispatched": ["Disp", "Dispatched", "Time Dispatched", "Toned", "DSP", "Alerted", "Unit Notified"],
    "enroute": ["Enrt", "En Route", "Resp", "Responding", "Turnout", "Rolling"],
    "arrived": ["Arrv", "Arrived", "On Scene", "OnScn", "1st Unit Arrived", "At Scene", "10-23"],
    "cleared": ["Clear", "Available", "In Service", "CLR", "Last Unit Cleared", "In Svc", "Completed"],
    "type": ["Incident Type", "Nature", "Call Type", "Problem", "TYP", "Determinant", "EventType"],
    "units": ["Units", "Apparatus", "Responding Units", "Unit Times", "Resources", "Equipment", "Companies", "Crew"],
    "disposition": ["Disposition", "Outcome", "Action Taken", "Result", "Clearance"],
    "narrative": ["Narrative", "Remarks", "Call Notes", "Details", "Synopsis"],
    "address": ["Address", "Location", "Street", "Loc", "Block"],
}
_MORE: dict[str, Callable[[random.Random], str]] = {
    "Shift": lambda draw: draw.choice("ABC"),
    "District": lambda draw: f"{draw.randint(1, 40):02}",
    "Pri": lambda draw: str(draw.randint(1, 4)),
    "First Due": lambda draw: draw.choice(["E12", "E9"]),
    "Caller Name": lambda _: "Zebedee Q",
    "Box": lambda draw: str(draw.randint(1000, 9999)),
    "Prepared By": lambda _: "Quagmire",
    "Entry Date": lambda _: "2029-01-01",
}
_UNITS = [
    ["E12", "M5", "L3", "BC1", "T4", "R7"],
    ["WAVE1", "M5", "WAVE2", "BEACH3", "JET1"],
    ["ENGINE 12", "MEDIC 5", "TRUCK 3", "CHIEF 1"],
    ["101", "205", "307", "412"],
]
_TYPES = ["Structure Fire", "Water Rescue", "Chest Pain", "Alarm - Commercial", "Lift Assist", "17A01", "Zorbing"]
_TEXTS = [
    'Zebedee said "smoke", E12=07:01:02',
    "Pt Quagmire, c/o pain;\nto hospital",
    "NULL",
    "",
    "4711 Quagmire Ter @ 06:55",
]
_DAYS = ["%m/%d/%y", "%m/%d/%Y", "%Y-%m-%d", "%d-%b-%y", "%Y%m%d", "%y%m%d", "%b %d, %Y", "%A, %B %d, %Y"]
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H%M", "%H%M%S", "%I:%M %p"]
_SIGNS = {"=": "{unit}={at}", " = ": "{unit} = {at}", "@": "{unit}@{at}", ":": "{unit}:{at}", "(": "{unit} ({at})"}
_SIGNS |= {" ": "{unit} {at}", "-": "{unit}-{at}"}


@dataclass
class Run:
    """One call in truth: when it began, its type, and when each of its units arrived, None for never."""

    began: datetime
    type: str
    arrived: dict[str, datetime | None] = field(default_factory=dict)


@dataclass
class Sheet:
    """A file and what it says: its calls by number. `footers` are lines beneath the table."""

    name: str
    raw: bytes
    runs: dict[str, Run]
    footers: int


class _Writer:
    """One seed's manner of writing, kept over all of its rows."""

    def __init__(self, seed: int) -> None:
        self.draw = draw = random.Random(seed)
        self.layout = draw.choice(["units", "units", "steps", "rows"])
        self.sign = draw.choice([*_SIGNS][:1] * 3 + [*_SIGNS])
        self.between = draw.choice([", ", ",", "; ", "|", "\n"])
        self.full = draw.random() < 0.3
        self.day, self.clock = draw.choice(_DAYS), draw.choice(_CLOCKS)
        self.packed = draw.choice(["%H:%M:%S", "%H:%M:%S", "%H:%M", "%H%M"])
        self.none = draw.choice(["", "NULL", "9999", "-", "N/A"])
        self.padded = draw.random() < 0.3
        self.number = draw.choice(
            ["F{y}-{n:06}", "{y}-{n:07}", "{Y}{n:06}", "INC{n:05}", "{n}", "{Y} {n:06}", "#{y}-{n:05}"]
        )
        fits = [units for units in _UNITS if self.sign != " " or " " not in units[0]]
        self.units = draw.choice(fits)
        self.names = {role: draw.choice(names) for role, names in _NAMES.items()}
        steps = [step for step in ("dispatched", "enroute", "arrived", "cleared") if draw.random() < 0.8]
        if self.layout != "units":
            steps = list(dict.fromkeys(["dispatched", "arrived", *steps]))
        self.columns = ["number", *([] if self.full else ["date"]), "received", *steps, "type", "disposition"]
        self.columns += [*([] if self.layout == "steps" else ["units"]), "narrative", "address"]
        self.columns += draw.sample(list(_MORE), draw.randint(0, 5))
        if draw.random() < 0.5:
            draw.shuffle(self.columns)

    def time(self, at: datetime | None) -> str:
        if at is None:
            return "NULL" if self.full else self.none
        return at.strftime(f"{self.day} {self.clock}" if self.full else self.clock)

    def pack(self, moments: dict[str, datetime | None]) -> str:
        parts = [
            _SIGNS[self.sign].format(unit=u, at=at.strftime(self.packed)) if at else u for u, at in moments.items()
        ]
        return self.between.join(parts) or "NULL"

    def cell(self, column: str, run: Run, number: str, unit: str, steps: dict[str, dict[str, datetime | None]]) -> str:
        if column in _MORE:
            return _MORE[column](self.draw)
        if column in steps:
            if self.layout == "steps":
                return self.pack({u: at for u, at in steps[column].items() if at})
            times = [steps[column][unit]] if unit else [at for at in steps[column].values() if at]
            return self.time(min([at for at in times if at], default=None))
        if column == "units":
            return unit if self.layout == "rows" else self.pack(run.arrived)
        written = {
            "number": number,
            "date": run.began.strftime(self.day),
            "received": self.time(run.began),
            "type": run.type,
            "disposition": self.draw.choice(["No Report", "Handled", "Transported"]),
            "narrative": self.draw.choice(_TEXTS),
            "address": "12 Quagmire Ave & Oak St",
        }
        return written[column]

    def rows(self, number: str, run: Run) -> list[list[str]]:
        """The rows of one call, with times of its steps that follow from those of its units."""
        sent = {u: run.began + timedelta(seconds=self.draw.randint(20, 90)) for u in run.arrived}
        steps: dict[str, dict[str, datetime | None]] = {
            "dispatched": {**sent},
            "enroute": {u: at + timedelta(minutes=1) for u, at in sent.items()},
            "arrived": run.arrived,
            "cleared": {u: (run.arrived[u] or at) + timedelta(minutes=30) for u, at in sent.items()},
        }
        units = list(run.arrived) if self.layout == "rows" else [""]
        found = [[self.cell(column, run, number, unit, steps) for column in self.columns] for unit in units]
        return [[f"  {cell}  " if self.padded else cell for cell in row] for row in found]


def sheet(seed: int) -> Sheet:
    """The run sheet of `seed`."""
    writer = _Writer(seed)
    draw, at, runs, rows = writer.draw, datetime(2021, 9, 14, 6, 1), dict[str, Run](), list[list[str]]()
    for count in range(draw.choice([12, 40, 80])):
        at += timedelta(minutes=draw.randint(3, 300), seconds=draw.randint(0, 59))
        run = Run(at, draw.choice(_TYPES))
        for unit in draw.sample(writer.units, draw.randint(1, 3)):
            run.arrived[unit] = at + timedelta(minutes=draw.randint(4, 20)) if draw.random() < 0.9 else None
        number = writer.number.format(y=at.year % 100, Y=at.year, n=1000 + count)
        runs[number.removeprefix("#")] = run
        rows += writer.rows(number, run)
    header = [writer.names.get(column, column) for column in writer.columns]
    return _file(draw, header, rows, runs)


def _file(draw: random.Random, header: list[str], rows: list[list[str]], runs: dict[str, Run]) -> Sheet:
    form = draw.choice(["csv", "csv", "csv", "xlsx", "json"])
    if form == "json":
        return Sheet("runs.json", json.dumps([dict(zip(header, row, strict=True)) for row in rows]).encode(), runs, 0)
    titled, footed = draw.random() < 0.3, draw.random() < 0.3
    table = [*([["Daily runs"], []] if titled else []), header, *rows]
    table += [["Total runs: 40"], ["Printed 01/02/2024 10:00 by Zebedee"]] if footed else []
    if form == "xlsx":
        book, out = openpyxl.Workbook(), io.BytesIO()
        for row in table:
            book.worksheets[0].append(row)
        book.save(out)
        return Sheet("runs.xlsx", out.getvalue(), runs, 2 * footed)
    text = io.StringIO(newline="")
    delimiter, quoting = draw.choice(",,;\t|"), draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    encoding = draw.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    return Sheet("runs.csv", text.getvalue().encode(encoding), runs, 2 * footed)
