"""The bytes of every kind of entry, on the wire and in the tree, are those that were recorded.

`formats.jsonl` holds one example a line: `request` (the line on the ledger's socket), `leaves` (what stands in the
tree) and `sealed` (the plaintexts that the commitments are over), recorded with the clock held and the salts fixed.
What is in a log cannot be written anew, so an example is added to that file and never changed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from appliance import clock
from appliance.crypto import sealing
from appliance.ledger import entries
from appliance.ledger.models import Leaf, Person
from appliance.spool.messages import Append, Appended, EpochTurned
from appliance.storage import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIXED_SALT = SimpleNamespace(token_hex=lambda size: "5a" * size)
EXAMPLES = [json.loads(line) for line in (Path(__file__).parent / "formats.jsonl").read_text().splitlines()]


def appended(store: Store, monkeypatch: pytest.MonkeyPatch, line: str) -> dict[str, Any]:
    """What the ledger makes of one line from its socket."""
    sealed: list[str] = []

    def seal(key: bytes, plaintext: bytes, *, info: bytes) -> bytes:
        if info != b"trial":
            sealed.append(plaintext.decode())
        return sealing.seal(key, plaintext, info=info)

    monkeypatch.setattr(entries, "seal", seal)
    monkeypatch.setattr(entries, "secrets", FIXED_SALT)
    with clock.held(NOON), store.write() as session:
        request = msgspec.json.decode(line, type=Append)
        if request.forget:
            session.add(Person(handle=request.forget, last_sequence=0, last_commit="0" * 64, key=b"a mailbox key"))
        answer = entries.append(session, request)
        assert isinstance(answer, Appended), answer
        leaves = session.scalars(select(Leaf.data).order_by(Leaf.position)).all()
        return {"request": line, "leaves": [leaf.decode() for leaf in leaves], "sealed": sealed}


@pytest.mark.parametrize("example", EXAMPLES, ids=[json.loads(each["request"])["kind"] for each in EXAMPLES])
def test_an_entry_is_the_bytes_that_it_always_was(
    store: Store, monkeypatch: pytest.MonkeyPatch, example: dict[str, Any]
) -> None:
    assert appended(store, monkeypatch, example["request"]) == example
    read = msgspec.json.decode(example["request"], type=Append)
    assert msgspec.json.encode(read).decode() == example["request"]


def test_the_ledgers_own_entries_are_the_bytes_that_they_always_were(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "secrets", FIXED_SALT)
    with clock.held(NOON), store.write() as session:
        entries.turn_epoch(session, EpochTurned(epoch=3))
        entries.append_own(session, "restored", {"size": 2, "note": "a signed note\n"})
        leaves = [leaf.decode() for leaf in session.scalars(select(Leaf.data).order_by(Leaf.position))]
    assert leaves == [
        '{"at":"2026-11-23T12:00:00Z","epoch":3,"kind":"heads",'
        '"root":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","rows":0,"v":1}',
        '{"at":"2026-11-23T12:00:00Z","kind":"restored","note":"a signed note\\n","size":2,"v":1}',
    ]
