"""Reading the public log from its files, believing nothing that a proof does not carry up to a signed checkpoint.

Owns: `PublicLog`, any reader's view of `public/ledger`. Must never see: a private key or the ledger's database.
Which keys count, and what the witness vouched for, is decided in `appliance.crypto.trusted_keys`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.crypto import merkle
from appliance.crypto.notes import Checkpoint, Verifier, open_note
from appliance.crypto.tiles import LEVEL_BITS, WIDTH, bundle_path, decode_bundle, decode_tile, tile_path
from appliance.errors import WardwellError

# In bytes; a checkpoint with two signatures has some hundreds.
LARGEST_NOTE = 16384
_ALTERED = "Run `wardwell ledger verify`; it names the first thing that was altered."


class PublicLog:
    """The log at one checkpoint, read from `folder` (C2SP tlog-tiles).

    `vkey` is the ledger's verifier key; without it the one in `folder/vkey` is taken, which proves only that the files
    agree with each other. The checkpoint is read at the first use and kept: one object is one snapshot.
    Every method raises WardwellError when a file is missing or does not fit the checkpoint.
    """

    def __init__(self, folder: Path, vkey: str | None = None, *, at: Checkpoint | None = None) -> None:
        self.folder = folder
        self._vkey = vkey
        self._checkpoint = at
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    @property
    def verifier(self) -> Verifier:
        return Verifier.parse(self._vkey if self._vkey is not None else self._read("vkey").decode(errors="replace"))

    def note(self) -> bytes:
        """The signed note as it lies in the folder now."""
        return self._read("checkpoint")

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this snapshot, its signature checked."""
        if self._checkpoint is None:
            self._checkpoint = Checkpoint.parse(open_note(self.note(), self.verifier))
        return self._checkpoint

    @property
    def size(self) -> int:
        """How many leaves this snapshot has."""
        return self.checkpoint().size

    def at(self, checkpoint: Checkpoint) -> PublicLog:
        """The same files as a snapshot at `checkpoint`, which the caller has verified (a witnessed one, say)."""
        return PublicLog(self.folder, self._vkey, at=checkpoint)

    def entries(self, first: int, end: int) -> list[bytes]:
        """Leaves `first` (included) to `end` (not included), each proved to stand in the tree at that place."""
        if not 0 <= first <= end <= self.size:
            raise ValueError("no such leaves")
        hashes: list[bytes] = []
        for number in range(first // WIDTH, (end + WIDTH - 1) // WIDTH):
            if first == end:
                break
            bundle = self._bundle(number)
            low, high = max(first - number * WIDTH, 0), min(end - number * WIDTH, WIDTH)
            hashes += bundle[low:high]
        return hashes

    def entry(self, index: int) -> bytes:
        """The bytes of leaf `index`, proved."""
        return self.entries(index, index + 1)[0]

    def leaf(self, index: int) -> dict[str, Any]:
        """Leaf `index` as the object it is, proved."""
        leaf: dict[str, Any] = json.loads(self.entry(index))
        return leaf

    def leaf_hash(self, index: int) -> bytes:
        """The hash of leaf `index` as the tile has it (not proved)."""
        return self._node(0, index)

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The audit path of leaf `index` under this snapshot's root."""
        return merkle.inclusion_of(self._node, index, self.size)

    def consistency_proof(self, first: int) -> list[bytes]:
        """The proof that this snapshot continues the tree of `first` leaves."""
        return merkle.consistency_of(self._node, first, self.size)

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` leaves, from the tiles (not proved; compare it with a signed one)."""
        return merkle.root_of(self._node, size)

    def verify_continues(self, earlier: Checkpoint) -> None:
        """Raise WardwellError when this snapshot is not `earlier` with leaves added behind it."""
        now = self.checkpoint()
        if now.origin != earlier.origin:
            raise WardwellError(f"This is another log: {now.origin}, not {earlier.origin}.", "Check the folder's path.")
        if now.size < earlier.size:
            raise WardwellError(
                f"The log shrank: {now.size} entries, and {earlier.size} were seen before.",
                "Tell the officers' trustee.",
            )
        proof = self.consistency_proof(earlier.size)
        if not merkle.verify_consistency(earlier.size, now.size, earlier.root, now.root, proof):
            raise WardwellError(
                f"The log was rewritten: its first {earlier.size} entries are not those seen before.",
                "Tell the officers' trustee.",
            )

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            raise WardwellError(f"File {name} of the log is missing.", _ALTERED) from None

    def _partial(self, path: Callable[[int], str], width: int) -> bytes:
        # A partial file goes once the full one is there (C2SP tlog-tiles), so the full one is asked for second.
        name = path(width)
        if width < WIDTH and not (self.folder / name).exists():
            name = path(WIDTH) if (self.folder / path(WIDTH)).exists() else name
        return self._read(name)

    def _bundle(self, number: int) -> list[bytes]:
        width = min(WIDTH, self.size - number * WIDTH)
        try:
            entries = decode_bundle(self._partial(lambda w: bundle_path(number, w), width))[:width]
        except ValueError as error:
            raise WardwellError(f"{bundle_path(number, width)}: {error}.", _ALTERED) from None
        # The whole bundle is one subtree: one proof carries all of its entries. Its path begins above the subtree.
        path = merkle.inclusion_of(self._node, number * WIDTH, self.size)[(width - 1).bit_length() :]
        block = merkle.root([merkle.leaf_hash(entry) for entry in entries])
        blocks = (self.size + WIDTH - 1) // WIDTH
        fits = merkle.verify_inclusion(block, number, blocks, path, self.checkpoint().root)
        if len(entries) != width or not fits:
            raise WardwellError(f"{bundle_path(number, width)} does not fit the checkpoint.", _ALTERED)
        return entries

    def _tile(self, level: int, number: int) -> list[bytes]:
        key = (level, number)
        if key not in self._tiles:
            width = min(WIDTH, (self.size >> (LEVEL_BITS * level)) - number * WIDTH)
            try:
                hashes = decode_tile(self._partial(lambda w: tile_path(level, number, w), width))
            except ValueError as error:
                raise WardwellError(f"{tile_path(level, number, width)}: {error}.", _ALTERED) from None
            if len(hashes) < width:
                raise WardwellError(f"{tile_path(level, number, width)} is cut short.", _ALTERED)
            self._tiles[key] = hashes[:width]
        return self._tiles[key]

    def _node(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._nodes:
            tile_level, bits = divmod(level, LEVEL_BITS)
            first = index << bits
            hashes = self._tile(tile_level, first // WIDTH)
            self._nodes[key] = merkle.root(hashes[first % WIDTH : first % WIDTH + (1 << bits)])
        return self._nodes[key]


def read_note(path: Path) -> bytes:
    """A file that the witness left: the first LARGEST_NOTE bytes, since somebody outside decides how large it is."""
    with path.open("rb") as file:
        return file.read(LARGEST_NOTE)
