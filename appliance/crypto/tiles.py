"""How a log lies in files: C2SP tlog-tiles, built leaf by leaf and written so that readers never see a torn file.

Owns: paths, tile and bundle bytes, the order of writing (tiles, then the checkpoint over them).
Must never see: what a leaf says, or a key. Sizes: a tile holds up to 256 hashes of 32 bytes, a bundle up to 256 entries
of at most 65,535 bytes, each behind its length (2 bytes, big-endian).
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from appliance import durable
from appliance.crypto import merkle

WIDTH = 256
LEVEL_BITS = 8
ENTRY_LIMIT = 65_535


def number_path(number: int) -> str:
    """`number` in groups of three digits, all but the last with an x in front: 1234067 is x001/x234/067."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Where the tile `number` of `level` lies; `width` below 256 names a partial one."""
    return f"tile/{level}/{number_path(number)}" + (f".p/{width}" if width < WIDTH else "")


def bundle_path(number: int, width: int = WIDTH) -> str:
    """Where the entry bundle `number` lies."""
    return f"tile/entries/{number_path(number)}" + (f".p/{width}" if width < WIDTH else "")


def encode_bundle(entries: list[bytes]) -> bytes:
    """The bytes of an entry bundle."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries in a bundle's bytes. Raises ValueError when it is cut short."""
    entries, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("an entry bundle ends inside a length")
        (length,) = struct.unpack_from(">H", data, at)
        if at + 2 + length > len(data):
            raise ValueError("an entry bundle ends inside an entry")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return entries


def decode_tile(data: bytes) -> list[bytes]:
    """The hashes in a tile's bytes. Raises ValueError when it is cut short."""
    if len(data) % merkle.HASH_BYTES:
        raise ValueError("a tile ends inside a hash")
    return [data[at : at + merkle.HASH_BYTES] for at in range(0, len(data), merkle.HASH_BYTES)]


class Builder:
    """A growing tree that keeps only its right edge in memory, and the files that its growth calls for."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[list[bytes]] = [[]]
        self._bundle: list[bytes] = []
        self._full: dict[str, bytes] = {}
        self._changed: set[int] = set()

    def add(self, entry: bytes) -> None:
        """Add one leaf. Raises ValueError when it is larger than a bundle can hold."""
        if len(entry) > ENTRY_LIMIT:
            raise ValueError("a leaf holds at most 65,535 bytes")
        self._bundle.append(entry)
        if len(self._bundle) == WIDTH:
            self._full[bundle_path(self.size // WIDTH)] = encode_bundle(self._bundle)
            self._bundle = []
        self._push(0, merkle.leaf_hash(entry))
        self.size += 1

    def _push(self, level: int, value: bytes) -> None:
        if level == len(self._edge):
            self._edge.append([])
        row = self._edge[level]
        row.append(value)
        self._changed.add(level)
        if len(row) == WIDTH:
            number = (self.size >> (LEVEL_BITS * level)) // WIDTH
            self._full[tile_path(level, number)] = b"".join(row)
            self._edge[level] = []
            self._push(level + 1, merkle.root(row))

    def _node(self, level: int, index: int) -> bytes:
        # A root's subtrees always lie on the right edge, in the last incomplete tile of their level.
        tile_level, bits = divmod(level, LEVEL_BITS)
        begin = (self.size >> (LEVEL_BITS * tile_level)) // WIDTH * WIDTH
        first = (index << bits) - begin
        return merkle.root(self._edge[tile_level][first : first + (1 << bits)])

    def root(self) -> bytes:
        """The root over all leaves added so far."""
        return merkle.root_of(self._node, self.size)

    def take_full(self) -> dict[str, bytes]:
        """Full tiles and bundles since the last call, path -> bytes."""
        full, self._full = self._full, {}
        return full

    def take_partial(self) -> dict[str, bytes]:
        """The partial tiles and the partial bundle that changed since the last call, path -> bytes."""
        files: dict[str, bytes] = {}
        for level in sorted(self._changed):
            row = self._edge[level]
            if row:
                number = (self.size >> (LEVEL_BITS * level)) // WIDTH
                files[tile_path(level, number, len(row))] = b"".join(row)
        if self._bundle and 0 in self._changed:
            files[bundle_path(self.size // WIDTH, len(self._bundle))] = encode_bundle(self._bundle)
        self._changed = set()
        return files


def write_full(folder: Path, files: dict[str, bytes]) -> None:
    """Write full tiles and bundles that are not there yet, and remove the partial ones that they supersede."""
    for name, data in files.items():
        if not (folder / name).exists():
            durable.replace(folder / name, data)
        shutil.rmtree(folder / f"{name}.p", ignore_errors=True)


def publish(folder: Path, full: dict[str, bytes], partial: dict[str, bytes], note: bytes) -> None:
    """Write tiles and bundles, then the checkpoint over them."""
    write_full(folder, full)
    for name, data in partial.items():
        durable.replace(folder / name, data)
    durable.replace(folder / "checkpoint", note)


def tile_files(folder: Path) -> Iterator[str]:
    """Every file under `tile/`, as path relative to `folder`, in order; unfinished ones left out."""
    for path in sorted((folder / "tile").rglob("*")):
        if path.is_file() and not path.name.endswith(".part"):
            yield path.relative_to(folder).as_posix()
