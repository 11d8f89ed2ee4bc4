"""Where an open epoch lives: a folder in memory, never on a disk.

Owns: arriving cells, spent tickets, and the lock that keeps cells out while the epoch's number changes. A killed
process loses nothing here, a restarted machine loses everything: browsers then send again in their normal slots.
Must never see: who sent a cell. Files carry random names and no time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from appliance import durable
from appliance.errors import WardwellError
from appliance.settings import Home

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def _filesystem(path: Path) -> str:
    """The type of the file system that holds `path`, from the kernel's list of mounts."""
    best, kind_of_mount = "", ""
    target = str(path.resolve())
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        point, kind = fields[4], fields[fields.index("-") + 1]
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind_of_mount = point, kind
    return kind_of_mount


class Memory:
    """The memory folder of one appliance: `$RUNTIME_DIRECTORY`, else a folder of its own in /dev/shm.

    Raises WardwellError when that is not backed by memory.
    """

    def __init__(self, home: Home) -> None:
        name = "wardwell-post-" + hashlib.sha256(str(home.root).encode()).hexdigest()[:16]
        given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
        parent = Path(given or "/dev/shm")  # noqa: S108 - memory, private below
        if _filesystem(parent) not in _IN_MEMORY:
            raise WardwellError(
                f"{parent} is not backed by memory, so cells may not be kept there.",
                "Mount a tmpfs there, or set RuntimeDirectory= in post's unit.",
            )
        self.folder = parent / name
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_uid != os.geteuid():
            raise WardwellError(f"{self.folder} belongs to somebody else.", "Remove it and start post again.")

    def arriving(self) -> contextlib.AbstractContextManager[None]:
        """Held while a cell is put: the epoch's number does not change meanwhile."""
        return durable.locked(self.folder / "arrivals.lock", shared=True)

    def turning(self) -> contextlib.AbstractContextManager[None]:
        """Held while the epoch's number changes: no cell is put meanwhile."""
        return durable.locked(self.folder / "arrivals.lock")

    def closing(self) -> contextlib.AbstractContextManager[None]:
        """Held while boards are made: one process at a time."""
        return durable.locked(self.folder / "closing.lock")

    def _create(self, path: Path, data: bytes) -> bool:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with durable.new_file(path, mode=0o600, synced=False) as file:
                file.write(data)
                file.flush()
                os.utime(file.fileno(), (0, 0))
        except FileExistsError:
            return False
        return True

    def spend(self, epoch: int, ticket: bytes) -> bool:
        """Mark a ticket of `epoch` as spent; False when it was before. One file per ticket: the kernel decides."""
        return self._create(self.folder / "spent" / str(epoch) / hashlib.sha256(ticket).hexdigest(), b"")

    def put(self, epoch: int, kind: str, cell: bytes) -> None:
        """Keep an arrived cell until `epoch` closes."""
        self._create(self.folder / "cells" / str(epoch) / kind / secrets.token_hex(16), cell)

    def cells(self, epoch: int, kind: str, size: int) -> list[bytes]:
        """The whole cells (of `size` bytes) of `epoch`, sorted by their random ids."""
        folder = self.folder / "cells" / str(epoch) / kind
        cells = [path.read_bytes() for path in folder.iterdir()] if folder.is_dir() else []
        # A process killed while writing leaves a short file; its sender got no answer and sends again.
        return sorted(cell for cell in cells if len(cell) == size)

    def count(self, epoch: int, kind: str) -> int:
        """How many cells of `kind` have arrived in `epoch`."""
        folder = self.folder / "cells" / str(epoch) / kind
        return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0

    def forget(self, epoch: int) -> None:
        """Forget cells of epochs before `epoch`, and tickets that are too old to be accepted in it."""
        for name, first in (("cells", epoch), ("spent", epoch - 1)):
            folder = self.folder / name
            for path in list(folder.iterdir()) if folder.is_dir() else []:
                if int(path.name) < first:
                    shutil.rmtree(path)
