"""Blind RSA signatures, RFC 9474, variant RSABSSA-SHA384-PSS-Randomized: who signs never sees what was signed.

Owns: prepare, blind, blind_sign, finalize, verify. Sizes: with a modulus of k bytes (256 for 2048 bits), blinded
messages, blind signatures and signatures are k bytes each; a prepared message is a 32-byte prefix and the message.
Must never see: who asks for a signature. The half of whoever asks is `crypto/blindrsa.ts` in the browser.

Python's `pow` is not constant-time, so `blind_sign` multiplies its input by a fresh r^e first (base blinding): how long
the secret exponentiation takes then says nothing about the input. The result is checked with the public key before it
leaves (RFC 9474, 4.3): a faulty CRT half would otherwise give away the factors.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from math import gcd

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from appliance.errors import WardwellError

PREFIX_BYTES = 32
_HASH_BYTES = 48
_SALT_BYTES = 48
_EXPONENT = 65537


def generate(bits: int) -> rsa.RSAPrivateKey:
    """A fresh private key; the exponent is 65537."""
    return rsa.generate_private_key(_EXPONENT, bits)


def private_der(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS #8 DER of `key`, unencrypted: it may only lie in an encrypted database."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_private(der: bytes) -> rsa.RSAPrivateKey:
    """The key in PKCS #8 DER. Raises WardwellError when it is none."""
    try:
        key = load_der_private_key(der, None)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise WardwellError("A ticket key is damaged.", "Restore desk's database from its backup.")
    return key


def spki(key: rsa.RSAPublicKey) -> bytes:
    """SubjectPublicKeyInfo DER of `key`, the form that browsers import."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_public(der: bytes, bits: int) -> rsa.RSAPublicKey:
    """The key of exactly `bits` in SubjectPublicKeyInfo DER. Raises WardwellError for anything else."""
    try:
        key = load_der_public_key(der)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != bits or key.public_numbers().e != _EXPONENT:
        raise WardwellError("That is not a ticket key.", "Look at public/desk/ticket-keys.json and the log.")
    return key


def prepare(message: bytes, prefix: bytes | None = None) -> bytes:
    """`prefix` (32 random bytes unless given) and `message`."""
    prefix = secrets.token_bytes(PREFIX_BYTES) if prefix is None else prefix
    if len(prefix) != PREFIX_BYTES:
        raise ValueError("a message prefix is 32 bytes")
    return prefix + message


@dataclass(frozen=True)
class Blinded:
    """What goes to the signer (`message`, k bytes) and what must stay (`inverse`)."""

    message: bytes
    inverse: int

    def __repr__(self) -> str:
        return "Blinded(<secret>)"


def blind(key: rsa.RSAPublicKey, prepared: bytes, *, salt: bytes | None = None, inverse: int | None = None) -> Blinded:
    """Blind a prepared message. `salt` and `inverse` are for the RFC's test vectors; leave them out."""
    n, e, size = _numbers(key)
    encoded = _pss_encode(prepared, key.key_size - 1, secrets.token_bytes(_SALT_BYTES) if salt is None else salt)
    m = int.from_bytes(encoded)
    if gcd(m, n) != 1:
        raise WardwellError("That message cannot be signed by this key.", "Draw another ticket.")
    if inverse is None:
        inverse = _unit(n)
    blinded = m * pow(pow(inverse, -1, n), e, n) % n
    return Blinded(blinded.to_bytes(size), inverse)


def blind_sign(key: rsa.RSAPrivateKey, blinded: bytes) -> bytes:
    """The blind signature (k bytes) of `blinded`. Raises WardwellError when it is out of range or signing failed."""
    numbers = key.private_numbers()
    n, e, size = _numbers(key.public_key())
    m = int.from_bytes(blinded)
    if len(blinded) != size or not 0 < m < n:
        raise WardwellError("That is not a blinded ticket.", "Reload the page and unlock again.")
    inverse = _unit(n)
    hidden = m * pow(pow(inverse, -1, n), e, n) % n
    by_p = pow(hidden, numbers.dmp1, numbers.p)
    by_q = pow(hidden, numbers.dmq1, numbers.q)
    s = (by_q + (by_p - by_q) * numbers.iqmp % numbers.p * numbers.q) * inverse % n
    if pow(s, e, n) != m:
        raise WardwellError("Signing a ticket failed.", "Tell the administrator: the machine may be faulty.")
    return s.to_bytes(size)


def finalize(key: rsa.RSAPublicKey, prepared: bytes, blind_signature: bytes, inverse: int) -> bytes:
    """The signature (k bytes) of `prepared`. Raises WardwellError when the signer did not sign it."""
    n, _, size = _numbers(key)
    if len(blind_signature) != size:
        raise WardwellError("That is not a blind signature.", "Draw another ticket.")
    signature = (int.from_bytes(blind_signature) * inverse % n).to_bytes(size)
    if not verify(key, prepared, signature):
        raise WardwellError("The ticket was not signed by this key.", "Report this to the officers' trustee.")
    return signature


def verify(key: rsa.RSAPublicKey, prepared: bytes, signature: bytes) -> bool:
    """Whether `signature` is `key`'s RSASSA-PSS signature (SHA-384, salt of 48 bytes) of the prepared message."""
    try:
        key.verify(signature, prepared, padding.PSS(padding.MGF1(SHA384()), _SALT_BYTES), SHA384())
    except InvalidSignature:
        return False
    return True


def _numbers(key: rsa.RSAPublicKey) -> tuple[int, int, int]:
    numbers = key.public_numbers()
    return numbers.n, numbers.e, (key.key_size + 7) // 8


def _unit(n: int) -> int:
    """A random number below `n` that has an inverse; anything else would be a factor of `n`."""
    while True:
        r = 1 + secrets.randbelow(n - 1)
        if gcd(r, n) == 1:
            return r


def _mask(seed: bytes, length: int) -> bytes:
    # MGF1, RFC 8017, B.2.1.
    blocks = (length + _HASH_BYTES - 1) // _HASH_BYTES
    return b"".join(hashlib.sha384(seed + i.to_bytes(4)).digest() for i in range(blocks))[:length]


def _pss_encode(message: bytes, bits: int, salt: bytes) -> bytes:
    # EMSA-PSS-ENCODE, RFC 8017, 9.1.1.
    size = (bits + 7) // 8
    if len(salt) != _SALT_BYTES or size < _HASH_BYTES + _SALT_BYTES + 2:
        raise ValueError("salt or key has the wrong size")
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size - _SALT_BYTES - _HASH_BYTES - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mask(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + b"\xbc"
