"""Blind RSA against the RFC's vectors, and what it must refuse."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.crypto import blindrsa
from appliance.errors import WardwellError
from tests.support.rfc9474 import VECTOR, number, private_key


@pytest.fixture(scope="module")
def rfc_key() -> rsa.RSAPrivateKey:
    return private_key()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return blindrsa.generate(2048)


def test_rfc_9474_vector(rfc_key: rsa.RSAPrivateKey) -> None:
    public = rfc_key.public_key()
    prepared = blindrsa.prepare(bytes.fromhex(VECTOR["msg"]), bytes.fromhex(VECTOR["msg_prefix"]))
    blinded = blindrsa.blind(public, prepared, salt=bytes.fromhex(VECTOR["salt"]), inverse=number("inv"))
    assert blinded.message.hex() == VECTOR["blinded_msg"]
    blind_signature = blindrsa.blind_sign(rfc_key, blinded.message)
    signature = blindrsa.finalize(public, prepared, blind_signature, blinded.inverse)
    assert signature.hex() == VECTOR["sig"]
    assert blindrsa.verify(public, prepared, signature)


def test_round_trip_and_unlinkable_inputs(key: rsa.RSAPrivateKey) -> None:
    public = blindrsa.load_public(blindrsa.spki(key.public_key()), 2048)
    prepared = blindrsa.prepare(b"message")
    first, second = blindrsa.blind(public, prepared), blindrsa.blind(public, prepared)
    assert first.message != second.message
    for blinded in (first, second):
        signature = blindrsa.finalize(public, prepared, blindrsa.blind_sign(key, blinded.message), blinded.inverse)
        assert blindrsa.verify(public, prepared, signature)
        assert not blindrsa.verify(public, prepared + b"!", signature)


def test_a_wrong_blind_signature_is_refused(key: rsa.RSAPrivateKey) -> None:
    public, prepared = key.public_key(), blindrsa.prepare(b"message")
    blinded = blindrsa.blind(public, prepared)
    other = blindrsa.blind(public, blindrsa.prepare(b"another"))
    with pytest.raises(WardwellError, match="not signed by this key"):
        blindrsa.finalize(public, prepared, blindrsa.blind_sign(key, other.message), blinded.inverse)


@pytest.mark.parametrize("what", ["zero", "modulus", "short", "long"])
def test_out_of_range_is_not_signed(key: rsa.RSAPrivateKey, what: str) -> None:
    n = key.public_key().public_numbers().n
    wrong = {"zero": bytes(256), "modulus": n.to_bytes(256), "short": bytes(255), "long": b"\0" + bytes(256)}[what]
    with pytest.raises(WardwellError, match="not a blinded ticket"):
        blindrsa.blind_sign(key, wrong)


def test_a_faulty_signature_never_leaves(key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    blinded = blindrsa.blind(key.public_key(), blindrsa.prepare(b"message"))
    blindrsa.blind_sign(key, blinded.message)  # control: without the fault it signs
    p = key.private_numbers().p

    def faulty(base: int, exponent: int, modulus: int) -> int:
        right = pow(base, exponent, modulus)
        return right ^ 1 if modulus == p else right

    monkeypatch.setattr(blindrsa, "pow", faulty, raising=False)
    with pytest.raises(WardwellError, match="failed"):
        blindrsa.blind_sign(key, blinded.message)


def test_other_keys_are_refused(key: rsa.RSAPrivateKey) -> None:
    wrong: list[Any] = [b"", blindrsa.spki(blindrsa.generate(1024).public_key())]
    for der in wrong:
        with pytest.raises(WardwellError, match="not a ticket key"):
            blindrsa.load_public(der, 2048)
    assert blindrsa.load_private(blindrsa.private_der(key)).private_numbers() == key.private_numbers()
    with pytest.raises(WardwellError, match="damaged"):
        blindrsa.load_private(b"nothing")
