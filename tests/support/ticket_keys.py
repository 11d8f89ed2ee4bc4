"""Ticket keys made once: making RSA keys is slow, and few tests are about it. A conftest imports both fixtures."""

from __future__ import annotations

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.crypto import blindrsa


@pytest.fixture(scope="session")
def some_keys() -> list[rsa.RSAPrivateKey]:
    """Four keys, given in turn."""
    return [blindrsa.generate(2048) for _ in range(4)]


@pytest.fixture(autouse=True)
def made_keys(some_keys: list[rsa.RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a new key gets one of `some_keys`."""
    keys = itertools.cycle(some_keys)
    monkeypatch.setattr(blindrsa, "generate", lambda bits: next(keys))
