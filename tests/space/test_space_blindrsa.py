"""The browser's half of blind RSA: the RFC's own vector, and against the half that signs."""

from __future__ import annotations

import base64

import pytest

from appliance.crypto import blindrsa
from tests.space.conftest import Call
from tests.support.rfc9474 import VECTOR, number, private_key


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_rfc_9474_vector(call: Call) -> None:
    key = private_key()
    known = {
        "spki": b64(blindrsa.spki(key.public_key())),
        "prepared": b64(bytes.fromhex(VECTOR["msg_prefix"] + VECTOR["msg"])),
    }
    blinded = call("blind", **known, salt=b64(bytes.fromhex(VECTOR["salt"])), inverse=str(number("inv")))
    assert base64.b64decode(blinded["message"]).hex() == VECTOR["blinded_msg"]
    signature = b64(blindrsa.blind_sign(key, bytes.fromhex(VECTOR["blinded_msg"])))
    finished = call("finalize", **known, signature=signature, inverse=blinded["inverse"])
    assert base64.b64decode(finished).hex() == VECTOR["sig"]


def test_what_desk_signs_is_a_ticket_and_what_it_did_not_sign_is_none(call: Call) -> None:
    key, prepared = blindrsa.generate(2048), blindrsa.prepare(b"wardwell/v1/ticket/request/2026-11/7/")
    known = {"spki": b64(blindrsa.spki(key.public_key())), "prepared": b64(prepared)}
    first, second = call("blind", **known), call("blind", **known)
    assert first["message"] != second["message"]
    signed = blindrsa.blind_sign(key, base64.b64decode(first["message"]))
    signature = base64.b64decode(call("finalize", **known, signature=b64(signed), inverse=first["inverse"]))
    assert blindrsa.verify(key.public_key(), prepared, signature)
    assert signature != signed
    for wrong in (signed[:-1] + bytes([signed[-1] ^ 1]), signed[:-1]):
        with pytest.raises(AssertionError, match=r"not signed by this key|not a blind signature"):
            call("finalize", **known, signature=b64(wrong), inverse=first["inverse"])
    with pytest.raises(AssertionError, match="not signed by this key"):
        call("finalize", **known, signature=b64(signed), inverse=second["inverse"])
