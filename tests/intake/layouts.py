"""Every layout that intake reads, written by a test: one table of text in, one file's bytes out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import openpyxl
from openpyxl.cell import WriteOnlyCell

from appliance.intake.profile.feed_profile import Columns, Profile

NAMES = ("number", "received", "type", "units", "observed", "disposition")
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """How a table is written (`write`), the profile's fields that read it, and the cells that it can hold at all."""

    name: str
    fields: dict[str, object]
    write: Callable[[Sequence[str], Rows], bytes]
    fits: Callable[[str], str] = lambda cell: cell


def profile(names: Sequence[str] = NAMES, **fields: object) -> Profile:
    """A profile that takes `names` in the order of NAMES."""
    columns = Columns(**dict(zip(NAMES, names, strict=True)))
    given: dict[str, object] = {"format": "delimited", "types": {}, "time_zone": "America/Chicago"}
    return Profile(name="test", description="", columns=columns, **{**given, **fields})  # type: ignore[arg-type]


def _delimited(delimiter: str, encoding: str, quoting: int, end: str) -> Callable[[Sequence[str], Rows], bytes]:
    def write(names: Sequence[str], rows: Rows) -> bytes:
        out = io.StringIO(newline="")
        # The quoting is one of csv's constants.
        csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([names, *rows])  # type: ignore[arg-type]
        return out.getvalue().encode(encoding)

    return write


def _in(encoding: str) -> Callable[[str], str]:
    return lambda cell: cell.replace("\0", "").encode(encoding, "replace").decode(encoding)


def _xml_text(cell: str) -> str:
    """The characters that XML 1.0 has, without the line ends and edges that its readers change."""
    kept = (c for c in cell if c in "\t\n" or 0x20 <= ord(c) < 0xFFFE or ord(c) > 0xFFFF)
    return "".join(kept).strip()


def workbook(names: Sequence[str], rows: Rows) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("calls")
    for row in [names, *rows]:
        cells = [WriteOnlyCell(sheet, "x") for _ in row]
        for cell, text in zip(cells, row, strict=True):
            # Set so, "=1" stays text and becomes no formula.
            cell._value = text  # type: ignore[attr-defined]
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _objects(names: Sequence[str], rows: Rows) -> list[dict[str, str]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _json_lines(encoding: str, *, ascii_only: bool) -> Callable[[Sequence[str], Rows], bytes]:
    def write(names: Sequence[str], rows: Rows) -> bytes:
        lines = [json.dumps(one, ensure_ascii=ascii_only) for one in _objects(names, rows)]
        return "".join(line + "\n" for line in lines).encode(encoding)

    return write


def _json_array(encoding: str, *, indent: int | None = None) -> Callable[[Sequence[str], Rows], bytes]:
    return lambda names, rows: json.dumps(_objects(names, rows), ensure_ascii=False, indent=indent).encode(encoding)


def _wrapped_array(names: Sequence[str], rows: Rows) -> bytes:
    return json.dumps({"made": "today", "data": {"calls": _objects(names, rows)}, "more": [1, {"a": []}]}).encode()


def _niem(encoding: str) -> Callable[[Sequence[str], Rows], bytes]:
    def write(names: Sequence[str], rows: Rows) -> bytes:
        root = ElementTree.Element("{urn:x}Exchange")
        for row in rows:
            record = ElementTree.SubElement(root, "{urn:x}Incident")
            for name, cell in zip(names, row, strict=True):
                ElementTree.SubElement(record, f"{{urn:y}}{name}").text = cell
        made: bytes = ElementTree.tostring(root, encoding=encoding, xml_declaration=True)
        return made

    return write


LAYOUTS = [
    *(
        Layout(
            f"delimited {delimiter!r} {encoding}",
            {"delimiter": delimiter, "encoding": encoding},
            _delimited(delimiter, encoding, quoting, end),
            _in(encoding),
        )
        for delimiter, encoding, quoting, end in (
            (",", "utf-8", csv.QUOTE_MINIMAL, "\r\n"),
            (";", "utf-8-sig", csv.QUOTE_ALL, "\n"),
            ("\t", "utf-16", csv.QUOTE_ALL, "\r\n"),
            ("|", "utf-16-be", csv.QUOTE_NONNUMERIC, "\r\n"),
            (",", "utf-16-le", csv.QUOTE_MINIMAL, "\r\n"),
            ("^", "cp1252", csv.QUOTE_ALL, "\n"),
            ("~", "latin-1", csv.QUOTE_MINIMAL, "\r\n"),
        )
    ),
    *(
        Layout(
            f"delimited, detected {encoding}",
            {"delimiter": delimiter, "encoding": "detect"},
            _delimited(delimiter, encoding, csv.QUOTE_ALL, "\r\n"),
            _in(encoding),
        )
        for delimiter, encoding in ((",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"))
    ),
    Layout("xlsx", {"format": "xlsx"}, workbook, _xml_text),
    Layout("json-lines", {"format": "json-lines"}, _json_lines("utf-8", ascii_only=True)),
    Layout(
        "json-lines utf-16", {"format": "json-lines", "encoding": "detect"}, _json_lines("utf-16", ascii_only=False)
    ),
    Layout("json-array", {"format": "json-array"}, _json_array("utf-8")),
    Layout("json-array utf-8-sig", {"format": "json-array", "encoding": "detect"}, _json_array("utf-8-sig", indent=1)),
    Layout(
        "json-array in an object",
        {"format": "json-array", "record": "data.calls", "dropped": ["made", "more"]},
        _wrapped_array,
    ),
    Layout("niem-xml utf-8", {"format": "niem-xml", "record": "Incident"}, _niem("utf-8"), _xml_text),
    Layout("niem-xml utf-16", {"format": "niem-xml", "record": "Exchange/Incident"}, _niem("utf-16"), _xml_text),
    Layout("niem-xml latin-1", {"format": "niem-xml"}, _niem("iso-8859-1"), _xml_text),
]


def plain(name: str, raw: bytes) -> tuple[str, bytes]:
    """Not packed."""
    return name, raw


def gzipped(name: str, raw: bytes) -> tuple[str, bytes]:
    """In a .gz."""
    return name + ".gz", gzip.compress(raw, mtime=0)


def zipped(name: str, raw: bytes) -> tuple[str, bytes]:
    """In a .zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, raw)
    return name + ".zip", out.getvalue()


PACKINGS = [plain, gzipped, zipped]
