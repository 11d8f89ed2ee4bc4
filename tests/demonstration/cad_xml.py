"""The second vendor layout of the demonstration: one XML file per version of a call, in the style of New World exports.

Owns: the regional task force's calls, two to four a day, each exported when it opens and again when it closes, now and
then with the older version arriving last. Must never see: a running appliance.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.etree import ElementTree  # only writes; what is read goes through defusedxml

from tests.demonstration.agency import SEED, Agency, Person
from tests.demonstration.cad_csv import put
from tests.demonstration.calls import ADDRESS, Call, free_text, make_call

NAMESPACE = "http://www.newworldsystems.com/Aegis/CAD/Peripheral/CallExport/2011/02"
# type code of the XML layout -> the code of the call CSV whose length and manning it borrows
KINDS = {
    "Welfare Check": "Welfare Check",
    "Structure Fire": "Fire Structure",
    "Suicide Attempt": "Suicide Attempt",
    "Death Investigation": "Deceased Subj",
    "Traffic Accident Injury": "COLL INJ",
    "Disturbance": "Disorderly",
    "Medical Emergency": "Medical",
}


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = text
    return element


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _unit(parent: ElementTree.Element, call: Call, person: Person, *, closed: bool) -> None:
    unit = _add(parent, "Unit")
    _add(unit, "UnitNumber", person.call_sign)
    _add(unit, "IsPrimary", "true" if person is call.primary else "false")
    _add(unit, "AssignedDateTime", _stamp(call.dispatched))
    _add(unit, "DispatchDateTime", _stamp(call.dispatched))
    if closed:
        _add(unit, "ArriveDateTime", _stamp(call.arrived))
        _add(unit, "ClearDateTime", _stamp(call.closed))
    personnel = _add(_add(unit, "Personnel"), "UnitPersonnel")
    _add(personnel, "FirstName", person.given)
    _add(personnel, "LastName", person.family)
    _add(personnel, "IDNumber", person.number)
    _add(personnel, "IsPrimaryOfficer", "true" if person is call.primary else "false")


def render(call: Call, kind: str, *, closed: bool) -> bytes:
    """One version of `call`, as UTF-8 with an XML declaration."""
    narrative, address, caller = free_text(call)
    root = ElementTree.Element("CallExport", {"xmlns": NAMESPACE})
    _add(root, "CallId", str(700000 + call.serial))
    _add(root, "CallNumber", call.number)
    _add(root, "CallSource", "911")
    _add(root, "CallerName", caller)
    _add(root, "CallerPhone", "555-0100")
    _add(root, "NatureOfCall", kind)
    _add(root, "CreateDateTime", _stamp(call.received))
    if closed:
        _add(root, "CloseDateTime", _stamp(call.closed))
    _add(root, "ClosedFlag", "true" if closed else "false")
    _add(root, "CanceledFlag", "false")
    context = _add(_add(root, "AgencyContexts"), "AgencyContext")
    _add(context, "AgencyType", "Police")
    _add(context, "CallType", kind)
    _add(context, "Status", "Closed" if closed else "Active")
    _add(context, "CreatedDateTime", _stamp(call.received))
    location = _add(root, "Location")
    _add(location, "FullAddress", address)
    _add(location, "City", f"Harborview {ADDRESS}")
    note = _add(_add(root, "Narratives"), "Narrative")
    _add(note, "CreateDateTime", _stamp(call.received))
    _add(note, "Text", narrative)
    units = _add(root, "AssignedUnits")
    for person in call.units:
        _unit(units, call, person, closed=closed)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def write_history(agency: Agency, folder: Path, today: date, days: int) -> int:
    """Every version of every task-force call of the `days` days before `today`; how many files were written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for back in range(days, 0, -1):
        day = today - timedelta(days=back)
        chance = random.Random(f"{SEED}/xml/{day.isoformat()}")
        for serial in range(chance.randint(2, 4)):
            kind = chance.choice(list(KINDS))
            received = datetime.combine(day, time(chance.randrange(24), chance.randrange(60)))
            number = f"{day:%Y}-{700000 + day.toordinal() % 10000 * 10 + serial}"
            call = make_call(agency, chance, number, KINDS[kind], received, day.toordinal() % 10000 * 10 + serial)
            versions = [(1, False), (2, True)]
            if chance.random() < 0.1:
                versions.reverse()
            for order, (_, closed) in enumerate(versions, start=1):
                put(folder / f"call_{number}_{order}.xml", render(call, kind, closed=closed))
                written += 1
    return written
