"""New World (Aegis) call-export XML, one file per version of a call, into a call version.

Owns: the element names of that layout. Runs only inside the parsing child; entities, external references and document
types are refused by defusedxml. Layout as seen in exports of namespace .../Aegis/CAD/Peripheral/CallExport/2011/02.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from appliance.intake import times
from appliance.intake.delimited import NUMBER, UNIT, Unusable, code, safe
from appliance.intake.profiles import CONDUCT, Profile
from appliance.intake.records import CallVersion, UnitOnCall

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def _local(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _child(parent: Element, name: str) -> Element | None:
    return next((child for child in parent if _local(child) == name), None)


def _children(parent: Element, group: str, name: str) -> list[Element]:
    holder = _child(parent, group)
    return [] if holder is None else [child for child in holder if _local(child) == name]


def _text(parent: Element, name: str) -> str:
    found = _child(parent, name) if name else None
    if found is None or found.get(_NIL) == "true":
        return ""
    return (found.text or "").strip()


def _time(parent: Element, name: str, zone: ZoneInfo) -> datetime | None:
    text = _text(parent, name)
    if times.is_blank(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(0, name, "impossible time") from None
    return times.to_utc(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _unit(element: Element, received: datetime, canceled: bool, zone: ZoneInfo) -> UnitOnCall:
    canceled = canceled or _text(element, "CanceledFlag") == "true"
    unit = _text(element, "UnitNumber")
    if not UNIT.fullmatch(unit):
        raise Unusable(0, "UnitNumber", "a unit that is not a call sign")
    arrived = _time(element, "ArriveDateTime", zone)
    start = arrived or _time(element, "DispatchDateTime", zone) or _time(element, "AssignedDateTime", zone) or received
    crew = [
        number for member in _children(element, "Personnel", "UnitPersonnel") if (number := _text(member, "IDNumber"))
    ]
    return UnitOnCall(
        unit=unit,
        start=start,
        end=_time(element, "ClearDateTime", zone),
        arrived=arrived is not None and not canceled,
        people=crew,
        primary=_text(element, "IsPrimary") == "true",
    )


def parse(raw: bytes, profile: Profile) -> CallVersion:
    """The one call in the file. Raises Unusable naming the wrong or missing element and its line."""
    try:
        return _parse(raw, profile)
    except Unusable as error:
        if error.line == 0 and error.column:
            # The tree keeps no lines; the first element of that name is near enough to find it.
            found = re.search(rb"<(?:\w+:)?" + re.escape(error.column.encode()) + rb"[\s/>]", raw)
            error.line = raw.count(b"\n", 0, found.start()) + 1 if found else 1
        raise


def _parse(raw: bytes, profile: Profile) -> CallVersion:
    try:
        root = ElementTree.fromstring(raw, forbid_dtd=True)
    except DefusedXmlException:
        raise Unusable(1, "", "a document type or entity, which no export needs") from None
    except ElementTree.ParseError as error:
        raise Unusable(error.position[0], "", "not XML") from None
    except (ValueError, LookupError):
        raise Unusable(1, "", "not XML, or in an encoding that is not known") from None
    if _local(root) != "CallExport":
        raise Unusable(1, "", "not a call export: the root element has another name")
    for element in root.iter():
        name = _local(element)
        if CONDUCT.search(name) and name not in profile.dropped:
            raise Unusable(0, safe(name), "an element about conduct; Wardwell takes none, drop it in the profile")
    zone = ZoneInfo(profile.time_zone)
    columns = profile.columns
    number = _text(root, columns.number)
    if not NUMBER.fullmatch(number):
        raise Unusable(0, columns.number, "no call number, or not one of letters and digits")
    received = _time(root, columns.received, zone)
    if received is None:
        raise Unusable(0, columns.received, "this time is missing")
    canceled = _text(root, "CanceledFlag") == "true"
    closed = _time(root, columns.cleared, zone)
    units = [_unit(element, received, canceled, zone) for element in _children(root, columns.units, "Unit")]
    # The layout carries no version number: the latest time in it is when this version was true.
    seen = [received, closed, *(unit.start for unit in units), *(unit.end for unit in units)]
    latest = max(moment for moment in seen if moment is not None)
    state = "closed" if _text(root, "ClosedFlag") == "true" or closed else "open"
    # A closed version outranks an open one of the same time: nothing re-opens by accident.
    return CallVersion(
        line=0,
        number=number,
        stamp=f"{'1' if state == 'closed' else '0'} {latest.isoformat()}",
        received=received,
        type=code(_text(root, columns.type)),
        observed="",
        disposition="",
        primary_name="",
        canceled=canceled,
        units=units,
    )
