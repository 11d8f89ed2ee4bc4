"""Every byte of a SQLCipher database as it lies on the disk, decrypted page by page: free pages and the log as well."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appliance.settings import Home

PAGE, RESERVED, SALT, IV = 4096, 80, 16, 16
_LOG_HEADER, _FRAME_HEADER = 32, 24


def _plain(page: bytes, key: bytes, *, first: bool) -> bytes:
    end = PAGE - RESERVED
    cipher = Cipher(algorithms.AES(key), modes.CBC(page[end : end + IV])).decryptor()
    return cipher.update(page[SALT if first else 0 : end]) + cipher.finalize()


def decrypted(home: Home, compartment: str) -> bytes:
    """The pages of the database and of its write-ahead log, decrypted with the compartment's key, one after another."""
    key = bytes.fromhex(home.key(compartment).read_text().strip())
    path = home.database(compartment)
    raw = path.read_bytes()
    found = [_plain(raw[at : at + PAGE], key, first=at == 0) for at in range(0, len(raw), PAGE)]
    log = path.with_name(f"{path.name}-wal")
    frames = log.read_bytes()[_LOG_HEADER:] if log.exists() else b""
    for at in range(0, len(frames), _FRAME_HEADER + PAGE):
        number = int.from_bytes(frames[at : at + 4], "big")
        found.append(_plain(frames[at + _FRAME_HEADER : at + _FRAME_HEADER + PAGE], key, first=number == 1))
    whole = b"".join(found)
    assert b"CREATE TABLE alembic" in whole or b"CREATE TABLE outbox" in whole, "the key does not open it"
    return whole


def everywhere(home: Home, compartments: tuple[str, ...]) -> bytes:
    """The decrypted databases of these compartments, and every other file below the home."""
    files = [path for path in sorted(home.root.rglob("*")) if path.is_file() and not _database(path)]
    return b"".join([*(decrypted(home, name) for name in compartments), *(path.read_bytes() for path in files)])


def _database(path: Path) -> bool:
    return path.name.startswith("database.db")
