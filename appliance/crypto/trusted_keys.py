"""Which public keys count, and what the witness has vouched for under them: the one place that decides either.

Owns: the way from the founding leaf of the access log to every other key (docs/decisions/0009-trust-anchors.md), and
the question every compartment asks before it relies on a leaf. Must never see: a private key, the ledger's database.

The leaf `founding` names the keys of the agency and of the officers' trustee. Both signed `public/site.json`, which
names the keys of log, witness, custody and reports. A file beside what it vouches for is only a copy of that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from appliance.crypto import sshsig
from appliance.crypto.notes import Checkpoint, Verifier, cosigned_at, open_note
from appliance.crypto.tlog import PublicLog, read_note
from appliance.errors import WardwellError
from appliance.settings import Home

SIGNERS = ("agency", "trustee")
FOUNDING = "founding"
_MARK = f'"kind":"{FOUNDING}"'.encode()
_READ_AT_ONCE = 4096
_AGAIN = "Put the founding papers back as both signed them: `wardwell found accept`. Tell the officers' trustee."
# Where the founding leaf of a log's folder was last, or up to where there is none. Each use proves the leaf again.
_places: dict[Path, int] = {}
_searched: dict[Path, int] = {}


class NotWitnessed(WardwellError):
    """The leaf is not yet in a checkpoint that the witness has cosigned; asking again later may succeed."""


class TrustedKeys(NamedTuple):
    """The keys that count. `agency`, `trustee`, `report`: OpenSSH lines ("" where there is none yet).

    `anchor` says what vouches for them: "witnessed" (the founding leaf, under a checkpoint that the witness cosigned),
    "ledgered" (the leaf, not cosigned yet), or "" (no founding leaf: before or during the founding).
    """

    ledger: Verifier
    witness: Verifier
    custody: Verifier | None
    agency: str
    trustee: str
    report: str
    anchor: str


def trusted_keys(home: Home) -> TrustedKeys:
    """The keys that count now, as the access log vouches for them.

    Raises WardwellError when a file names other keys than the founding leaf or the two signatures do, or is missing. A
    demonstration that has not been founded yet takes the `vkey` files beside the log.
    """
    keys, founded = signed_keys(home), (home.public / "site.json").exists()
    try:
        leaf, anchor = _founding_leaf(home, keys)
    except WardwellError:
        if founded:
            raise
        return keys  # whoever reads this log is told that it is damaged
    if leaf is None:
        return keys
    if not founded:
        raise WardwellError("The access log was founded, and public/site.json is missing.", _AGAIN)
    check_founding(leaf, keys)
    return keys._replace(anchor=anchor)


def signed_keys(home: Home) -> TrustedKeys:
    """The keys as the signed files say, not compared with the founding leaf; for whoever has that leaf itself."""
    site = home.public / "site.json"
    if site.exists():
        raw = site.read_bytes()
        agency, trustee = (_verify_site(home, raw, signer) for signer in SIGNERS)
        stated = json.loads(raw)
        custody = stated.get("custody_vkey")
        return TrustedKeys(
            Verifier.parse(stated["ledger_vkey"]),
            Verifier.parse(stated["witness_vkey"]),
            Verifier.parse(custody) if custody else None,
            agency,
            trustee,
            str(stated.get("report_key", "")),
            "",
        )
    if not home.settings().demonstration:
        raise WardwellError("public/site.json is missing, so no log key is trusted.", "Restore it from the founding.")
    ledger, witness = (Verifier.parse(_text(home.public / name / "vkey")) for name in ("ledger", "witness"))
    return TrustedKeys(ledger, witness, None, "", "", "", "")


def signer_key(home: Home, signer: str) -> str:
    """The public line of "agency" or "trustee": trusted once there is a site file, before that the one in `public/`.

    Raises WardwellError when it is missing, or the access log vouches for another one.
    """
    if (home.public / "site.json").exists() or (home.public / "ledger" / "vkey").exists():
        known: str = getattr(_keys_or_none(home), signer, "")
        if known:
            return known
    return _text(home.public / f"{signer}.pub").strip()


def _keys_or_none(home: Home) -> TrustedKeys | None:
    """None before the founding, when the witness or the log has no key yet."""
    early = not (home.public / "site.json").exists() and not (home.public / "witness" / "vkey").exists()
    return None if early else trusted_keys(home)


def check_founding(leaf: dict[str, Any], keys: TrustedKeys) -> None:
    """Raise WardwellError when the founding leaf names another key of agency or trustee than `keys` has."""
    for signer in SIGNERS:
        if key_of(getattr(keys, signer)) != leaf.get(signer):
            raise WardwellError(
                f"public/{signer}.pub is not the key of the {signer} that the access log was founded with.", _AGAIN
            )


def founding_leaf(home: Home, ledger: Verifier) -> dict[str, Any] | None:
    """The leaf `founding` of the public log that `ledger` signs; None when there is no log or no such leaf."""
    if not (home.public / "ledger" / "checkpoint").exists():
        return None
    log = PublicLog(home.public / "ledger", str(ledger))
    position = _position(log)
    return None if position is None else log.leaf(position)


def key_of(line: str) -> str:
    """Type and key of an OpenSSH public line, without the comment, which may be a person's name."""
    return " ".join(line.split()[:2])


def _founding_leaf(home: Home, keys: TrustedKeys) -> tuple[dict[str, Any] | None, str]:
    leaf = founding_leaf(home, keys.ledger)
    if leaf is None or not (home.public / "witness" / "checkpoint").exists():
        return leaf, "ledgered"
    try:
        seen = _witnessed(home, keys).log
        position = _places[seen.folder]
        return leaf, "witnessed" if position < seen.size and seen.leaf(position) == leaf else "ledgered"
    except (WardwellError, OSError):
        return leaf, "ledgered"  # what lies there is not the witness's word, and vouches for nothing


def _position(log: PublicLog) -> int | None:
    """Where the founding leaf of `log` is. The ledger takes one only, so whatever was searched once stays searched."""
    place = _places.get(log.folder)
    if place is not None and place < log.size and _MARK in log.entry(place):
        return place
    start = _searched.get(log.folder, 0)
    for first in range(start if start <= log.size else 0, log.size, _READ_AT_ONCE):
        for index, raw in enumerate(log.entries(first, min(first + _READ_AT_ONCE, log.size)), start=first):
            if _MARK in raw and json.loads(raw).get("kind") == FOUNDING:
                _places[log.folder] = index
                return index
    _searched[log.folder] = log.size
    return None


def _verify_site(home: Home, raw: bytes, signer: str) -> str:
    signature = home.public / f"site.json.{signer}.sig"
    if not signature.exists():
        raise WardwellError(
            f"public/site.json is not signed by the {signer}, so no log key is trusted.",
            "Have the founding papers signed by agency and trustee, and take them in again: `wardwell found accept`.",
        )
    line = _text(home.public / f"{signer}.pub").strip()
    sshsig.verify(line, raw, signature.read_bytes(), "wardwell-site")
    return line


@dataclass(frozen=True)
class Witnessed:
    """What the witness has cosigned: the log as a snapshot at that checkpoint, and when (UTC)."""

    log: PublicLog
    at: datetime


def witnessed(home: Home, keys: TrustedKeys | None = None) -> Witnessed:
    """The log as the witness last cosigned it, by `keys` where the caller has checked them already.

    Raises NotWitnessed when there is no cosigned checkpoint yet, WardwellError when a key or a signature is not right.
    """
    if not (home.public / "witness" / "checkpoint").exists():
        raise NotWitnessed("The witness has not cosigned any checkpoint yet.", "See that the witness is running.")
    return _witnessed(home, keys or trusted_keys(home))


def _witnessed(home: Home, keys: TrustedKeys) -> Witnessed:
    note = read_note(home.public / "witness" / "checkpoint")
    checkpoint = Checkpoint.parse(open_note(note, keys.ledger))
    at = cosigned_at(note, keys.witness)
    return Witnessed(PublicLog(home.public / "ledger", str(keys.ledger), at=checkpoint), at)


def require_witnessed(home: Home, index: int, expected: Callable[[dict[str, Any]], bool]) -> Witnessed:
    """Return when leaf `index` is in the witnessed checkpoint and `expected(leaf)` holds.

    Raises NotWitnessed when the witness has not come that far (ask again later), WardwellError when the leaf is another
    one or a proof or signature does not hold (never rely on it).
    """
    word = witnessed(home)
    if not 0 <= index < word.log.size:
        raise NotWitnessed("That entry is not in a witnessed checkpoint yet.", "See that the witness is running.")
    if not expected(word.log.leaf(index)):
        raise WardwellError(f"Entry {index} of the log is not the expected one.", "Report this to the trustee.")
    return word


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        raise WardwellError(f"{path.parent.name}/{path.name} is missing.", "Restore it from the founding.") from None
