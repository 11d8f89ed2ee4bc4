"""What the witness keeps so that it can tell a restored log from a fork.

Owns: in the witness's state folder, custody's pinned key, one line of history per hour, and the restores it accepted.
Must never see: a private key. A restore is accepted when both custody groups signed it after the old history ended,
when the log continues both the checkpoint that was gone back to and the newest one that the witness itself remembers
from before that, and only once.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from appliance import clock, durable
from appliance.crypto.notes import Checkpoint, Verifier
from appliance.crypto.restore_statement import CUSTODY_KEY, Restored, explanations
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError

HISTORY = timedelta(hours=1)


class Restores:
    """The witness's memory of history and restores, in `state`; `log` is the ledger's public folder."""

    def __init__(self, state: Path, log: Path, custody_vkey: str | None = None) -> None:
        self._state, self._log = state, log
        self._pin(custody_vkey)

    def remember(self, checkpoint: Checkpoint) -> None:
        """Add `checkpoint` to the history, at most one an hour; pin custody's key once it is published."""
        self._pin(None)
        path = self._state / "history"
        lines = path.read_text().splitlines() if path.exists() else []
        now = clock.now()
        if lines and now - datetime.fromisoformat(lines[-1].split()[0]) < HISTORY:
            return
        lines.append(f"{now.isoformat()} {checkpoint.size} {checkpoint.root.hex()}")
        durable.replace(path, ("\n".join(lines) + "\n").encode())

    def accept(self, log: PublicLog, before: Checkpoint, ended: datetime) -> Restored | None:
        """The restore that explains why `log` does not continue `before`; None when there is none to believe.

        It is written down first, together with `before`, so that it counts for this history and for no other.
        """
        path = self._state / "custody.vkey"
        if not path.exists():
            return None
        custody = Verifier.parse(path.read_text())
        used = self._used()
        for stated in reversed(explanations(log, before, ended, clock.now(), custody)):
            this = _named(stated)
            if used.get(this, before.root.hex()) != before.root.hex():
                continue
            if not self._continues_history(log, stated):
                continue
            self._write_down(stated, before, {**used, this: before.root.hex()})
            return stated
        return None

    def _pin(self, given: str | None) -> None:
        path, published = self._state / "custody.vkey", self._log / CUSTODY_KEY
        if not path.exists():
            text = given if given is not None else published.read_text() if published.exists() else None
            if text is not None:
                durable.replace(path, f"{Verifier.parse(text)}\n".encode())
        elif given is not None and given.strip() != path.read_text().strip():
            raise WardwellError(
                "The witness knows another custody key.",
                f"Compare it with the ceremony's papers; if custody was made anew, remove {path} and start again.",
            )

    def _continues_history(self, log: PublicLog, stated: Restored) -> bool:
        path = self._state / "history"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        older = [line for line in lines if int(line[1]) <= stated.checkpoint.size]
        if not older or older[-1][1] == "0":
            return True
        _, size, root = older[-1]
        try:
            log.verify_continues(Checkpoint(stated.checkpoint.origin, int(size), bytes.fromhex(root)))
        except WardwellError:
            return False
        return True

    def _used(self) -> dict[str, str]:
        path = self._state / "restores.json"
        used: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return used

    def _write_down(self, stated: Restored, before: Checkpoint, used: dict[str, str]) -> None:
        durable.replace(self._state / "restores.json", json.dumps(used, indent=1).encode())
        kept = self._state / f"given-up-{before.size}-{stated.at:%Y%m%dT%H%M%S}"
        if not kept.exists():
            durable.replace(kept, (self._state / "checkpoint").read_bytes())
        path = self._state / "history"
        lines = path.read_text().splitlines() if path.exists() else []
        older = [line for line in lines if int(line.split()[1]) <= stated.checkpoint.size]
        durable.replace(path, "".join(f"{line}\n" for line in older).encode())


def _named(stated: Restored) -> str:
    return f"{stated.at.isoformat()} {stated.checkpoint.size} {stated.checkpoint.root.hex()}"
