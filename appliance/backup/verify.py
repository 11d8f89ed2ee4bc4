"""Is a folder of backups unharmed? What can be told without custody's keys, and what only with them.

Owns: `verify` (every piece there, its SHA-256 the one noted when it was written) and what a finding says. Without keys
nothing is decrypted: what a piece holds was proven by the run that wrote it. Must never see: a piece in plain.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.backup.format import Manifest
from appliance.backup.repository import Repository, Stored
from appliance.errors import WardwellError


@dataclass(frozen=True)
class Verdict:
    """One backup: its manifest (None when it is damaged), and what is wrong with it; nothing wrong is ()."""

    id: str
    manifest: Manifest | None
    problems: tuple[str, ...]
    remark: str = ""


def verify(repository: Repository, only: str = "", seal: bytes | None = None, recipient: str = "") -> list[Verdict]:
    """A verdict for each complete backup, oldest first, or for `only`; each piece is read once.

    With `seal` (the appliance is unsealed, or the root secret was given) a manifest that this appliance did not make is
    a problem too; without it, somebody who replaces a whole backup by one of theirs is not noticed here. Backups made
    for another `recipient`, under a root secret from before, cannot be told so: the verdict says that in `remark`.
    """
    manifests: dict[str, Manifest | str] = {}
    lists: dict[str, dict[str, Stored]] = {}
    known: dict[str, set[Stored]] = {}
    for backup in repository.ids():
        try:
            manifest = repository.manifest(backup)
            if (
                seal is not None
                and manifest.recipient == (recipient or manifest.recipient)
                and not manifest.holds(seal)
            ):
                raise WardwellError("This appliance did not make this manifest.")
            repository.index(manifest)
            lists[backup] = repository.pieces(manifest)
            manifests[backup] = manifest
        except WardwellError as error:
            manifests[backup] = error.message
    for listed in lists.values():
        for name, stored in listed.items():
            known.setdefault(name, set()).add(stored)
    wanted = [backup for backup in manifests if only in ("", backup)]
    names = {name for backup in wanted for name in lists.get(backup, {})}
    harmed = {name for name in sorted(names) if repository.unharmed(name, known[name]) is None}
    return [_verdict(backup, manifests[backup], harmed & lists.get(backup, {}).keys(), recipient) for backup in wanted]


def _verdict(backup: str, manifest: Manifest | str, harmed: set[str], recipient: str) -> Verdict:
    if isinstance(manifest, str):
        return Verdict(backup, None, (manifest,))
    problems = (f"{len(harmed)} pieces are missing or altered.",) if harmed else ()
    foreign = recipient not in ("", manifest.recipient)
    return Verdict(backup, manifest, problems, "made under other cards: only these tell by whom" if foreign else "")
