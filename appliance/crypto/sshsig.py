"""OpenSSH file signatures (SSHSIG), Ed25519 only, as `ssh-keygen -Y sign|verify` makes and reads them.

Owns: OpenSSH key files and lines, and the armored signature over bytes in a namespace. Must never see: what the
signed bytes mean. Format: OpenSSH's PROTOCOL.sshsig; the message is hashed with SHA-512 and the hash is signed
together with the namespace, so that a signature for a report is none for a charter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from appliance.errors import WardwellError

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KEY_TYPE = b"ssh-ed25519"
_LINE = 70


def generate_private_openssh() -> bytes:
    """A fresh Ed25519 private key in OpenSSH's own format (PEM bytes, no passphrase)."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def load_private(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in the OpenSSH private key file `path`. Raises WardwellError when it is none."""
    try:
        key = load_ssh_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise WardwellError(f"The key file {path.name} is not here.", "Give the path of the key file.") from None
    except (ValueError, TypeError):
        raise WardwellError(
            f"{path.name} is not an OpenSSH private key without passphrase.", "Give an Ed25519 key."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WardwellError(f"{path.name} is not an Ed25519 key.", "Make one with `ssh-keygen -t ed25519`.")
    return key


def public_line(private: Ed25519PrivateKey, comment: str) -> str:
    """The public half as one OpenSSH line, `ssh-ed25519 AAAA… comment`, without line end."""
    blob = _public_blob(private.public_key())
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {comment}".strip()


def fingerprint(public_line: str) -> str:
    """`SHA256:…` of an OpenSSH public key line, as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(_public_blob(load_public(public_line))).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def load_public(public_line: str) -> Ed25519PublicKey:
    """The key in an OpenSSH public key line. Raises WardwellError when it is no Ed25519 key."""
    fields = public_line.split()
    try:
        if len(fields) < 2 or fields[0] != _KEY_TYPE.decode():
            raise ValueError
        key_type, rest = _take(base64.b64decode(fields[1], validate=True))
        raw, rest = _take(rest)
        if key_type != _KEY_TYPE or rest:
            raise ValueError
        return Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error):
        raise WardwellError("That is not an OpenSSH Ed25519 public key line.", "Give the whole line.") from None


def sign(private: Ed25519PrivateKey, data: bytes, namespace: str) -> bytes:
    """The armored SSHSIG over `data` in `namespace`; ASCII bytes with a final newline."""
    signature = private.sign(_signed(data, namespace))
    blob = (
        _MAGIC
        + struct.pack(">I", 1)
        + _string(_public_blob(private.public_key()))
        + _string(namespace.encode())
        + _string(b"")
        + _string(b"sha512")
        + _string(_string(_KEY_TYPE) + _string(signature))
    )
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def verify(public_line: str, data: bytes, armored: bytes, namespace: str) -> None:
    """Check an armored SSHSIG by the key of `public_line` over `data`. Raises WardwellError when it does not hold."""
    key = load_public(public_line)
    try:
        signer, named, hashed_with, signature = _parse(armored)
    except (ValueError, UnicodeDecodeError, binascii.Error, struct.error):
        raise WardwellError("That is not an OpenSSH signature.", "Fetch the signature file again.") from None
    if signer != _public_blob(key):
        raise WardwellError("The signature was made by another key.", "Compare the key's fingerprint.")
    if named != namespace.encode():
        raise WardwellError(f"The signature is not for {namespace}.", "Fetch the signature made for this file.")
    try:
        key.verify(signature, _signed(data, namespace, hashed_with))
    except InvalidSignature:
        raise WardwellError(
            "The signature does not fit: the file or the signature was altered.", "Do not rely on it; fetch it again."
        ) from None


def _public_blob(key: Ed25519PublicKey) -> bytes:
    return _string(_KEY_TYPE) + _string(key.public_bytes_raw())


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _take(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4]) if len(data) >= 4 else (-1,)
    if length < 0 or len(data) < 4 + length:
        raise ValueError("a string is cut short")
    return data[4 : 4 + length], data[4 + length :]


def _signed(data: bytes, namespace: str, hashed_with: str = "sha512") -> bytes:
    digest = hashlib.new(hashed_with, data).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(hashed_with.encode()) + _string(digest)


def _parse(armored: bytes) -> tuple[bytes, bytes, str, bytes]:
    """Signer's public blob, namespace, hash name and the raw 64-byte signature."""
    lines = armored.decode("ascii").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise ValueError("no armor")
    text = "".join(lines[1:-1])
    blob = base64.b64decode(text, validate=True)
    if base64.b64encode(blob).decode() != text:
        raise ValueError("stray bits behind the last byte")
    if blob[:6] != _MAGIC or blob[6:10] != struct.pack(">I", 1):
        raise ValueError("no SSHSIG of version 1")
    signer, rest = _take(blob[10:])
    namespace, rest = _take(rest)
    reserved, rest = _take(rest)
    hashed_with, rest = _take(rest)
    wrapped, rest = _take(rest)
    kind, tail = _take(wrapped)
    signature, tail = _take(tail)
    # PROTOCOL.sshsig allows exactly these two hashes; ssh-keygen signs with sha512.
    if (
        rest
        or tail
        or reserved
        or kind != _KEY_TYPE
        or hashed_with not in (b"sha256", b"sha512")
        or len(signature) != 64
    ):
        raise ValueError("not an Ed25519 SSHSIG")
    return signer, namespace, hashed_with.decode(), signature
