"""Sealing: opens with its key and purpose only, hides nothing but the content, and refuses every altered byte."""

from __future__ import annotations

import pytest

from appliance.crypto.sealing import (
    ENC_BYTES,
    OVERHEAD_BYTES,
    PUBLIC_KEY_BYTES,
    KeyPair,
    info,
    key_pair,
    open_sealed,
    seal,
)
from appliance.errors import WardwellError

PAIR = key_pair(bytes(range(32)))
ABOUT = info("entry", "a" * 32)


def test_a_key_pair_comes_from_its_seed_alone() -> None:
    assert key_pair(PAIR.seed) == PAIR
    assert key_pair().seed != key_pair().seed
    assert len(PAIR.public) == PUBLIC_KEY_BYTES
    with pytest.raises(ValueError, match="32 bytes"):
        key_pair(b"short")


def test_the_public_key_of_a_published_seed() -> None:
    # draft-connolly-cfrg-xwing-kem, appendix C, first vector: the public key of this seed begins so.
    seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
    public = key_pair(seed).public.hex()
    assert public.startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_what_is_sealed_opens_and_its_size_is_known(size: int) -> None:
    plaintext = bytes(size)
    sealed = seal(PAIR.public, plaintext, info=ABOUT)
    assert len(sealed) == size + OVERHEAD_BYTES
    assert sealed != seal(PAIR.public, plaintext, info=ABOUT)
    assert open_sealed(PAIR.seed, sealed, info=ABOUT) == plaintext


@pytest.mark.parametrize("other", [info("entry", "b" * 32), info("exposure", "a" * 32), b""])
def test_another_person_or_purpose_does_not_open(other: bytes) -> None:
    sealed = seal(PAIR.public, b"x", info=ABOUT)
    with pytest.raises(WardwellError, match="not sealed to that key"):
        open_sealed(PAIR.seed, sealed, info=other)


def test_another_key_or_an_altered_byte_does_not_open() -> None:
    sealed = seal(PAIR.public, b"content", info=ABOUT)
    with pytest.raises(WardwellError):
        open_sealed(key_pair().seed, sealed, info=ABOUT)
    for position in (0, ENC_BYTES - 1, ENC_BYTES, len(sealed) - 1):
        altered = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
        with pytest.raises(WardwellError):
            open_sealed(PAIR.seed, altered, info=ABOUT)
    with pytest.raises(WardwellError):
        open_sealed(PAIR.seed, sealed[:50], info=ABOUT)


def test_a_key_of_the_wrong_size_is_refused_and_a_pair_never_prints_its_seed() -> None:
    with pytest.raises(WardwellError, match="1216"):
        seal(PAIR.public[:-1], b"x", info=ABOUT)
    assert PAIR.seed.hex() not in repr(PAIR)
    assert isinstance(PAIR, KeyPair)
