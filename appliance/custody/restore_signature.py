"""Saying that the access log was restored, by the cards of both groups.

Owns: the signing of that statement, and handing it to the ledger, which appends it before anything else. Must never
see: an entry about anybody. Without it the witness treats a restored log as a fork, and rightly.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance import clock, durable
from appliance.crypto.notes import Checkpoint
from appliance.crypto.restore_statement import CUSTODY_KEY, Restored
from appliance.custody import keys
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
    folder = home.folder("ledger")
    durable.replace(folder / ORDER, note.encode(), mode=0o600, owner=durable.owner_of(folder))
    publish_custody_key(home, root)
    return note


def publish_custody_key(home: Home, root: bytes) -> None:
    """Have the custody key's public half beside the log, where a witness pins it at its first look."""
    text = f"{keys.custody_signer(root).verifier}\n".encode()
    path = home.public / "ledger" / CUSTODY_KEY
    if path.exists() and path.read_bytes() == text:
        return
    durable.make_folder(path.parent)
    durable.replace(path, text, mode=0o644, owner=durable.owner_of(path.parent))
