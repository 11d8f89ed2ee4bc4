"""The RFC's test vector for blind RSA (RFC 9474, A.1) and its key."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

_FILE = Path(__file__).resolve().parents[1] / "crypto" / "vectors" / "rfc9474_a1.json"
VECTOR: dict[str, str] = json.loads(_FILE.read_text())


def number(name: str) -> int:
    return int(VECTOR[name], 16)


def private_key() -> rsa.RSAPrivateKey:
    p, q, e = number("p"), number("q"), 65537
    d = rsa.rsa_recover_private_exponent(e, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(e, p * q),
    )
    return numbers.private_key()
