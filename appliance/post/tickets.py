"""Is this a ticket: signed by a key that the whole agency can see in the access log, for this purpose and epoch?

Owns: the ticket's form and its check. Must never see: who drew it; that is what the blind signature hides.
Form (324 bytes): epoch (4, big-endian) || prefix (32) || random (32) || signature (256).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.crypto import blindrsa
from appliance.crypto.trusted_keys import require_witnessed
from appliance.errors import WardwellError
from appliance.rules.months import month_before, month_of
from appliance.settings import Home

CONSTANTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "rules" / "constants.json").read_bytes())
RANDOM_BYTES: int = CONSTANTS["ticket_random_bytes"]
KEY_BITS: int = CONSTANTS["ticket_key_bits"]
TICKET_BYTES = 4 + blindrsa.PREFIX_BYTES + RANDOM_BYTES + KEY_BITS // 8


@dataclass(frozen=True)
class Ticket:
    """A ticket as it arrived. `secret` names it among the spent ones."""

    epoch: int
    prefix: bytes
    random: bytes
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Ticket:
        """Read TICKET_BYTES bytes."""
        if len(raw) != TICKET_BYTES:
            raise ValueError("a ticket has one size")
        prefix_end = 4 + blindrsa.PREFIX_BYTES
        random_end = prefix_end + RANDOM_BYTES
        return cls(int.from_bytes(raw[:4]), raw[4:prefix_end], raw[prefix_end:random_end], raw[random_end:])

    @property
    def secret(self) -> bytes:
        return self.prefix + self.random

    def prepared(self, purpose: str, period: str) -> bytes:
        """The message that was signed blindly."""
        return self.prefix + message(purpose, period, self.epoch, self.random)


def message(purpose: str, period: str, epoch: int, random: bytes) -> bytes:
    """The ticket's message before RFC 9474 prepares it."""
    return f"{CONSTANTS['info_prefix']}/ticket/{purpose}/{period}/{epoch}/".encode() + random


def periods(at: datetime) -> list[str]:
    """The months whose tickets are accepted: this one first, then the one before (UTC)."""
    this = month_of(at)
    return [this, month_before(this)]


class TicketKeys:
    """The published ticket keys, each believed only when its leaf is in a witnessed checkpoint of the log."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._believed: dict[tuple[str, str, str, int], rsa.RSAPublicKey] = {}

    def _published(self) -> list[dict[str, Any]]:
        try:
            published: list[dict[str, Any]] = json.loads((self.home.public / "desk" / "ticket-keys.json").read_bytes())
        except (OSError, ValueError):
            return []
        return published

    def _key(self, purpose: str, period: str) -> rsa.RSAPublicKey | None:
        for entry in self._published():
            if (entry["purpose"], entry["period"]) != (purpose, period):
                continue
            name = (purpose, period, str(entry["spki"]), int(entry["leaf_index"]))
            if name not in self._believed:
                wanted = {"kind": "ticket-key", "purpose": purpose, "period": period, "spki": name[2]}
                try:
                    require_witnessed(
                        self.home,
                        name[3],
                        lambda leaf, wanted=wanted: wanted.items() <= leaf.items(),  # type: ignore[misc]
                    )
                    self._believed[name] = blindrsa.load_public(base64.b64decode(name[2]), KEY_BITS)
                except WardwellError:
                    return None
            return self._believed[name]
        return None

    def valid(self, ticket: Ticket, purpose: str, at: datetime) -> bool:
        """Whether `ticket` is signed for `purpose` by the key of this month or the last; it may still be spent."""
        for period in periods(at):
            key = self._key(purpose, period)
            if key is not None and blindrsa.verify(key, ticket.prepared(purpose, period), ticket.signature):
                return True
        return False
