"""New World (Aegis) call-export XML, as a stream of call versions: one call per file, or several under one root.

Owns: the element names of that layout, namespace .../Aegis/CAD/Peripheral/CallExport/2011/02. Vendors' jobs write a
call as `CallExport` or as `Call`; both are read, as the root or as the root's children. Runs only inside the parsing
child.

What a call was sent as is the profile's `type` element (NatureOfCall); what the police context calls it, where that
differs, is what it was found to be. A unit whose own times are nil has those of its unit log. A person is known by
IDNumber, else by ShieldNumber.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO
from xml.etree.ElementTree import Element

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.formats import cell_shapes, xmls
from appliance.intake.read.formats.tables import Unusable
from appliance.intake.read.times import WallClock
from appliance.intake.records import NO_CODE, CallVersion, UnitOnCall, seconds

_ROOTS = ("CallExport", "Call")
_DEEPEST = 4
_POLICE = re.compile(r"police|sheriff|law", re.IGNORECASE)


def calls(stream: BinaryIO, profile: Profile, wall: WallClock) -> Iterator[CallVersion]:
    """Every call of the file, `line` being its number in the file. Raises Unusable with the line of the element."""
    number = 0
    with xmls.named_lines(stream):
        for number, element in xmls.records(stream, profile, _is_call):
            yield _call(element, profile, wall, number)
    if number == 0:
        raise Unusable(1, "", "not a call export: no CallExport or Call element")


def _is_call(path: Sequence[str]) -> bool:
    # A service may hand an export on within its envelope.
    return path[-1] in _ROOTS and len(path) <= (_DEEPEST if path[-1] == "CallExport" else 2)


def _child(parent: Element, name: str) -> Element | None:
    return next((child for child in parent if xmls.local(child.tag) == name), None)


def _children(parent: Element, group: str, name: str) -> list[Element]:
    holder = _child(parent, group)
    return [] if holder is None else [child for child in holder if xmls.local(child.tag) == name]


def _text(parent: Element, name: str) -> str:
    child = _child(parent, name) if name else None
    return "" if child is None else xmls.value(child)


def _yes(parent: Element, name: str) -> bool:
    return _text(parent, name).lower() in ("true", "1")


def _time(parent: Element, name: str, wall: WallClock, began: datetime | None = None) -> datetime | None:
    return cell_shapes.moment(_text(parent, name), wall, name, began=began)


def _logged(element: Element, wall: WallClock, began: datetime) -> dict[str, datetime]:
    """When the unit's log first says sent and there, and last says gone."""
    times: dict[str, datetime] = {}
    for entry in _children(element, "UnitLogs", "UnitLog"):
        at = _time(entry, "DateTime", wall, began)
        # What an agency calls its own statuses beyond the usual ones says nothing here.
        step = cell_shapes.step_of(_text(entry, "Status"))
        if at is None:
            continue
        if step == "dispatched":
            times["sent"] = min(times.get("sent", at), at)
        elif step == "arrived":
            times["there"] = min(times.get("there", at), at)
        elif step == "cleared":
            times["gone"] = max(times.get("gone", at), at)
    return times


def _people(element: Element) -> list[str]:
    numbers = [
        _text(member, "IDNumber") or _text(member, "ShieldNumber")
        for member in _children(element, "Personnel", "UnitPersonnel")
    ]
    return [number for number in dict.fromkeys(numbers) if cell_shapes.PERSON.fullmatch(number)]


def _unit(element: Element, canceled: bool, wall: WallClock, seen: list[datetime]) -> UnitOnCall:
    """One unit; its begin and end are added to `seen`, which begins with when the call was received."""
    unit = _text(element, "UnitNumber")
    # A unit without a number still has its crew.
    unit = unit if cell_shapes.UNIT.fullmatch(unit) else NO_CODE
    began, log = seen[0], _logged(element, wall, seen[0])

    def own(name: str) -> datetime | None:
        return _time(element, name, wall, began)

    arrived = own("ArriveDateTime") or log.get("there")
    sent = own("DispatchDateTime") or own("AssignedDateTime") or log.get("sent")
    start, end = arrived or sent or began, own("ClearDateTime") or log.get("gone")
    seen += [start] if end is None else [start, end]
    return UnitOnCall(
        unit=unit,
        start=seconds(start),
        end=None if end is None else seconds(end),
        arrived=arrived is not None and not canceled and not _yes(element, "CanceledFlag"),
        people=_people(element),
        primary=_yes(element, "IsPrimary"),
    )


def _call(call: Element, profile: Profile, wall: WallClock, line: int) -> CallVersion:
    columns = profile.columns
    number = _text(call, columns.number) or _text(call, "CallId")
    if not cell_shapes.NUMBER.fullmatch(number):
        raise Unusable(0, columns.number, cell_shapes.NO_NUMBER)
    contexts = _children(call, "AgencyContexts", "AgencyContext")
    received = _time(call, columns.received, wall)
    if received is None:
        created = [_time(part, "CreatedDateTime", wall) for part in contexts]
        received = min([at for at in created if at is not None], default=None)
    if received is None:
        raise Unusable(0, columns.received, "this time is missing")
    # Fire and medical contexts of the same call may stand first; when none is police, the first one speaks.
    police = next((part for part in contexts if _POLICE.search(_text(part, "AgencyType"))), next(iter(contexts), None))
    named = "" if police is None else _text(police, "CallType")
    sent_as = _text(call, columns.type) or named
    canceled = _yes(call, "CanceledFlag") or (bool(contexts) and all(_yes(part, "CanceledFlag") for part in contexts))
    closed = _time(call, columns.cleared, wall, received)
    # The layout carries no version number: the latest time in it is when this version was true.
    seen = [received]
    units = [_unit(element, canceled, wall, seen) for element in _children(call, columns.units, "Unit")]
    dispositions = [_text(part, "Name") for part in _children(call, "Dispositions", "CallDisposition")]
    latest = max(seen if closed is None else [*seen, closed])
    state = "1" if closed or _yes(call, "ClosedFlag") else "0"
    # A closed version outranks an open one of the same time: nothing re-opens by accident.
    return CallVersion(
        line=line,
        number=number,
        stamp=f"{state} {latest.isoformat()}",
        received=seconds(received),
        type=cell_shapes.code(sent_as),
        observed=cell_shapes.code(named) if named.casefold() != sent_as.casefold() else "",
        disposition=cell_shapes.code(dispositions[-1]) if dispositions else "",
        primary_name="",
        canceled=canceled,
        units=units,
        closed=seconds(closed or latest) if state == "1" else None,
    )
