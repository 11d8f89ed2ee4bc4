"""From a call version to what may leave the parsing child: people, a canonical type, a digest of the rest.

Owns: that last step of minimising. Runs only inside the child. Must never pass on: a code that is mapped, a name, a
unit that was matched to nobody more than once per call.
"""

from __future__ import annotations

import hashlib

import msgspec

from appliance.intake.profile.feed_profile import Profile
from appliance.intake.read.matching import Crew
from appliance.intake.records import CallVersion, Person, Sighting

# Codes of one feed are few; a feed that has more than this puts text where codes belong.
_CODES = 10_000
_encode = msgspec.msgpack.Encoder().encode


class Sightings:
    """Turns call versions of one feed into sightings, remembering what it looked up."""

    def __init__(self, profile: Profile, crew: Crew, *, crewed_later: bool = False) -> None:
        """`crewed_later`: who was there is left open, beyond what the feed itself and the roster say of its units."""
        self._profile, self._crew, self._crewed_later = profile, crew, crewed_later
        self._types: dict[tuple[str, str], tuple[str, list[str]]] = {}

    def of(self, version: CallVersion) -> Sighting:
        """What leaves the child of `version`."""
        codes = (version.type, version.observed)
        known = self._types.get(codes)
        if known is None:
            if len(self._types) > _CODES:
                self._types.clear()
            known = self._types[codes] = (self._profile.kind(version), list(self._profile.unmapped(version)))
        involved: list[Person] = []
        unmatched: list[str] = []
        parts = None
        if self._crewed_later:
            parts = self._crew.parts(version, self._profile)
        else:
            involved, unmatched = self._crew.match(version, self._profile)
        return Sighting(
            version.line,
            version.number,
            version.stamp,
            hashlib.sha256(_encode(_content(version))).digest()[:16],
            version.received,
            known[0],
            version.canceled,
            version.closed is not None,
            version.adds,
            version.merged_into,
            involved,
            unmatched,
            known[1],
            parts,
        )


def _content(version: CallVersion) -> tuple[object, ...]:
    """The facts that make a later version an update: everything but where it stood and when it was exported."""
    call = version
    codes = (call.type, call.observed, call.disposition, call.primary_name, call.canceled)
    return (call.number, call.received, codes, call.units, call.adds, call.merged_into, call.closed)
