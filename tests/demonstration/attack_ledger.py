"""Root rewrites the access log, on a copy, in two ways; the demonstration itself is never touched.

Owns: the two forgeries and who notices. Must never see: what an entry says; it is sealed.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from appliance.crypto import tiles
from appliance.crypto.notes import Checkpoint
from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import witnessed
from appliance.errors import WardwellError
from appliance.ledger import keys
from appliance.settings import Home


@dataclass(frozen=True)
class Forgery:
    """What root did, whether somebody noticed, and the words of whoever did."""

    what: str
    detected: bool
    words: str


def forge(home: Home) -> list[Forgery]:
    """Both forgeries, and the control: the untouched copy is accepted."""
    with tempfile.TemporaryDirectory(prefix="wardwell-attack-") as scratch:
        return [_untouched(home, Path(scratch)), _edited(home, Path(scratch)), _rewritten(home, Path(scratch))]


def _copy(home: Home, scratch: Path, name: str) -> Path:
    folder = scratch / name
    shutil.copytree(home.public / "ledger", folder)
    return folder


def _vkey(home: Home) -> str:
    return (home.public / "ledger" / "vkey").read_text().strip()


def _read_whole(home: Home, folder: Path) -> None:
    """As every reader does: each entry proved under the signed checkpoint, and the log continues the witnessed one."""
    log = PublicLog(folder, _vkey(home))
    log.entries(0, log.size)
    log.verify_continues(witnessed(home).log.checkpoint())


def _judge(home: Home, folder: Path, what: str) -> Forgery:
    try:
        _read_whole(home, folder)
    except (WardwellError, ValueError) as error:
        return Forgery(what, True, error.message if isinstance(error, WardwellError) else str(error))
    return Forgery(what, False, "accepted")


def _untouched(home: Home, scratch: Path) -> Forgery:
    return _judge(home, _copy(home, scratch, "untouched"), "changed nothing (the control)")


def _edited(home: Home, scratch: Path) -> Forgery:
    """Flip one bit of one entry in its file."""
    folder = _copy(home, scratch, "edited")
    bundle = folder / tiles.bundle_path(0, min(tiles.WIDTH, PublicLog(folder, _vkey(home)).size))
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(bytes(content))
    return _judge(home, folder, "changed one bit of one entry in its file")


def _rewritten(home: Home, scratch: Path) -> Forgery:
    """Take the ledger's own key, drop an entry that the witness has seen, and sign a new, flawless history."""
    genuine = PublicLog(home.public / "ledger", _vkey(home))
    entries = genuine.entries(0, genuine.size)
    victim = witnessed(home).log.size // 2
    forged = entries[:victim] + entries[victim + 1 :] + [entries[victim]]
    folder = scratch / "rewritten"
    builder, signer = tiles.Builder(), keys.load(home)
    for entry in forged:
        builder.add(entry)
    note = signer.sign(Checkpoint(signer.name, builder.size, builder.root()).text())
    tiles.publish(folder, builder.take_full(), builder.take_partial(), note)
    shutil.copy(home.public / "ledger" / "vkey", folder / "vkey")
    return _judge(home, folder, "stole the ledger's key, moved one entry and signed the whole history anew")
