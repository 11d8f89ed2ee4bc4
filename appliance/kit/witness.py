"""The witness: the officers' trustee's own eye on the log, on a machine of their own.

Owns: the witness's Ed25519 key, the last checkpoint it saw, and what it knows of ticket keys, all in its state folder.
It cosigns a checkpoint only when the ledger signed it and it continues the one before, or both custody groups signed
that the log was restored. Must never see: the ledger's database, or what a sealed entry says. An alarm is kept for good
in the state folder and shown beside the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from appliance import clock, durable
from appliance.crypto.notes import COSIGNATURE, Checkpoint, Signer, Verifier, cosigned_at
from appliance.crypto.tlog import PublicLog
from appliance.errors import WardwellError
from appliance.kit.witness_restores import Restores
from appliance.runtime.turns import Control, Duty, Turns

POLL_SECONDS = 0.5
# A cosignature also says "still the same at this hour", so it is made again while nothing happens.
REFRESH = timedelta(minutes=5)
_READ_AT_ONCE = 4096

_log = structlog.get_logger("witness")


class Alarm(WardwellError):
    """The log broke a promise: it shrank, was rewritten, or names two keys where there may be one."""


@dataclass(frozen=True)
class Folders:
    """`state`: the witness's own; `log`: the ledger's public files; `out`: where the cosigned checkpoint goes."""

    state: Path
    log: Path
    out: Path


def create(state: Path, out: Path, name: str = "witness/trustee") -> str:
    """Make the witness's key if there is none; return its verifier key, which is also in `out/vkey`."""
    path = state / "witness.key"
    if not path.exists():
        durable.make_folder(state, 0o700)
        durable.create(path, f"{Signer.generate(name, COSIGNATURE).text()}\n".encode(), mode=0o600)
    vkey = str(Signer.parse(path.read_text()).verifier)
    if not (out / "vkey").exists():
        durable.replace(out / "vkey", f"{vkey}\n".encode())
    return vkey


class Witness:
    """One witness of one log. The ledger's key is pinned at the first look (`state/ledger.vkey`), and so is custody's
    (`state/custody.vkey`), which signs when a log was restored."""

    def __init__(self, folders: Folders, ledger_vkey: str | None = None, custody_vkey: str | None = None) -> None:
        create(folders.state, folders.out)
        self._folders = folders
        self._signer = Signer.parse((folders.state / "witness.key").read_text())
        self._ledger = self._pinned(ledger_vkey)
        self._restores = Restores(folders.state, folders.log, custody_vkey)

    def look(self) -> Checkpoint | None:
        """Look once: cosign what is new, or what is old enough to say again; None when there was no need.

        Raises Alarm after writing it down; WardwellError when a file is missing or not signed.
        """
        try:
            log = PublicLog(self._folders.log, self._ledger)
            note, checkpoint = log.note(), log.checkpoint()
            before = self._before()
            if before == checkpoint and not self._due():
                return None
            first = self._check_continues(log, before) if before is not None else 0
            self._check_ticket_keys(log, first)
        except Alarm as alarm:
            self._write_alarm(alarm)
            raise
        cosigned = self._signer.cosign(note, clock.now())
        # Remembered before it is given away: a witness must never cosign two histories, not even over a crash.
        durable.replace(self._folders.state / "checkpoint", cosigned)
        self._restores.remember(checkpoint)
        durable.replace(self._folders.out / "checkpoint", cosigned)
        (self._folders.out / "alarm.json").unlink(missing_ok=True)
        return checkpoint

    def follow(self, control: Control) -> None:
        """Look every POLL_SECONDS until told to stop. An alarm is logged once and the witness goes on refusing."""
        Turns(control, _log, pause=POLL_SECONDS, survives=WardwellError).run(Duty(self.look))

    def _pinned(self, given: str | None) -> str:
        path = self._folders.state / "ledger.vkey"
        if not path.exists():
            vkey = given if given is not None else str(PublicLog(self._folders.log).verifier)
            durable.replace(path, f"{Verifier.parse(vkey)}\n".encode())
        pinned = path.read_text().strip()
        if given is not None and given.strip() != pinned:
            raise WardwellError("The witness follows another log's key.", "Compare the key with the founding papers.")
        return pinned

    def _before(self) -> Checkpoint | None:
        path = self._folders.state / "checkpoint"
        if not path.exists():
            return None
        # Its own file: the witness's own cosignature proves that nobody put another one there.
        note = path.read_bytes()
        cosigned_at(note, self._signer.verifier)
        return Checkpoint.parse(note.decode().split("\n\n")[0] + "\n")

    def _due(self) -> bool:
        path = self._folders.out / "checkpoint"
        try:
            return clock.now() - cosigned_at(path.read_bytes(), self._signer.verifier) >= REFRESH
        except (OSError, WardwellError):
            return True

    def _check_continues(self, log: PublicLog, before: Checkpoint) -> int:
        """From which entry on the log is new. Raises Alarm when it is no continuation and no restore says why."""
        now = log.checkpoint()
        shrank = now.size < before.size or now.origin != before.origin
        try:
            log.verify_continues(before)
        except WardwellError as error:
            # A tile that is missing or damaged proves nothing about history; a failed proof from whole tiles does.
            if not shrank and "rewritten" not in error.message:
                raise
            ended = cosigned_at((self._folders.state / "checkpoint").read_bytes(), self._signer.verifier)
            stated = self._restores.accept(log, before, ended)
            if stated is None:
                raise Alarm(error.message, error.fix) from None
            self._forget_ticket_keys(stated.checkpoint.size)
            return stated.checkpoint.size
        return before.size

    def _forget_ticket_keys(self, first: int) -> None:
        """After a restore, keys that were named in the entries given up are named anew."""
        path = self._folders.state / "ticket-keys.json"
        known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        kept = {name: index for name, index in known.items() if index < first}
        if kept != known:
            durable.replace(path, json.dumps(kept).encode())

    def _check_ticket_keys(self, log: PublicLog, first: int) -> None:
        path = self._folders.state / "ticket-keys.json"
        known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        fresh = dict(known)
        for start in range(first, log.size, _READ_AT_ONCE):
            for index, raw in enumerate(log.entries(start, min(start + _READ_AT_ONCE, log.size)), start=start):
                if b'"ticket-key"' not in raw:
                    continue
                leaf = json.loads(raw)
                if leaf.get("kind") != "ticket-key":
                    continue
                name = f"{leaf.get('purpose')} {leaf.get('period')}"
                if fresh.setdefault(name, index) != index:
                    raise Alarm(
                        f"Entry {index} is a second ticket key for {name}; the first is entry {fresh[name]}.",
                        "Tickets of two keys can be told apart: tell the officers' trustee.",
                    )
        if fresh != known:
            durable.replace(path, json.dumps(fresh).encode())

    def _write_alarm(self, alarm: Alarm) -> None:
        try:
            note = PublicLog(self._folders.log, self._ledger).note().decode(errors="replace")
        except WardwellError:
            note = ""
        seen = self._folders.state / "checkpoint"
        data = json.dumps(
            {
                "at": clock.now().isoformat(),
                "alarm": alarm.message,
                "shown": note,
                "seen_before": seen.read_text() if seen.exists() else "",
            },
            indent=1,
        ).encode()
        if not (self._folders.out / "alarm.json").exists():
            durable.replace(self._folders.state / f"alarm-{clock.now():%Y%m%dT%H%M%S}.json", data)
        durable.replace(self._folders.out / "alarm.json", data)
