"""Tiles: paths of the specification, every size read back and proved, and nothing read that a checkpoint denies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.crypto import merkle, tiles
from appliance.crypto.notes import Checkpoint, Signer
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError

SIGNER = Signer.generate("wardwell/test")
VKEY = str(SIGNER.verifier)


def entry(number: int) -> bytes:
    return b'{"v":1,"n":%d}' % number


def grow(folder: Path, builder: tiles.Builder, size: int) -> Checkpoint:
    while builder.size < size:
        builder.add(entry(builder.size))
    checkpoint = Checkpoint("wardwell/test", builder.size, builder.root())
    tiles.publish(folder, builder.take_full(), builder.take_partial(), SIGNER.sign(checkpoint.text()))
    return checkpoint


def test_paths_of_the_specification() -> None:
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.tile_path(1, 0, 5) == "tile/1/000.p/5"
    assert tiles.bundle_path(273, 112) == "tile/entries/273.p/112"


def test_roots_agree_with_the_plain_tree_at_every_size() -> None:
    builder, hashes = tiles.Builder(), []
    assert builder.root() == merkle.EMPTY_ROOT
    for number in range(600):
        builder.add(entry(number))
        hashes.append(merkle.leaf_hash(entry(number)))
        if number % 37 == 0 or number in (254, 255, 256, 511, 512):
            assert builder.root() == merkle.root(hashes)


def test_a_tree_beyond_two_levels_of_tiles_reads_back(tmp_path: Path) -> None:
    size = 256 * 256 + 300
    builder = tiles.Builder()
    checkpoint = grow(tmp_path, builder, size)
    assert checkpoint.root == merkle.root([merkle.leaf_hash(entry(number)) for number in range(size)])
    log = PublicLog(tmp_path, VKEY)
    assert (tmp_path / "tile/2/000.p/1").exists()
    for index in (0, 255, 256, 65535, 65536, size - 1):
        assert log.entry(index) == entry(index)
        leaf = merkle.leaf_hash(entry(index))
        assert merkle.verify_inclusion(leaf, index, size, log.inclusion_proof(index), checkpoint.root)


def test_every_growth_is_consistent_and_old_snapshots_stay_readable(tmp_path: Path) -> None:
    builder = tiles.Builder()
    seen: list[Any] = []
    for size in (0, 1, 2, 3, 200, 255, 256, 257, 511, 600):
        checkpoint = grow(tmp_path, builder, size)
        log = PublicLog(tmp_path, VKEY)
        assert log.size == size
        assert log.entries(0, size) == [entry(number) for number in range(size)]
        for earlier in seen:
            log.verify_continues(earlier)
            old = log.at(earlier)
            assert old.entries(0, old.size) == [entry(number) for number in range(earlier.size)]
        seen.append(checkpoint)
    assert not (tmp_path / "tile/0/000.p").exists()


def test_ranges_across_bundles(tmp_path: Path) -> None:
    grow(tmp_path, tiles.Builder(), 700)
    log = PublicLog(tmp_path, VKEY)
    assert log.entries(250, 520) == [entry(number) for number in range(250, 520)]
    assert log.entries(10, 10) == []
    with pytest.raises(ValueError, match="no such"):
        log.entries(0, 701)


@pytest.mark.parametrize("size", [3, 300])
def test_an_edited_entry_tile_or_checkpoint_is_refused(tmp_path: Path, size: int) -> None:
    grow(tmp_path, tiles.Builder(), size)
    names = [*tiles.tile_files(tmp_path), "checkpoint"]
    assert len(names) >= 3
    for name in names:
        path = tmp_path / name
        good = path.read_bytes()
        path.write_bytes(good[:-3] + bytes([good[-3] ^ 1]) + good[-2:])
        log = PublicLog(tmp_path, VKEY)
        with pytest.raises(WardwellError):
            for index in range(log.size):
                log.entry(index)
                proof = log.inclusion_proof(index)
                leaf = merkle.leaf_hash(entry(index))
                if not merkle.verify_inclusion(leaf, index, log.size, proof, log.checkpoint().root):
                    raise WardwellError("the proof does not hold")
        path.write_bytes(good)
    assert PublicLog(tmp_path, VKEY).entries(0, size)[-1] == entry(size - 1)


def test_a_fork_and_a_shrunken_log_are_refused(tmp_path: Path) -> None:
    builder = tiles.Builder()
    seen = grow(tmp_path / "honest", builder, 300)
    forked = tiles.Builder()
    forked.add(b"{}")
    grow(tmp_path / "fork", forked, 310)
    grow(tmp_path / "short", tiles.Builder(), 299)
    with pytest.raises(WardwellError, match="rewritten"):
        PublicLog(tmp_path / "fork", VKEY).verify_continues(seen)
    with pytest.raises(WardwellError, match="shrank"):
        PublicLog(tmp_path / "short", VKEY).verify_continues(seen)
    grow(tmp_path / "honest", builder, 310)
    PublicLog(tmp_path / "honest", VKEY).verify_continues(seen)


def test_another_key_and_missing_files_are_refused(tmp_path: Path) -> None:
    grow(tmp_path, tiles.Builder(), 5)
    with pytest.raises(WardwellError, match="not signed by"):
        PublicLog(tmp_path, str(Signer.generate("wardwell/test").verifier)).checkpoint()
    (tmp_path / "tile/entries/000.p/5").unlink()
    with pytest.raises(WardwellError, match="missing"):
        PublicLog(tmp_path, VKEY).entry(0)
    with pytest.raises(ValueError, match="65,535"):
        tiles.Builder().add(bytes(65_536))
