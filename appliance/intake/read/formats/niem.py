"""NIEM-style XML into rows: which elements make a record and its cells is said by the profile's paths.

Owns: paths. Runs only inside the parsing child. `record` is the path of one call from anywhere below the root, such as
"Incident" or "Exchange/Incident" ("" takes the root's own children); columns are paths within it, by local names:
"ActivityIdentification/IdentificationID", "Unit/@id" for an attribute. Elements that no column names are never read;
only those about conduct have to be dropped by name. Repeated elements: see nested.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO
from xml.etree.ElementTree import Element

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats import xmls
from appliance.intake.read.formats.nested import Layout, Part
from appliance.intake.read.formats.tables import Table

_LOOK = 50


def open_table(stream: BinaryIO, profile: Profile) -> Table:
    """The records of `stream`. Raises Unusable."""
    layout = Layout(profile, "/")
    wanted = profile.record.split("/") if profile.record else []

    def is_record(path: Sequence[str]) -> bool:
        return list(path[-len(wanted) :]) == wanted if wanted else len(path) == 2

    def records() -> Iterator[tuple[int, list[Part]]]:
        with xmls.named_lines(stream):
            for number, element in xmls.records(stream, profile, is_record):
                yield number, list(_parts(element, layout))

    found_rows: Iterator[tuple[int, list[Part]]] = records()
    if not profile.taken:
        first = list(itertools.islice(found_rows, _LOOK))
        layout.look(part.path for _, parts in first for part in parts)
        found_rows = itertools.chain(first, found_rows)
    rows = (row for number, parts in found_rows for row in layout.rows(parts, number))
    where = f"every {profile.record} is a record" if wanted else "every child of the root is a record"
    return Table(layout.header, rows, [f"Read as XML in the encoding that it declares; {where}."])


def _parts(record: Element, layout: Layout) -> Iterator[Part]:
    turns = itertools.count(1)

    def walk(element: Element, path: str, turn: int) -> Iterator[Part]:
        for attribute, text in element.items():
            name = f"{path}/@{xmls.local(attribute)}" if path else f"@{xmls.local(attribute)}"
            if xmls.local(attribute) != "nil" and layout.knows(name):
                yield Part(name, text, turn)
        text = xmls.value(element)
        if text and layout.knows(path):
            yield Part(path, text, turn)
        for child in element:
            inner = f"{path}/{xmls.local(child.tag)}" if path else xmls.local(child.tag)
            yield from walk(child, inner, next(turns) if inner == layout.repeated else turn)

    return walk(record, "", 0)
