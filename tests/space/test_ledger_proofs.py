"""The browser's reading of the access log: what the appliance writes is proved, what somebody altered is not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.crypto import notes, tiles
from tests.space.conftest import Call

ORIGIN = "wardwell/test"
WITNESSED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class Published:
    """A log of `size` leaves as files, with a witness that saw the first `witnessed` of them."""

    def __init__(self, size: int, witnessed: int) -> None:
        self.signer = notes.Signer.generate(ORIGIN)
        self.witness = notes.Signer.generate("witness.test", notes.COSIGNATURE)
        self.leaves = [b'{"kind":"board","n":%d}' % n for n in range(size)]
        self.roots: dict[int, bytes] = {}
        builder, self.files = tiles.Builder(), {}
        for leaf in self.leaves:
            builder.add(leaf)
            self.roots[builder.size] = builder.root()
        for name, data in {**builder.take_full(), **builder.take_partial()}.items():
            self.files[f"ledger/{name}"] = data
        self.files["ledger/checkpoint"] = self.note(size)
        self.files["witness/checkpoint"] = self.witness.cosign(self.note(witnessed), WITNESSED)

    def note(self, size: int) -> bytes:
        return self.signer.sign(notes.Checkpoint(ORIGIN, size, self.roots[size]).text())

    def read(self, call: Call, leaves: list[tuple[int, bytes]], earlier: int | None = None) -> Any:
        encoded = {name: base64.b64encode(data).decode() for name, data in self.files.items()}
        site = {"ledger_vkey": str(self.signer.verifier), "witness_vkey": str(self.witness.verifier)}
        before = earlier and {"size": earlier, "root": base64.b64encode(self.roots[earlier]).decode()}
        asked = [[index, base64.b64encode(leaf).decode()] for index, leaf in leaves]
        return call("ledger", files=encoded, site=site, leaves=asked, earlier=before)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_every_leaf_is_proved(call: Call, size: int) -> None:
    log = Published(size, witnessed=size)
    some = sorted({0, size // 2, max(0, size - 2), size - 1})
    found = log.read(call, [(n, log.leaves[n]) for n in some], earlier=max(1, size // 3))
    assert found["holds"] == [True] * len(some)
    assert base64.b64decode(found["first"]) == log.leaves[0]
    assert found["prefix"] is True


def test_what_is_not_there_is_not_proved(call: Call) -> None:
    log = Published(300, witnessed=300)
    found = log.read(call, [(5, log.leaves[6]), (5, b"other"), (300, b"later")])
    assert found["holds"] == [False, False, None]


def test_an_altered_tile_proves_nothing(call: Call) -> None:
    log = Published(300, witnessed=1)
    name = "ledger/tile/0/000"
    log.files[name] = bytes([log.files[name][0] ^ 1]) + log.files[name][1:]
    assert log.read(call, [(7, log.leaves[7])])["holds"] == [False]


def test_a_rewritten_log_is_noticed(call: Call) -> None:
    log = Published(300, witnessed=300)
    assert log.read(call, [], earlier=200)["prefix"] is True
    log.roots[200] = b"\x00" * 32
    assert log.read(call, [], earlier=200)["prefix"] is False


def test_the_witness_says_when(call: Call) -> None:
    log = Published(300, witnessed=280)
    head = log.read(call, [])["head"]
    assert head == {"size": 300, "witnessed": {"size": 280, "at": int(WITNESSED.timestamp()) * 1000}}
    # A cosignature by somebody else counts for nothing.
    log.witness = notes.Signer.generate("witness.test", notes.COSIGNATURE)
    assert log.read(call, [])["head"]["witnessed"] is None


def test_a_checkpoint_of_another_key_is_refused(call: Call) -> None:
    log = Published(3, witnessed=3)
    log.signer = notes.Signer.generate(ORIGIN)
    with pytest.raises(AssertionError, match="not signed by its key"):
        log.read(call, [])


@pytest.mark.parametrize("name", ["0/000", "0/001.p/44", "entries/000", "entries/001.p/44"])
def test_a_shortened_file_is_told(call: Call, name: str) -> None:
    log = Published(300, witnessed=1)
    some = [(299, log.leaves[299]), (7, log.leaves[7])]
    assert log.read(call, some)["holds"] == [True, True]
    log.files[f"ledger/tile/{name}"] = log.files[f"ledger/tile/{name}"][:-1]
    with pytest.raises(AssertionError, match="A part of the access log is damaged"):
        log.read(call, some if "p" in name else some[::-1])
