"""The access log vouches for the public keys that the appliance shows, and each file of a key is the trusted one."""

from __future__ import annotations

from appliance.crypto.restore_statement import CUSTODY_KEY
from appliance.crypto.trusted_keys import key_of, trusted_keys
from appliance.health.check import Check, fine, wrong
from appliance.settings import Home

_SAYS = {
    "witnessed": "as the access log was founded, cosigned by the witness",
    "ledgered": "as the access log was founded; the witness has not cosigned that entry yet",
}
_AGAIN = "Take the signed founding papers in again: `wardwell found accept`."


def check(home: Home) -> list[Check]:
    keys = trusted_keys(home)
    if not (home.public / "site.json").exists():
        return [fine("keys", "a demonstration before its founding: the log's own key files")]
    copies = {
        "ledger/vkey": str(keys.ledger),
        "witness/vkey": str(keys.witness),
        f"ledger/{CUSTODY_KEY}": str(keys.custody or ""),
        "press/report.pub": keys.report,
    }
    for name, trusted in copies.items():
        path = home.public / name
        if trusted and path.exists() and key_of(path.read_text()) != key_of(trusted):
            fix = "Tell the officers' trustee; if the key was changed on purpose, have site.json signed anew."
            return [wrong("keys", f"public/{name} is not the key that agency and trustee signed", fix)]
    if not keys.anchor:
        return [wrong("keys", "the access log does not name the keys that it was founded with", _AGAIN)]
    return [fine("keys", _SAYS[keys.anchor])]
