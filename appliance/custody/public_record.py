"""What is public about custody: the scheme, who holds cards and how to call them, and check values.

Owns: `/etc/wardwell/custody.json` and `/etc/wardwell/backup.pub`, on the system disk, since they are needed while the
appliance is sealed. Must never see: a card, or the root secret. A check value tells right from wrong and nothing more:
a card carries 256 random bits, and the custody key is a public key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from appliance import durable
from appliance.custody.shares import GROUPS, Card
from appliance.errors import WardwellError
from appliance.settings import CONFIGURATION, RUNTIME, Home

LEAST_HOLDERS = 3
GROUP_NAMES = {"agency": "Agency", "trustee": "Officers' trustee"}


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who holds card `card` of their group; `place` is the workstation where they can type it."""

    name: str
    place: str
    telephone: str
    card: int = 1


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side: `threshold` of its cards are needed; `checks` are the check values of its cards, in order."""

    name: str
    threshold: int
    checks: list[str]
    holders: list[Holder]


class PublicRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`custody.json`. `state` is "preparing" until the data volume was made and opened once.

    `device` is the encrypted block device, "" for a plain folder. `retired` are the numbers of older sets of cards.
    `ceremony` is False when the cards were made by a program, for a demonstration or a test.
    `next` is the set that a running change to a new root secret leads to.
    """

    v: int = 1
    state: Literal["preparing", "held"]
    made_at: str
    set_number: int
    groups: list[Group]
    custody_key: str
    recipient: str
    device: str
    ceremony: bool = True
    retired: list[int] = []
    next: PublicRecord | None = None

    def group(self, name: str) -> Group:
        """The group called `name`."""
        return next(group for group in self.groups if group.name == name)

    def knows(self, card: Card) -> bool:
        """Whether `card` is one of this set."""
        return card.set_number == self.set_number and card.check in self.group(card.group).checks


@dataclass(frozen=True)
class Places:
    """Where custody's own files lie: on the system disk and in memory, never on the data volume."""

    home: Home
    etc: Path
    run: Path

    @classmethod
    def of(cls, home: Home) -> Places:
        """The machine's own places for the installed appliance, else folders inside the state."""
        if home.production:
            return cls(home, CONFIGURATION, RUNTIME)
        return cls(home, home.root / "custody" / "etc", home.root / "custody" / "run")

    @property
    def record(self) -> Path:
        return self.etc / "custody.json"

    @property
    def recipient(self) -> Path:
        """The age recipient that backups are sealed to."""
        return self.etc / "backup.pub"

    @property
    def keys(self) -> Path:
        """The folder of the compartments' keys, in memory, root's alone."""
        return self.run / "keys"

    @property
    def unsealed(self) -> Path:
        """Exists while the appliance is unsealed."""
        return self.run / "unsealed"

    @property
    def socket(self) -> Path:
        """Where custody's process answers."""
        return self.run / "custody.sock"


def load(places: Places) -> PublicRecord:
    """Read `custody.json`. Raises WardwellError when no ceremony was held, or the file is damaged."""
    record = load_if_there(places)
    if record is None:
        raise WardwellError("No custody ceremony has been held yet.", "Hold it: `wardwell custody ceremony`.")
    return record


def load_if_there(places: Places) -> PublicRecord | None:
    """Like `load`, and None when there is no such file."""
    try:
        return msgspec.json.decode(places.record.read_bytes(), type=PublicRecord)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError(
            f"{places.record} is damaged.", "Put it back from a copy of the settings; it holds nothing secret."
        ) from None


def save(places: Places, record: PublicRecord) -> None:
    """Write `custody.json` and `backup.pub`, each whole or not at all, readable by everybody."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1)
    durable.replace(places.recipient, f"{record.recipient}\n".encode(), mode=0o644)
    durable.replace(places.record, text + b"\n", mode=0o644)


def too_few_holders(record: PublicRecord) -> list[str]:
    """The groups that fewer than three people can unseal for."""
    return [name for name in GROUPS if len(record.group(name).holders) < LEAST_HOLDERS]
