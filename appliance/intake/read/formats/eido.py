"""NENA EIDO (NENA-STA-021.1, Emergency Incident Data Object, version 1.0) into call versions.

Owns: what is read of an EIDO. Runs only inside the parsing child. Only the parts named below are ever decoded; notes,
locations, persons, vehicles and call-back numbers are skipped by the decoder.

One document tells how an incident stands at one moment, so it *adds*: what it leaves out is not gone. A unit's time on
the call grows out of successive documents: sent, on scene, clear. An incident is known by its tracking identifier
without the prefix urn:emergency:uid:incidentid. Call takers are on the call from its first ring. A file holds one
document, an array of them, or one per line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import msgspec

from appliance.intake.profile.feed_profile import Profile, about_conduct
from appliance.intake.read.formats import cell_shapes, jsons, text
from appliance.intake.read.formats.tables import Metered, Oversized, Unusable, safe
from appliance.intake.read.times import WallClock
from appliance.intake.records import NO_CODE, CallVersion, UnitOnCall, seconds

# Documents are decoded as a whole; a real one has some 10 kB.
FILE_BYTES = 32 * 1024 * 1024
_TYPES = ("incidentTypeCommonRegistryText", "incidentTypeInternalCode", "incidentTypeInternalText")
_LETTERS = re.compile(r"[^a-z]")
# Letters of the statuses of an incident.
_CLOSED = frozenset({"closed", "complete", "completed", "resolved"})
_CANCELED = frozenset({"canceled", "cancelled"})


class _Reference(msgspec.Struct):
    to: str = msgspec.field(name="$ref", default="")


class _Component(msgspec.Struct, kw_only=True):
    id: str = msgspec.field(name="$id", default="")
    at: str = msgspec.field(name="lastUpdateTimeStamp", default="")


class _Disposition(_Component, kw_only=True):
    dispositionCommonRegistryCode: str = ""
    dispositionPrimaryIndicator: bool = False


class _Incident(_Component, kw_only=True):
    incidentTypeCommonRegistryText: str = ""
    incidentTypeInternalCode: str = ""
    incidentTypeInternalText: str = ""
    incidentStatusCommonRegistryText: list[str] = []
    dispositionComponent: list[_Disposition] = []


class _Call(_Component, kw_only=True):
    callStartTimestamp: str = ""
    agentReference: list[_Reference] = []


class _Resource(_Component, kw_only=True):
    emergencyResourceName: str = ""
    primaryUnitStatusRegistryText: str = ""
    secondaryUnitStatusRegistryText: list[str] = []
    unitStatusInternal: list[str] = []
    agentReference: list[_Reference] = []
    activeOnIncidentId: str = ""


class _Merge(_Component, kw_only=True):
    incidentTrackingIdentifier: str = ""
    incidentMergeDirectionCode: str = ""


class _Eido(_Component, kw_only=True):
    incidentComponent: _Incident = msgspec.field(default_factory=_Incident)
    callComponent: list[_Call] = []
    emergencyResourceComponent: list[_Resource] = []
    mergeComponent: list[_Merge] = []


def calls(stream: BinaryIO, profile: Profile, wall: WallClock) -> Iterator[CallVersion]:
    """Every document of the file, `line` being its number in the file. Raises Unusable."""
    encoding, _why = text.choose(stream, profile.encoding)
    raw = stream.read(FILE_BYTES + 1)
    if len(raw) > FILE_BYTES:
        raise Unusable(0, "", f"an EIDO document larger than {FILE_BYTES // 1024 // 1024} MB; drop smaller files")
    for number, document in enumerate(_documents(raw, encoding, profile), 1):
        yield _Reader(document, profile, wall, number).version()


def _documents(raw: bytes, encoding: str, profile: Profile) -> list[_Eido]:
    line = 0
    try:
        whole = raw.decode(encoding)
        # One document per line is the only shape in which the first line is whole by itself and not alone.
        first, _, rest = whole.strip().partition("\n")
        if rest and _is_whole(first):
            texts = [text for text in whole.splitlines() if text.strip()]
        else:
            texts = [whole]
        documents: list[_Eido] = []
        for line, text in enumerate(texts, 1):
            _refuse_conduct(text, profile, line)
            document = msgspec.json.decode(text, type=_Eido | list[_Eido])
            documents += document if isinstance(document, list) else [document]
    except UnicodeDecodeError:
        raise Unusable(0, "", "JSON in a different encoding than the profile names") from None
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        # What msgspec says would be safe, but its paths ($[0].callComponent) help nobody at a CAD.
        raise Unusable(line, "", "not an EIDO document (NENA-STA-021)") from None
    return documents


def _is_whole(line: str) -> bool:
    try:
        msgspec.json.decode(line, type=_Eido)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _refuse_conduct(text: str, profile: Profile, line: int) -> None:
    """Walk every name of the document once: no depth, no name about conduct goes by unseen."""
    import ijson

    metered = Metered(io.BytesIO(text.encode()), limit=FILE_BYTES)
    try:
        for event, name in jsons.events(metered, "utf-8"):
            if event == "map_key" and about_conduct(name) and name not in profile.dropped:
                raise Unusable(line, safe(name), "a field about conduct; Wardwell takes none, drop it in the profile")
    except (ijson.JSONError, ValueError, Oversized):
        raise Unusable(line, "", "not JSON") from None


def _tracked(identifier: str) -> str:
    """An incident tracking identifier as a call number: "urn:emergency:uid:incidentid:ID:HOST" is "ID/HOST"."""
    known = identifier.removeprefix("urn:emergency:uid:incidentid:")
    short = known.replace(":", "/")
    return short if cell_shapes.NUMBER.fullmatch(short) else known.partition(":")[0]


def _letters(status: str) -> str:
    return _LETTERS.sub("", status.lower())


class _Reader:
    """One document as a version of its call."""

    def __init__(self, document: _Eido, profile: Profile, wall: WallClock, line: int) -> None:
        self.document, self.profile, self.wall, self.line = document, profile, wall, line

    def version(self) -> CallVersion:
        """Raises Unusable naming the field."""
        document, incident = self.document, self.document.incidentComponent
        number = _tracked(document.id)
        if not cell_shapes.NUMBER.fullmatch(number):
            raise Unusable(self.line, "$id", cell_shapes.NO_NUMBER)
        at = self._moment(document.at, "lastUpdateTimeStamp")
        if at is None:
            raise Unusable(self.line, "lastUpdateTimeStamp", "this time is missing")
        rung = [self._moment(call.callStartTimestamp, "callStartTimestamp") for call in document.callComponent]
        received = min([moment for moment in rung if moment is not None], default=at)
        statuses = {_letters(status) for status in incident.incidentStatusCommonRegistryText}
        canceled = bool(statuses & _CANCELED)
        # A call that was split from another is one of its own, with the units that it names itself.
        replaced_by = [
            _tracked(merge.incidentTrackingIdentifier)
            for merge in document.mergeComponent
            if merge.incidentMergeDirectionCode == "REPLACED"
        ]
        return CallVersion(
            line=self.line,
            number=number,
            stamp=at.isoformat(),
            received=seconds(received),
            type=cell_shapes.code(self._type()),
            observed="",
            disposition=cell_shapes.code(self._disposition()),
            primary_name="",
            canceled=canceled,
            units=[*self._call_takers(received), *self._units(at, received, number, canceled)],
            adds=True,
            merged_into=next(iter(replaced_by), ""),
            closed=seconds(at) if canceled or statuses & _CLOSED else None,
        )

    def _moment(self, written: str, name: str, began: datetime | None = None) -> datetime | None:
        return cell_shapes.moment(written, self.wall, name, self.line, began)

    def _type(self) -> str:
        """The profile may name one of the three fields; the first that is filled speaks otherwise."""
        names = [name for name in (self.profile.columns.type,) if name in _TYPES]
        return next(
            (kind for name in [*names, *_TYPES] if (kind := getattr(self.document.incidentComponent, name))), ""
        )

    def _disposition(self) -> str:
        dispositions = self.document.incidentComponent.dispositionComponent
        primary = [
            disposition for disposition in dispositions if disposition.dispositionPrimaryIndicator
        ] or dispositions
        return primary[-1].dispositionCommonRegistryCode if primary else ""

    def _call_takers(self, received: datetime) -> list[UnitOnCall]:
        agents = [
            reference.to.partition("@")[0] for call in self.document.callComponent for reference in call.agentReference
        ]
        return [
            UnitOnCall(unit=agent, start=seconds(received), end=None, arrived=True, people=[agent], primary=False)
            for agent in dict.fromkeys(agents)
            if cell_shapes.UNIT.fullmatch(agent)
        ]

    def _units(self, at: datetime, received: datetime, number: str, canceled: bool) -> list[UnitOnCall]:
        units = []
        for resource in self.document.emergencyResourceComponent:
            unit = resource.emergencyResourceName or resource.id.partition("@")[0]
            since = self._moment(resource.at, "lastUpdateTimeStamp", received) or at
            steps = {
                cell_shapes.step_of(status)
                for status in (
                    resource.primaryUnitStatusRegistryText,
                    *resource.secondaryUnitStatusRegistryText,
                    *resource.unitStatusInternal,
                )
            }
            elsewhere = bool(resource.activeOnIncidentId) and _tracked(resource.activeOnIncidentId) != number
            arrived = "arrived" in steps and not elsewhere
            gone = not arrived and (elsewhere or ("cleared" in steps and "dispatched" not in steps))
            people = [reference.to.partition("@")[0] for reference in resource.agentReference]
            units.append(
                UnitOnCall(
                    unit=unit if cell_shapes.UNIT.fullmatch(unit) else NO_CODE,
                    start=seconds(since),
                    end=seconds(since) if gone else None,
                    arrived=arrived and not canceled,
                    people=[person for person in people if cell_shapes.PERSON.fullmatch(person)],
                    primary=False,
                )
            )
        return units
