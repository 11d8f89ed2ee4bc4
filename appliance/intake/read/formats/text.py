"""Which encoding a text file has, and where it breaks when it has another.

Owns: the detection of UTF-8, UTF-16, CP-1252 and Latin-1. Runs only inside the parsing child.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO

_CHUNK = 256 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 little-endian"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 big-endian"),
)
# Bytes that CP-1252 leaves without a meaning (Unicode Consortium, VENDORS/MICSFT/WINDOWS/CP1252.TXT).
_NOT_IN_1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_CONTROLS_OF_LATIN_1 = frozenset(range(0x80, 0xA0))
# Of a UTF-16 file that is mostly ASCII, nearly every other byte is zero.
_MOSTLY = 0.4


def is_wide(encoding: str) -> bool:
    """Whether zero bytes are ordinary in `encoding`."""
    return encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32"))


def choose(stream: BinaryIO, wanted: str) -> tuple[str, str]:
    """(Python's name of the encoding, the sentence that says why). Leaves `stream` at its start; it must seek.

    `wanted` is the profile's encoding, or "detect". An encoding that the profile names is used as it is; whether it
    fits shows when the file is read.
    """
    if wanted != "detect":
        encoding = "utf-8-sig" if wanted.lower().replace("_", "-") in ("utf-8", "utf8") else wanted
        return encoding, f"Read as {wanted}, because the profile says so."
    stream.seek(0)
    first = stream.read(_CHUNK)
    stream.seek(0)
    for mark, encoding, name in _MARKS:
        if first.startswith(mark):
            return encoding, f"Read as {name}, because the file begins with its byte-order mark."
    half = max(len(first) // 2, 1)
    for start, encoding, name in ((1, "utf-16-le", "little-endian"), (0, "utf-16-be", "big-endian")):
        if first[start::2].count(0) / half > _MOSTLY and first[1 - start :: 2].count(0) / half < _MOSTLY / 4:
            return encoding, f"Read as UTF-16 {name}, because nearly every other byte is zero."
    return _eight_bit(stream)


def _eight_bit(stream: BinaryIO) -> tuple[str, str]:
    """UTF-8 if the whole file is; else what the bytes above ASCII speak for."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    broken, high = False, set[int]()
    while chunk := stream.read(_CHUNK):
        if not chunk.isascii():
            high.update(chunk)
        if not broken:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                broken = True
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        broken = True
    stream.seek(0)
    above = frozenset(byte for byte in high if byte > 0x7F)
    if not broken:
        plain = "every byte is ASCII" if not above else "every byte beyond ASCII is a part of valid UTF-8"
        return "utf-8-sig", f"Read as UTF-8, because {plain}."
    if above & _NOT_IN_1252:
        return "latin-1", "Read as Latin-1, because it is not UTF-8 and has bytes that CP-1252 does not know."
    if above & _CONTROLS_OF_LATIN_1:
        return "cp1252", "Read as CP-1252, because it is not UTF-8 and has this code page's quotation marks or dashes."
    return "cp1252", "Read as CP-1252, because it is not UTF-8; Latin-1 would read it alike."
