"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, inclusion and consistency proofs.

Owns: the arithmetic of the tree, over any source of complete subtrees. Must never see: what a leaf says, a file or a
database. All hashes are SHA-256, 32 bytes. Section numbers below are RFC 9162's.

A `Nodes` source answers `nodes(level, index)`: the hash of the complete subtree of 2**level leaves that begins at leaf
`index * 2**level`. `of_leaves` makes one from a list; `appliance.crypto.tlog` makes one from tiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Nodes = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's bytes (2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees' hashes (2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def of_leaves(leaf_hashes: Sequence[bytes]) -> Nodes:
    """A source of subtrees over `leaf_hashes`."""
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def root_of(nodes: Nodes, size: int) -> bytes:
    """The root over the first `size` leaves (2.1.1)."""
    return EMPTY_ROOT if size == 0 else _range(nodes, 0, size)


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over `leaf_hashes`."""
    return root_of(of_leaves(leaf_hashes), len(leaf_hashes))


def inclusion_of(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, lowest first (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in the tree")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(nodes, middle, high))
            high = middle
        else:
            path.append(_range(nodes, low, middle))
            low = middle
    return path[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` among `leaf_hashes`."""
    return inclusion_of(of_leaves(leaf_hashes), index, len(leaf_hashes))


def consistency_of(nodes: Nodes, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves is a prefix of the one of `second` (2.1.4.1); empty for 0 and equal."""
    if not 0 <= first <= second:
        raise ValueError("a tree only grows")
    if first in (0, second):
        return []
    path: list[bytes] = []
    low, high, whole = 0, second, True
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(_range(nodes, middle, high))
            high = middle
        else:
            path.append(_range(nodes, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(_range(nodes, low, high))
    return path[::-1]


def consistency_proof(leaf_hashes: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that the first `first` of `leaf_hashes` were the whole tree once."""
    return consistency_of(of_leaves(leaf_hashes), first, len(leaf_hashes))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` (its hash) stands at `index` under `root` of `size` leaves (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            value = node_hash(step, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, step)
        position, last = position >> 1, last >> 1
    return last == 0 and value == root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree (`first`, `first_root`) is a prefix of (`second`, `second_root`) (2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, step)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range(nodes: Nodes, low: int, high: int) -> bytes:
    """The hash over leaves low..high, where `low` is a multiple of the subtree's width."""
    count = high - low
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, low >> level)
    middle = low + _split(count)
    return node_hash(_range(nodes, low, middle), _range(nodes, middle, high))
