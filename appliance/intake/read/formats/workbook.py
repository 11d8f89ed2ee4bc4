"""Excel workbooks (.xlsx) into rows, as a stream.

Owns: sheets, and how typed cells become text. Runs only inside the parsing child, where openpyxl is loaded (with
defusedxml beneath it, which it uses when it is installed).

A cell that Excel keeps as a date or a time becomes the text that the profile reads: `date` in `date_format`, `received`
in `time_format`, the later steps in `step_format` where there is one; "iso" and "clock" are written so. A time alone in
a column that wants a day becomes ISO text, which the mapping refuses by its column; so do dates elsewhere. Whole
numbers have no decimal point, yes/no cells are TRUE and FALSE, and formulas count as the value last computed.
"""

from __future__ import annotations

import itertools
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats.tables import RECORD_BYTES, TOO_LONG, Table, Unusable, own_spelling

# What the workbook's parts may unpack to. Shared texts are held in memory, the sheet is streamed.
SHARED_BYTES = 64 * 1024 * 1024
SHEET_BYTES = 2 * 1024**3
# Excel's own limit (Microsoft, "Excel specifications and limits"), and far more columns than any export has.
_ROWS, _COLUMNS = 1_048_576, 1000
_NOT_ONE = "not an Excel workbook (.xlsx) that can be read"
_DAY_DIRECTIVES = ("%d", "%j", "%x", "%c", "%D", "%F")
_CLOCK_DIRECTIVES = ("%H", "%I", "%X", "%c", "%T", "%R")


def open_table(stream: BinaryIO, profile: Profile) -> Table:
    """The table of the profile's sheet, or of the first visible one. Raises Unusable."""
    _check_sizes(stream)
    try:
        names, sheet = _sheet(stream, profile)
    except Unusable:
        raise
    except Exception:
        # openpyxl raises whatever its XML, its zip file or its types raise.
        raise Unusable(0, "", _NOT_ONE) from None
    why = "because the profile says so" if profile.sheet else "the first that is visible"
    # The name of a sheet is the agency's own text, so it is not shown; its place is.
    chosen = [f"Read sheet {names.index(sheet.title) + 1} of {len(names)}, {why}."]
    rows = _rows(sheet)
    first = next(itertools.islice(rows, profile.skip, None), None)
    while first is not None and not first[1]:
        first = next(rows, None)
    if first is None:
        return Table([], iter(()), chosen)
    width = _width(first[1])
    if profile.header:
        header = own_spelling([_as_text(cell, "") for cell in first[1][:width]], profile)
        return Table(header, _as_rows(rows, header, profile), chosen)
    header = [str(index + 1) for index in range(width)]
    return Table(header, _as_rows(_with(first, rows), header, profile), chosen)


def _check_sizes(stream: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except Exception:
        raise Unusable(0, "", _NOT_ONE) from None
    for part in parts:
        streamed = part.filename.startswith("xl/worksheets/")
        if part.file_size > (SHEET_BYTES if streamed else SHARED_BYTES):
            raise Unusable(0, "", "a workbook with too much text in it; export it as delimited text")
    stream.seek(0)


def _sheet(stream: BinaryIO, profile: Profile) -> tuple[list[str], Any]:
    import openpyxl

    with warnings.catch_warnings():
        # It warns of pictures and rules that it leaves out.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    names = [sheet.title for sheet in book.worksheets]
    if profile.sheet:
        if profile.sheet not in names:
            raise Unusable(0, "", "the workbook has no sheet of the profile's name")
        return names, book[profile.sheet]
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        raise Unusable(0, "", "the workbook has no visible sheet")
    return names, visible[0]


def _rows(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """(row number as Excel shows it, values). Blank rows at the end, which formatting leaves behind, are left out."""
    # What the sheet says of its own size is often wrong, and would fill rows up or cut them off.
    sheet.reset_dimensions()
    number = blank = 0
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > _ROWS or len(values) > _COLUMNS:
                raise Unusable(number, "", f"more than {_ROWS} rows or {_COLUMNS} columns")
            if _width(values) == 0:
                blank += 1
                continue
            yield from ((number - ago, ()) for ago in range(blank, 0, -1))
            blank = 0
            if sum(len(value) for value in values if isinstance(value, str)) > RECORD_BYTES:
                raise Unusable(number, "", TOO_LONG)
            yield number, values
    except Unusable:
        raise
    except Exception:
        raise Unusable(number + 1, "", _NOT_ONE) from None


def _with(
    first: tuple[int, Sequence[Any]], rows: Iterator[tuple[int, Sequence[Any]]]
) -> Iterator[tuple[int, Sequence[Any]]]:
    yield first
    yield from rows


def _width(values: Sequence[Any]) -> int:
    return max((index + 1 for index, value in enumerate(values) if value is not None), default=0)


def _as_rows(
    rows: Iterator[tuple[int, Sequence[Any]]], header: list[str], profile: Profile
) -> Iterator[tuple[int, list[str]]]:
    columns, step = profile.columns, profile.step_format or profile.time_format
    formats = dict.fromkeys((columns.dispatched, columns.arrived, columns.cleared, columns.status_time), step)
    formats |= {columns.date: profile.date_format, columns.received: profile.time_format}
    wanted = [formats.get(name, "") for name in header]
    for number, values in rows:
        # Excel leaves out the empty cells at a row's end.
        width = max(_width(values), len(header))
        padded = [*values[:width], *[None] * (width - len(values))]
        forms = wanted if width == len(wanted) else [*wanted, *[""] * (width - len(wanted))]
        yield number, [_as_text(value, form) for value, form in zip(padded, forms, strict=True)]


def _as_text(value: Any, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return _in_format(value, form)
    if isinstance(value, time):
        wants_day = form in ("", "iso") or _has(form, _DAY_DIRECTIVES)
        return value.isoformat("seconds") if wants_day or form == "clock" else value.strftime(form)
    if isinstance(value, date):
        named = form not in ("", "iso", "clock") and not _has(form, _CLOCK_DIRECTIVES)
        return value.strftime(form) if named else value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value)
    return str(value)


def _has(form: str, directives: tuple[str, ...]) -> bool:
    return any(directive in form for directive in directives)


def _in_format(moment: datetime, form: str) -> str:
    """`moment` as `form` reads it. Excel has no dates alone: a whole day is midnight of it."""
    # Excel counts in days, so the last microseconds are rounding.
    moment = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
    if form == "clock":
        return moment.time().isoformat()
    return moment.isoformat(" ") if form in ("", "iso") else moment.strftime(form)


def _clock(span: timedelta) -> str:
    """A duration as hours and minutes of a day, such as 24:00:00."""
    seconds = round(span.total_seconds())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
