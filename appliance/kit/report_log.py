"""The proofs about the public log inside a signed report, checked without the log.

Owns: the arithmetic between the report's tree heads and the signed checkpoint. Must never see: the appliance.
"""

from __future__ import annotations

import base64
from typing import Any

from appliance.crypto import merkle
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.errors import WardwellError

_ALTERED = "Do not rely on the report; ask the agency and the officers' trustee."


def check(document: dict[str, Any]) -> None:
    """Check that the period's tree heads lie in one log under the signed checkpoint. Raises WardwellError."""
    try:
        log, witness = document["log"], document["witness"]
        heads = [(int(log[name]["size"]), bytes.fromhex(log[name]["root"])) for name in ("first", "last", "newest")]
        steps = [[bytes.fromhex(node) for node in log[name]] for name in ("first_to_last", "last_to_newest")]
        ledger = Verifier.parse(log["vkey"])
        checkpoint = Checkpoint.parse(open_note(log["newest"]["note"].encode(), ledger))
        if witness["note"]:
            open_note(witness["note"].encode(), ledger)
            cosigned_at(witness["note"].encode(), Verifier.parse(witness["vkey"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise WardwellError("The report's part about the log is not in its form.", _ALTERED) from None
    if (checkpoint.size, checkpoint.root) != heads[2]:
        raise WardwellError("The newest tree head is not the one that the ledger signed.", _ALTERED)
    for number, proof in enumerate(steps):
        (size, root), (later, later_root) = heads[number], heads[number + 1]
        if not merkle.verify_consistency(size, later, root, later_root, proof):
            raise WardwellError(
                f"The consistency proof from {size} to {later} entries does not hold "
                f"(root {base64.b64encode(root).decode()}).",
                _ALTERED,
            )
