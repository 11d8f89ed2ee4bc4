"""The disk's reserve: what is kept free so that sign-in and the access log go on when the volume is full.

Owns: the size of the reserve and the one question whether it is still there. Must never see: what fills the disk.
Nothing is shown about an officer without an entry in the access log: an appliance that cannot write can show nothing.
Hence exports and uploads are refused while there is still room for entries.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import WardwellError

# A twentieth of the volume, within these bounds (bytes). An entry of the log takes about 2 KiB with its tile.
SHARE = 20
LEAST, MOST = 256 << 20, 2 << 30
FIX = "Have IT free space on the appliance's data volume, or enlarge it (`wardwell disk status`)."


@dataclass(frozen=True)
class Room:
    """Bytes of the volume: in all, free, and how many must stay free."""

    total: int
    free: int
    reserve: int

    @property
    def low(self) -> bool:
        """Whether the reserve is being used up: exports and uploads are refused."""
        return self.free < self.reserve


def room(folder: Path) -> Room:
    """How full the volume of `folder` is. What only root may fill counts as full."""
    state = os.statvfs(folder)
    total = state.f_blocks * state.f_frsize
    return Room(total, state.f_bavail * state.f_frsize, _reserve(total))


def reserve_bytes(folder: Path) -> int:
    """The reserve of the volume of `folder`."""
    return room(folder).reserve


def _reserve(total: int) -> int:
    # A volume smaller than the bounds (a test's, a container's) still keeps its twentieth.
    return min(max(total // SHARE, LEAST), MOST) if total >= 4 * LEAST else total // SHARE


class DiskFull(WardwellError):
    """The reserve is being used up."""


def require_room(folder: Path, what: str) -> None:
    """Raise DiskFull when the reserve of the volume of `folder` is being used up; `what` names what is refused."""
    if room(folder).low:
        raise DiskFull(f"The appliance's disk is nearly full, so {what}.", FIX)
