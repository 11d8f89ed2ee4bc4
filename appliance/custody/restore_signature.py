"""Saying that the access log was restored, by the cards of both groups.

Owns: the signing of that statement, and handing it to the ledger, which appends it before anything else. Must never
see: an entry about anybody. Without it the witness treats a restored log as a fork, and rightly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from appliance import clock
from appliance.crypto.notes import Checkpoint
from appliance.crypto.restore_statement import CUSTODY_KEY, Restored
from appliance.custody import keys
from appliance.custody.public_record import write_public
from appliance.settings import Home

# In the ledger's own folder: taken up and removed by the ledger's next start.
ORDER = "restored.note"


def record_restore(home: Home, root: bytes, mark: Mapping[str, object]) -> str:
    """Sign that the log at `home` was restored from the checkpoint of `mark` (`size`, `root` in hex).

    `root` is the root secret, which only cards of both groups together give. The ledger appends the statement at its
    next start, before it publishes anything. Returns the signed note. Raises WardwellError when the ledger's key is
    not there.
    """
    from appliance.ledger.keys import load

    signer = keys.custody_signer(root)
    checkpoint = Checkpoint(load(home).name, int(str(mark["size"])), bytes.fromhex(str(mark["root"])))
    note = Restored(checkpoint, clock.now()).sign(signer)
    _write_as_owner(home.folder("ledger") / ORDER, note.encode())
    publish_custody_key(home, root)
    return note


def publish_custody_key(home: Home, root: bytes) -> None:
    """Have the custody key's public half beside the log, where a witness pins it at its first look."""
    text = f"{keys.custody_signer(root).verifier}\n".encode()
    path = home.public / "ledger" / CUSTODY_KEY
    if path.exists() and path.read_bytes() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_public(path, text)
    _give_to_owner_of(path.parent, path)


def _write_as_owner(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _give_to_owner_of(path.parent, fresh)
    fresh.replace(path)


def _give_to_owner_of(folder: Path, path: Path) -> None:
    if os.geteuid() == 0:
        state = folder.stat()
        os.chown(path, state.st_uid, state.st_gid)
