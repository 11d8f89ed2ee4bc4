"""Delimited text (CSV and its relatives) into rows, as a stream.

Owns: delimiters, quoting, lines and headers. Runs only inside the parsing child. The cost is that of `csv.reader`: the
file is decoded and split in C, and what is added per row is one generator step.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats import text
from appliance.intake.read.formats.tables import (
    RECORD_BYTES,
    TOO_LONG,
    Metered,
    Oversized,
    Table,
    Unusable,
    ZeroBytes,
    own_spelling,
    safe,
)

_SET_ENCODING = "set the encoding in the feed profile"
_NOT_CLOSED = "quotation marks do not close, or a line break stands outside of them"
_CANDIDATES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "^": "carets", "~": "tildes"}
_SAMPLE = 64 * 1024
_SAMPLE_RECORDS = 200
csv.field_size_limit(RECORD_BYTES)


def open_table(stream: BinaryIO, profile: Profile) -> Table:
    """The table of `stream`, which must seek. Raises Unusable. An empty file has an empty header and no rows.

    `Table.header` is in the profile's spelling. Without a header (`header = false`) the columns are "1", "2", …
    """
    encoding, why = text.choose(stream, profile.encoding)
    delimiter, why_delimiter = _delimiter(stream, encoding, profile)
    records = _Records(stream, encoding, delimiter, profile.encoding)
    rows = iter(records)
    first = next(itertools.islice(rows, profile.skip, None), None)
    chosen = [why, *why_delimiter]
    if first is None:
        return Table([], rows, chosen)
    if not profile.header:
        return Table([str(index + 1) for index in range(len(first[1]))], itertools.chain([first], rows), chosen)
    records.header = own_spelling(first[1], profile)
    return Table(records.header, rows, chosen)


class _Records:
    """The records of one file, and the place where it breaks."""

    def __init__(self, stream: BinaryIO, encoding: str, delimiter: str, named: str) -> None:
        self._stream, self._encoding, self._delimiter = stream, encoding, delimiter
        self._named = encoding.removesuffix("-sig") if named == "detect" else named
        self.header: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """(line where the record starts, cells). Lines end at LF alone, as editors count: cells hold stray CRs."""
        metered = Metered(self._stream, zeros=text.is_wide(self._encoding))
        reader = csv.reader(_lines(metered, self._encoding), delimiter=self._delimiter, strict=True)
        start = 1
        try:
            for cells in reader:
                yield start, cells
                start = reader.line_num + 1
                metered.whole()
        except csv.Error as error:
            ended = "end of data" in str(error)
            reason = TOO_LONG if "field larger" in str(error) else _NOT_CLOSED
            raise Unusable(start, self._open_cell(start, reader.line_num) if ended else "", reason) from None
        except Oversized:
            raise Unusable(start, "", TOO_LONG) from None
        except (UnicodeDecodeError, ZeroBytes) as error:
            raise self._wrong_encoding(start, reader.line_num, isinstance(error, ZeroBytes)) from None
        except UnicodeError:
            raise Unusable(start, "", f"not {self._named}; {_SET_ENCODING}") from None

    def _wrong_encoding(self, start: int, done: int, zeros: bool) -> Unusable:
        """The line and the column where the encoding breaks, found by reading once more up to there."""
        self._stream.seek(0)
        first = self._stream.read(200)
        if first.count(0) * 4 > len(first) and not text.is_wide(self._encoding):
            return Unusable(1, "", f"not {self._named} (it looks like UTF-16); {_SET_ENCODING}")
        mark = "\0" if zeros else "\N{REPLACEMENT CHARACTER}"
        line = next((n for n, record in self._again(start) if n > done and mark in record), done + 1)
        column = self._open_cell(start, line, mark)
        contains = ": it contains zero bytes" if zeros else ""
        return Unusable(line, column, f"not {self._named}{contains}; {_SET_ENCODING}")

    def _open_cell(self, start: int, line: int, mark: str = "") -> str:
        """The column of the cell in which the text of lines `start` to `line` breaks off, or stands before `mark`."""
        lines = [text for _, text in itertools.takewhile(lambda at: at[0] <= line, self._again(start))]
        if mark and lines:
            lines[-1] = lines[-1].split(mark)[0]
        try:
            # The mark makes the cell that was about to begin a cell of the last record.
            records = list(csv.reader(io.StringIO("".join(lines) + "?", newline="\n"), delimiter=self._delimiter))
        except csv.Error:
            return ""
        index = len(records[-1]) - 1
        header = self.header or (records[0] if start == 1 and len(records) > 1 else [])
        return safe(header[index].strip()) if index < len(header) else f"column {index + 1}"

    def _again(self, start: int) -> Iterator[tuple[int, str]]:
        """(number, line) from line `start` on, a whole file's text at most RECORD_BYTES of it in memory."""
        self._stream.seek(0)
        lines = _lines(Metered(self._stream), self._encoding, errors="replace")
        try:
            yield from itertools.islice(enumerate(lines, 1), start - 1, None)
        except (Oversized, UnicodeError):
            # Replacing what does not decode is no help against UTF-16 without its byte-order mark.
            return


def _lines(metered: Metered, encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    buffered = io.BufferedReader(metered, 256 * 1024)
    try:
        return io.TextIOWrapper(buffered, encoding, errors, newline="\n")
    except LookupError:
        raise Unusable(0, "", f"an encoding that is not known; {_SET_ENCODING}") from None


def _delimiter(stream: BinaryIO, encoding: str, profile: Profile) -> tuple[str, list[str]]:
    if profile.delimiter != "detect":
        return profile.delimiter, []
    stream.seek(0)
    sample = stream.read(_SAMPLE)
    stream.seek(0)
    lines = sample.decode(encoding, errors="replace").removeprefix("\N{BYTE ORDER MARK}")
    best = max(_CANDIDATES, key=lambda candidate: _evenness(lines, candidate))
    share, count = _evenness(lines, best)
    if count < 2:
        return ",", ["Split at commas, because no delimiter makes more than one column."]
    return best, [f"Split at {_CANDIDATES[best]}, because {share:.0%} of the first records then have {count} cells."]


def _evenness(lines: str, delimiter: str) -> tuple[float, int]:
    """(share of the records that have the most frequent number of cells, that number); (0, 1) when that is one."""
    reader = csv.reader(io.StringIO(lines, newline="\n"), delimiter=delimiter)
    counts: Counter[int] = Counter()
    try:
        # The last record of a sample is cut off.
        counts.update(len(cells) for cells in itertools.islice(reader, _SAMPLE_RECORDS) if cells)
    except csv.Error:
        return 0.0, 1
    if not counts:
        return 0.0, 1
    number, count = counts.most_common(1)[0]
    return (round(count / counts.total(), 2), number) if number > 1 else (0.0, 1)
