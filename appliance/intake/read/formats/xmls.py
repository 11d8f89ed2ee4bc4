"""XML as a stream of records, one element at a time.

Owns: the only way XML is parsed: entities, document types and external references are refused by defusedxml, nothing
is ever fetched, and depth and size are bounded. Runs only inside the parsing child.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from appliance.intake.profile.feed_profile import Profile, about_conduct
from appliance.intake.read.formats.tables import DEPTH, TOO_DEEP, TOO_LONG, Metered, Oversized, Unusable, safe, within

ABOUT_CONDUCT = "an element about conduct; Wardwell takes none, drop it in the profile"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def local(name: str) -> str:
    """A tag or attribute without its namespace."""
    return name.rsplit("}", 1)[-1]


def value(element: Element) -> str:
    """The text of `element`, "" when it is marked as nil."""
    return "" if element.get(_NIL) in ("true", "1") else (element.text or "").strip()


@contextlib.contextmanager
def named_lines(stream: BinaryIO) -> Iterator[None]:
    """Give an Unusable that names an element, but no line, the first line with such an element.

    Elements do not know their line; this is near enough to find it.
    """
    try:
        yield
    except Unusable as error:
        if error.line == 0 and error.column:
            stream.seek(0)
            wanted = re.compile(rb"<(?:\w+:)?" + re.escape(error.column.encode()) + rb"[\s/>]")
            lines = io.BufferedReader(Metered(stream), 64 * 1024)
            with contextlib.suppress(Oversized):
                error.line = next((line for line, text in enumerate(lines, 1) if wanted.search(text)), 1)
        raise


def records(
    stream: BinaryIO, profile: Profile, is_record: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[int, Element]]:
    """(number, element) of every element whose path of local names `is_record`; each is gone when the next one comes.

    Raises Unusable: no XML, a document type or entity, an element about conduct that the profile does not drop, more
    than RECORD_BYTES in a record, or more than DEPTH levels.
    """
    metered = Metered(stream)
    path: list[str] = []
    parents: list[Element] = []
    number, inside = 0, 0
    try:
        for event, element in ElementTree.iterparse(
            io.BufferedReader(metered, 64 * 1024), ("start", "end"), forbid_dtd=True
        ):
            if event == "start":
                path.append(local(element.tag))
                parents.append(element)
                _check(element, path, profile)
                if not inside and is_record(path):
                    inside = len(path)
                continue
            if inside == len(path):
                number, inside = number + 1, 0
                metered.whole()
                yield number, element
            path.pop()
            parents.pop()
            if not inside and parents:
                parents[-1].remove(element)
                metered.whole()
    except DefusedXmlException:
        raise Unusable(1, "", "a document type or entity, which no export needs") from None
    except ParseError as error:
        raise Unusable(error.position[0], "", "not XML") from None
    except (ValueError, LookupError):
        raise Unusable(1, "", "not XML, or in an encoding that is not known") from None
    except Oversized:
        raise Unusable(number + 1, "", TOO_LONG) from None


def _check(element: Element, path: list[str], profile: Profile) -> None:
    if len(path) > DEPTH:
        raise Unusable(0, "", TOO_DEEP)
    for name in (path[-1], *map(local, element.attrib)):
        if about_conduct(name) and name not in profile.dropped and not _dropped(path, profile):
            raise Unusable(0, safe(name), ABOUT_CONDUCT)


def _dropped(path: list[str], profile: Profile) -> bool:
    """Whether the element, or one around it, is dropped by its name or by its path within the record."""
    return any(
        name in profile.dropped or within(name, profile.dropped)
        for start in range(len(path))
        for name in ("/".join(path[start:]), path[start])
    )
