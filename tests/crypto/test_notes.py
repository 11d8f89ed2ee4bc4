"""Signed notes: the published example of C2SP's signed-note, round trips, and every flipped byte refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.crypto import notes
from appliance.crypto.notes import COSIGNATURE, Checkpoint, Signer, Verifier
from appliance.errors import WardwellError

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
CHECKPOINT = Checkpoint("wardwell/test", 3, bytes(range(32)))

# The example of the signed-note package documentation (golang.org/x/mod/sumdb/note).
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


def test_the_published_note_opens() -> None:
    verifier = Verifier.parse(VKEY)
    assert str(verifier) == VKEY
    assert notes.open_note(NOTE, verifier).startswith("If you think cryptography")
    with pytest.raises(WardwellError, match="does not fit"):
        notes.open_note(NOTE.replace(b"answer", b"Answer"), verifier)


def test_a_checkpoint_signed_and_cosigned() -> None:
    ledger, witness = Signer.generate("wardwell/test"), Signer.generate("witness/test", COSIGNATURE)
    note = witness.cosign(ledger.sign(CHECKPOINT.text()), AT)
    assert Checkpoint.parse(notes.open_note(note, ledger.verifier)) == CHECKPOINT
    assert notes.cosigned_at(note, witness.verifier) == AT
    assert notes.cosigned_at(witness.cosign(note, AT.replace(hour=7)), witness.verifier) == AT.replace(hour=7)


def test_keys_survive_their_text_forms() -> None:
    signer = Signer.generate("witness/test", COSIGNATURE)
    assert Signer.parse(signer.text()).verifier == signer.verifier == Verifier.parse(str(signer.verifier))
    assert "secret" in repr(signer)
    assert signer.text()[-20:] not in repr(signer)


def test_every_flipped_byte_is_refused_by_ledger_or_witness_key() -> None:
    ledger, witness = Signer.generate("wardwell/test"), Signer.generate("witness/test", COSIGNATURE)
    note = witness.cosign(ledger.sign(CHECKPOINT.text()), AT)

    def check(data: bytes) -> None:
        Checkpoint.parse(notes.open_note(data, ledger.verifier))
        notes.cosigned_at(data, witness.verifier)

    check(note)
    for position in range(len(note)):
        with pytest.raises(WardwellError):
            check(note[:position] + bytes([note[position] ^ 1]) + note[position + 1 :])


def test_missing_and_foreign_signatures_are_refused() -> None:
    ledger, other = Signer.generate("wardwell/test"), Signer.generate("wardwell/test")
    note = ledger.sign(CHECKPOINT.text())
    with pytest.raises(WardwellError, match="not signed by"):
        notes.open_note(note, other.verifier)
    with pytest.raises(WardwellError, match="not cosigned by"):
        notes.cosigned_at(note, Signer.generate("witness/test", COSIGNATURE).verifier)
    with pytest.raises(WardwellError, match="not a checkpoint"):
        Checkpoint.parse("origin\n03\nAAAA\n")
    for vkey in ("", "a+b+c", VKEY.replace("c74f20a3", "c74f20a4"), VKEY[:-4]):
        with pytest.raises(WardwellError, match="verifier key"):
            Verifier.parse(vkey)
    with pytest.raises(WardwellError, match="damaged"):
        Signer.parse(ledger.text().replace("PRIVATE", "PUBLIC"))
