"""A person's entries: committed in the tree, numbered, chained, sealed to the right key, provably complete."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from appliance.crypto import merkle
from appliance.crypto.canonical import canonical
from appliance.crypto.sealing import KeyPair, info, key_pair, open_sealed
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError
from appliance.kit.witness import Witness
from appliance.ledger.log import Log
from appliance.ledger.models import Person
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.messages import (
    About,
    Append,
    Appended,
    EpochTurned,
    HeadProof,
    ProvisionalKeyHandedOver,
    Refused,
    SealedEntry,
)
from appliance.storage import Store
from tests.ledger.support import about, body, spooled

ANN, BEN = "a" * 32, "b" * 32
_any = msgspec.json.Decoder(SealedEntry | ProvisionalKeyHandedOver | HeadProof)


def one(log: Log, request: Append) -> Appended:
    (answer,) = log.append_all([request])
    assert isinstance(answer, Appended), answer
    return answer


def mailbox(handle: str, pair: KeyPair) -> Append:
    return Append(kind="mailbox-key", public={"handle": handle, "key": base64.b64encode(pair.public).decode()})


def messages(log: Log, home: Home, kind: type[Any]) -> list[Any]:
    log.flush()
    found = [_any.decode(path.read_bytes()) for path in spooled(home)]
    return [message for message in found if isinstance(message, kind)]


def witnessed(log: Log, witness: Witness) -> None:
    log.publish()
    witness.look()
    log.heed_witness()


def opened(seed: bytes, entry: SealedEntry) -> dict[str, Any]:
    plaintext = open_sealed(seed, entry.sealed, info=info("entry", entry.handle))
    value: dict[str, Any] = json.loads(plaintext)
    assert canonical(value) == plaintext
    return value | {"commit": hashlib.sha256(plaintext).hexdigest()}


def test_entries_are_numbered_chained_and_committed(log: Log, founded: Home, witness: Witness) -> None:
    pair = key_pair()
    one(log, mailbox(ANN, pair))
    witnessed(log, witness)
    for _ in range(3):
        one(log, about(ANN, BEN))
    log.publish()
    public = PublicLog(founded.public / "ledger")
    previous = "0" * 64
    for number, entry in enumerate((e for e in messages(log, founded, SealedEntry) if e.handle == ANN), start=1):
        value = opened(pair.seed, entry)
        assert (value["sequence"], value["previous"], value["handle"]) == (number, previous, ANN)
        assert value["body"] == body()
        assert not entry.provisional
        leaf = public.leaf(entry.leaf_index)
        assert leaf == {"v": 1, "kind": "about", "commit": value["commit"]}
        previous = value["commit"]
    assert number == 3


def test_public_files_and_spool_never_show_whom_or_by_whom(log: Log, founded: Home) -> None:
    one(log, about(ANN))
    one(log, Append(kind="charter", public={"version": 1, "digest": "public words"}))
    log.publish()
    log.flush()
    files = b"".join(p.read_bytes() for p in (founded.public / "ledger").rglob("*") if p.is_file())
    assert b"public words" in files  # control: the search sees what is public
    assert ANN.encode() not in files
    assert b"Coordinator" not in files
    assert all(b"Coordinator" not in path.read_bytes() for path in spooled(founded))


def test_the_provisional_key_is_handed_over_when_the_mailbox_key_is_witnessed_and_destroyed(
    log: Log, store: Store, founded: Home, witness: Witness
) -> None:
    one(log, about(ANN))
    with store.read() as session:
        seed = session.scalars(select(Person.provisional_seed).where(Person.handle == ANN)).one()
    assert seed is not None
    pair = key_pair()
    one(log, mailbox(ANN, pair))
    log.publish()
    log.heed_witness()
    assert messages(log, founded, ProvisionalKeyHandedOver) == []  # nobody outside has seen the key yet
    one(log, about(ANN))
    witness.look()
    assert log.heed_witness()
    (handed,) = messages(log, founded, ProvisionalKeyHandedOver)
    assert open_sealed(pair.seed, handed.sealed, info=info("provisional", ANN)) == seed
    one(log, about(ANN))
    early, between, late = messages(log, founded, SealedEntry)
    assert (early.provisional, between.provisional, late.provisional) == (True, True, False)
    assert [opened(seed, e)["sequence"] for e in (early, between)] == [1, 2]
    assert opened(pair.seed, late)["sequence"] == 3
    with store.read() as session:
        assert session.scalars(select(Person.provisional_seed).where(Person.handle == ANN)).one() is None
    log.heed_witness()
    assert store.path.with_name(store.path.name + "-wal").stat().st_size == 0  # no old page with the seed


def test_a_replacement_key_opens_nothing_sealed_before_it(log: Log, founded: Home, witness: Witness) -> None:
    first, second = key_pair(), key_pair()
    one(log, about(ANN))
    one(log, mailbox(ANN, first))
    witnessed(log, witness)
    one(log, about(ANN))
    one(log, mailbox(ANN, second))
    one(log, about(ANN))
    witnessed(log, witness)
    one(log, about(ANN))
    entries = messages(log, founded, SealedEntry)
    handed = messages(log, founded, ProvisionalKeyHandedOver)
    assert len(handed) == 2
    seed = open_sealed(second.seed, handed[1].sealed, info=info("provisional", ANN))
    with pytest.raises(WardwellError):
        open_sealed(second.seed, handed[0].sealed, info=info("provisional", ANN))
    for entry in entries[:2]:
        for key in (second.seed, seed):
            with pytest.raises(WardwellError):
                opened(key, entry)
    assert opened(seed, entries[2])["sequence"] == 3
    assert opened(second.seed, entries[3])["sequence"] == 4


def test_a_key_replaced_before_it_was_witnessed_gets_nothing(log: Log, founded: Home, witness: Witness) -> None:
    first, second = key_pair(), key_pair()
    one(log, about(ANN))
    one(log, mailbox(ANN, first))
    one(log, mailbox(ANN, second))
    witnessed(log, witness)
    assert messages(log, founded, ProvisionalKeyHandedOver) == []
    one(log, about(ANN))
    assert opened(second.seed, messages(log, founded, SealedEntry)[-1])["sequence"] == 2


def test_heads_prove_the_last_number_and_the_key_of_everyone(log: Log, founded: Home, witness: Witness) -> None:
    pair = key_pair()
    one(log, mailbox(ANN, pair))
    one(log, about(ANN, BEN))
    one(log, about(BEN))
    delivery.send(founded, "post", "ledger", EpochTurned(epoch=7))
    assert log.receive() == 1
    assert log.receive() == 0
    log.publish()
    proofs = {proof.handle: proof for proof in messages(log, founded, HeadProof)}
    assert {handle: proof.last_sequence for handle, proof in proofs.items()} == {ANN: 1, BEN: 2}
    for proof in proofs.values():
        leaf = PublicLog(founded.public / "ledger").leaf(proof.leaf_index)
        assert (leaf["kind"], leaf["epoch"], leaf["rows"]) == ("heads", 7, 2)
        row = {name: getattr(proof, name) for name in ("handle", "last_sequence", "key_hash", "salt")}
        steps, root = [bytes.fromhex(step) for step in proof.proof], bytes.fromhex(leaf["root"])
        hashed = merkle.leaf_hash(canonical(row))
        assert merkle.verify_inclusion(hashed, proof.position, proof.rows, steps, root)
        fewer = merkle.leaf_hash(canonical(row | {"last_sequence": proof.last_sequence - 1}))
        assert not merkle.verify_inclusion(fewer, proof.position, proof.rows, steps, root)
    assert proofs[ANN].key_hash == hashlib.sha256(pair.public).hexdigest()
    assert proofs[BEN].key_hash == ""


SPKI = {"purpose": "request", "period": "2026-11", "spki": "AAAA"}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Append(kind="about"), "nothing to append"),
        (Append(kind="diary", public={}), "kind"),
        (Append(kind="heads", public={}), "kind"),
        (Append(kind="about", public={}), "kind"),
        (Append(kind="grant", public={"at": "yesterday"}), "may not set"),
        (Append(kind="grant", public={"share": 0.5}), "whole numbers"),
        (Append(kind="charter", public={"version": 1}), "other fields"),
        (Append(kind="charter", public={"version": "1", "digest": ""}), "other fields"),
        (Append(kind="charter", public={"version": 1, "digest": "", "more": ""}), "other fields"),
        (Append(kind="grant", public={"role": "peer", "subject": "", "proposed_by": ""}), "other fields"),
        (msgspec.structs.replace(about(BEN), kind="grant"), "anyone may read"),
        (Append(kind="grant", public={"words": "x" * 70_000}), "65,535"),
        (Append(kind="grant", public={"words": "\ud800"}), "only text"),
        (Append(kind="mailbox-key", public={"handle": ANN, "key": "AAAA"}), "X-Wing"),
        (
            Append(kind="mailbox-key", public={"handle": "../x", "key": base64.b64encode(key_pair().public).decode()}),
            "handle",
        ),
        (Append(kind="ticket-key", public={**SPKI, "spki": "BBBB"}), "already a ticket key"),
        (Append(kind="ticket-key", public={"purpose": "request"}), "names purpose"),
        (Append(kind="versions", public={"root": "00", "rows": 1, "previous": 7}), "a root and a number"),
        (about("A" * 32), "handle"),
        (about(ANN, ANN), "twice"),
        (msgspec.structs.replace(about(ANN), about=[msgspec.structs.replace(about(ANN).about[0], body={})]), "fields"),
        (Append(kind="about", about=[About(ANN, body(outcome="maybe"))]), "fields"),
        (Append(kind="about", about=[About(ANN, body(everyone="yes"))]), "fields"),
        (Append(kind="about", about=[About(ANN, body(reason="gossip"))]), "fields"),
    ],
)
def test_what_is_not_appended_leaves_no_trace_and_harms_no_neighbour(
    log: Log, founded: Home, request_: Append, reason: str
) -> None:
    one(log, Append(kind="ticket-key", public=SPKI))
    before, bad, after = log.append_all([about(BEN), request_, about(BEN)])
    assert isinstance(bad, Refused)
    assert reason in bad.reason
    assert isinstance(before, Appended)
    assert isinstance(after, Appended)
    assert after.tree_size == log.size == 3
    assert [entry.sequence for entry in messages(log, founded, SealedEntry)] == [1, 2]


def test_the_same_ticket_key_asked_again_has_its_one_leaf(log: Log) -> None:
    first = one(log, Append(kind="ticket-key", public=SPKI))
    again = one(log, Append(kind="ticket-key", public=SPKI))
    assert (first.public_index, again.public_index, again.tree_size) == (0, 0, 1)
