"""A feed profile in words: what is read, what is dropped on purpose, what each code counts as.

Owns: those words, for `wardwell intake profile show`. Must never see: a file of the feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from appliance.intake.profile.feed_profile import Profile
from appliance.rules.exposure_model import load_model

_FORMATS = {
    "delimited": "delimited text",
    "xlsx": "Excel workbook",
    "json-lines": "JSON, one object per line",
    "json-array": "JSON array",
    "niem-xml": "XML, one element per call",
    "newworld-xml": "New World call export",
    "eido-json": "NENA EIDO documents",
}
_ROWS = {"call": "a call", "unit": "a unit of a call", "status": "a status change of a unit"}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "detect": "found in each file"}
_FACTS = {
    "number": "call number",
    "date": "day",
    "received": "received",
    "dispatched": "dispatched",
    "arrived": "arrived",
    "cleared": "cleared",
    "type": "type it was sent as",
    "observed": "type it was found to be",
    "disposition": "how it was closed",
    "units": "units",
    "primary": "responsible officer",
    "status": "what a unit's status became",
    "status_time": "when it did",
}
# Documents with a layout of their own: the reader knows where units, their times and their people stand.
_OWN_LAYOUT = ("newworld-xml", "eido-json")
_TABLES = ("delimited", "xlsx")
# XML and EIDO say their encoding themselves; a workbook has none.
_ENCODED = ("delimited", "json-lines", "json-array")


def facts(profile: Profile) -> Iterator[tuple[str, str]]:
    """(what, how) of the layout, in the order in which a person checks it."""
    yield "format", _FORMATS[profile.format]
    if profile.format == "delimited":
        yield "delimiter", _DELIMITERS.get(profile.delimiter, repr(profile.delimiter))
    if profile.format in _ENCODED:
        yield "encoding", "found in each file" if profile.encoding == "detect" else profile.encoding
    if profile.format in _TABLES:
        yield "header", "the first row" if profile.header else "none; columns are numbered from 1"
        if profile.skip:
            yield "rows above it", str(profile.skip)
    yield "time zone", profile.time_zone
    if not by_format(profile):
        yield "a row is", _ROWS[profile.row]
    yield "unreadable row", "refuses the file" if profile.refuse == "file" else "is refused alone"
    yield "a call still open", f"counts as settled after {profile.settle_hours} hours"


def read(profile: Profile) -> list[tuple[str, str]]:
    """(fact, column) of what leaves the parser by the profile's own naming."""
    columns = msgspec.structs.asdict(profile.columns)
    return [(words, columns[name]) for name, words in _FACTS.items() if columns[name]]


def by_format(profile: Profile) -> bool:
    """Whether the format itself also says where units, their times and their people stand."""
    return profile.format in _OWN_LAYOUT


def types(profile: Profile) -> list[tuple[str, list[str]]]:
    """(canonical title, the feed's codes) of each type that some code stands for, the heaviest first."""
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for code, kind in profile.types.items():
        codes[kind].append(code)
    known = sorted(load_model().types, key=lambda kind: -kind.weight)
    return [(kind.title, sorted(codes[kind.id])) for kind in known if kind.id in codes]
