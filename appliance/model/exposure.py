"""The exposure model (`exposure.json`) as typed data.

Owns: reading the one file that the intake, the browser and `appliance.kit.exposure` share: types with weight, rationale
and source, windows, half-life, role factors, patterns. Must never see: a contribution or a person.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "exposure.json"


class IncidentType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A canonical type. `weight` 0..10; `source` is a key of the model's sources; `apco` its APCO common types."""

    id: str
    title: str
    weight: int
    why: str
    source: str
    apco: list[str]
    critical: bool
    heavy: bool


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a person took part; `factor` is a decimal in words, so that no reader changes it by parsing."""

    factor: str
    title: str


class HeavyWeek(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`calls` heavy calls or more within the last `days` days."""

    title: str
    days: int
    calls: int
    reason: str
    source: str


class Nights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`nights` nights or more in a row, within the last `days` days, each with a call between the two local hours."""

    title: str
    days: int
    nights: int
    from_hour: int
    to_hour: int
    reason: str
    source: str


class Patterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    heavy_week: HeavyWeek
    nights: Nights


class ExposureModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; the reasons are words for the officer's page."""

    version: int
    note: str
    sources: dict[str, str]
    windows_days: list[int]
    half_life_days: int
    half_life_reason: str
    weights_reason: str
    roles: dict[str, Role]
    roles_reason: str
    rounding: str
    patterns: Patterns
    incident_notice_days: int
    types: list[IncidentType]

    def type(self, type_id: str) -> IncidentType | None:
        """The canonical type `type_id`, or None: an unknown type weighs nothing."""
        return next((found for found in self.types if found.id == type_id), None)


@cache
def load_model() -> ExposureModel:
    """The model that ships."""
    return msgspec.json.decode(FILE.read_bytes(), type=ExposureModel)
