"""Promise: whatever is dropped gets a reason within 5 seconds, in bounded memory, from the real parsing child.

The child cannot hold more than its own limit; each reason below is that of the reader, not that of the limit.
"""

from __future__ import annotations

import gzip
import io
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.intake.profile.feed_profile import Profile, load_profile
from appliance.intake.read import parsing
from tests.intake.layouts import NAMES, profile, workbook

SECONDS = 5.0
_MIB = 1024 * 1024
_HEADER = (",".join(NAMES) + "\n").encode()
_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def _zip(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files:
            archive.writestr(name, raw)
    return out.getvalue()


def _sheet(xml: bytes) -> bytes:
    """A workbook whose only sheet is `xml`."""
    book = zipfile.ZipFile(io.BytesIO(workbook(NAMES, [])))
    sheet = "xl/worksheets/sheet1.xml"
    return _zip(*((name, xml if name == sheet else book.read(name)) for name in book.namelist()))


def _sparse_cell(path: Path) -> None:
    """A cell of 1 GiB that takes no disk."""
    with path.open("wb") as file:
        file.write(_HEADER + b'1,"')
        file.truncate(1024 * _MIB)


def _device(path: Path) -> None:
    # A device node needs root; a socket is refused by the same look at the entry.
    import socket

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def _holding(made: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(made())

    return write


_DELIMITED, _JSON = profile(), profile(format="json-array")
_LINES, _XML, _XLSX = profile(format="json-lines"), profile(format="niem-xml"), profile(format="xlsx")
_DETECT = profile(encoding="detect", delimiter="detect")

CASES: dict[str, tuple[str, Callable[[Path], None], Profile, str]] = {
    "cell of 1 GiB": ("a.csv", _sparse_cell, _DELIMITED, "larger than"),
    "cell of 300 MiB": (
        "a.csv.gz",
        _holding(lambda: gzip.compress(_HEADER + b'1,"' + b"x" * 300 * _MIB, 1)),
        _DELIMITED,
        "a record longer",
    ),
    "gzip bomb": (
        "a.csv.gz",
        _holding(lambda: gzip.compress(_HEADER + b"1,2,3,4,5,6\n" * 9 * _MIB)),
        _DETECT,
        "compression bomb",
    ),
    "zip bomb": ("a.zip", _holding(lambda: _zip(("a.csv", b"0\n" * 60 * _MIB))), _DETECT, "compression bomb"),
    "zip in zip": (
        "a.zip",
        _holding(lambda: _zip(("b.zip", _zip(("c.csv", _HEADER))))),
        _DELIMITED,
        "a zip file inside an archive",
    ),
    "gzip in gzip": (
        "a.gz",
        _holding(lambda: gzip.compress(gzip.compress(_HEADER))),
        _DELIMITED,
        "a gzip file inside an archive",
    ),
    "zip with ..": ("a.zip", _holding(lambda: _zip(("../../x.csv", _HEADER))), _DELIMITED, "path parts"),
    "zip of many": (
        "a.zip",
        _holding(lambda: _zip(*((f"{n}.csv", _HEADER) for n in range(1001)))),
        _DELIMITED,
        "more than 1000 files",
    ),
    "JSON of depth 10**6": ("a.json", _holding(lambda: b"[" * 10**6), _JSON, "levels within each other"),
    "JSON line of depth 10**6": (
        "a.json",
        _holding(lambda: b'{"number":' + b"[" * 10**6 + b"]" * 10**6 + b"}\n"),
        _LINES,
        "levels within",
    ),
    "EIDO of depth 10**6": (
        "a.json",
        _holding(lambda: b'{"x":' * 10**6),
        load_profile("eido"),
        "levels within each other",
    ),
    "billion laughs": (
        "a.xml",
        _holding(lambda: b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a>&b;</a>'),
        _XML,
        "entity",
    ),
    "laughs in New World": (
        "a.xml",
        _holding(lambda: b'<!DOCTYPE l [<!ENTITY a "ha">]><CallExport>&a;</CallExport>'),
        load_profile("newworld-callexport"),
        "entity",
    ),
    "XML of depth 10**6": ("a.xml", _holding(lambda: b"<a>" * 10**6), _XML, "levels within each other"),
    "XML text of 200 MiB": (
        "a.xml.gz",
        _holding(lambda: gzip.compress(b"<a><b>" + b"x" * 200 * _MIB, 1)),
        _XML,
        "a record longer",
    ),
    "workbook of a billion rows": (
        "a.xlsx",
        _holding(
            lambda: _sheet(_SHEET + b'<row r="999999999"><c r="A999999999"><v>1</v></c></row></sheetData></worksheet>')
        ),
        _XLSX,
        "more than 1048576 rows",
    ),
    "workbook with a bomb": ("a.xlsx", _holding(lambda: _sheet(_SHEET + b"<a>" * 9 * _MIB)), _XLSX, "compression bomb"),
    "workbook with entities": (
        "a.xlsx",
        _holding(lambda: _sheet(b'<!DOCTYPE l [<!ENTITY a "ha">]>' + _SHEET + b"&a;</sheetData></worksheet>")),
        _XLSX,
        "not an Excel workbook",
    ),
    "a symbolic link": ("a.csv", lambda path: path.symlink_to("/etc/passwd"), _DELIMITED, "a symbolic link"),
    "a FIFO": ("a.csv", lambda path: os.mkfifo(path), _DELIMITED, "not an ordinary file"),
    "a socket": ("a.csv", _device, _DELIMITED, "not an ordinary file"),
    "a name with a line break": ("a\nb.csv", _holding(lambda: _HEADER), _DELIMITED, "control characters"),
    "rubbish": ("a.csv", _holding(lambda: bytes(range(256)) * 40_000), _DETECT, "not "),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_drop_gets_its_reason_soon_and_costs_little(tmp_path: Path, name: str) -> None:
    file, make, reading, reason = CASES[name]
    make(tmp_path / file)
    begun = time.monotonic()
    (found,) = parsing.parse_files(reading, [], [tmp_path / file])
    assert time.monotonic() - begun < SECONDS
    assert found.ending
    assert found.ending.unusable
    assert reason in found.ending.refused[0].reason


def test_the_same_way_in_takes_an_honest_file(tmp_path: Path) -> None:
    """Positive control: what is refused above is not refused because everything is."""
    path = tmp_path / "a.csv"
    path.write_bytes(_HEADER + b"1,2026-01-01 10:00,Assault,A1,,\n")
    honest = profile(time_format="%Y-%m-%d %H:%M")
    found = [
        call.number
        for reading in parsing.parse_files(honest, [], [path])
        for batch in reading.batches()
        for call in batch
    ]
    assert found == ["1"]
