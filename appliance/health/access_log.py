"""The newest checkpoint is signed and continues the one that the witness saw; its newest entry can be proved."""

from __future__ import annotations

from appliance.crypto.tlog import PublicLog
from appliance.crypto.trusted_keys import trusted_keys, witnessed
from appliance.health.check import Check, fine
from appliance.settings import Home


def check(home: Home) -> list[Check]:
    public = PublicLog(home.public / "ledger", str(trusted_keys(home).ledger))
    if public.size:
        public.entry(public.size - 1)
    says = f"{public.size} entries, the checkpoint holds"
    if (home.public / "witness" / "checkpoint").exists():
        public.verify_continues(witnessed(home).log.checkpoint())
        says += " and continues the witnessed one"
    return [fine("access log", says)]
