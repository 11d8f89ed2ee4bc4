"""`wardwell kit keylist`: the officers' trustee signs who can be written to, and with which keys.

Owns: entries as supporters' browsers export them, the numbered list `keylist.json`, its signature (SSHSIG, namespace
`wardwell-keylist`). Runs on the trustee's own machine. Must never see: a secret half of a supporter's key.

The list is whole: who is not among the entries is no longer on it. Numbers stay with their person.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Any

import click
import msgspec

from appliance import durable
from appliance.crypto import sealing, sshsig
from appliance.crypto.canonical import canonical
from appliance.errors import WardwellError

NAMESPACE = "wardwell-keylist"
NAME = "keylist.json"
_X25519_BYTES = 32
_ROLES = ("peer", "clinician")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One supporter. Keys are base64; `number` is None before the first listing."""

    name: str
    role: str
    languages: list[str]
    phone: str
    about: str
    xwing: str
    x25519: str
    number: int | None = None


class KeyList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list as it is signed."""

    version: int
    supporters: list[Entry]


def check_groups(entry: Entry) -> str:
    """Eight groups of four hex digits over both keys; the supporter's browser shows the same, to be read aloud."""
    digest = hashlib.sha256(_key(entry.xwing) + _key(entry.x25519)).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def read_entry(raw: bytes, source: str) -> Entry:
    """The entry in a supporter's file. Raises WardwellError naming `source` when it is none."""
    try:
        entry = msgspec.json.decode(raw, type=Entry)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError(f"{source} is not a supporter's entry.", "Have it saved again from “Your keys”.") from None
    if len(_key(entry.xwing)) != sealing.PUBLIC_KEY_BYTES or len(_key(entry.x25519)) != _X25519_BYTES:
        raise WardwellError(f"{source} holds no usable keys.", "Have it saved again from “Your keys”.")
    if entry.role not in _ROLES or not entry.name.strip():
        raise WardwellError(f"{source} needs a name, and the role peer or clinician.", "Correct it and sign again.")
    return entry


def read_entries(paths: list[Path]) -> list[Entry]:
    """The entries in files and in folders of `.json` files, in that order. Raises WardwellError for a wrong one."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise WardwellError("There is no entry to sign.", "Give the supporters' files, or the folder they lie in.")
    try:
        return [read_entry(path.read_bytes(), path.name) for path in files]
    except OSError as error:
        raise WardwellError(f"{error.filename} cannot be read.", "Give the path of a supporter's file.") from None


def number(entries: list[Entry], before: KeyList | None) -> KeyList:
    """The next list: one version higher; each person keeps the number that they had, and new ones follow.

    Raises WardwellError when two entries are for one number, or share a key.
    """
    known = {(supporter.name, supporter.role): supporter.number for supporter in before.supporters} if before else {}
    given = [
        supporter.number if supporter.number is not None else known.get((supporter.name, supporter.role))
        for supporter in entries
    ]
    free = max([0, *(n for n in given if n is not None), *(n for n in known.values() if n is not None)])
    numbered = []
    for entry, had in zip(entries, given, strict=True):
        if had is None:
            free = had = free + 1
        numbered.append(msgspec.structs.replace(entry, number=had))
    for values, what in (
        ([supporter.number for supporter in numbered], "number"),
        ([supporter.xwing for supporter in numbered], "key"),
        ([supporter.x25519 for supporter in numbered], "key"),
    ):
        if len(set(values)) != len(values):
            raise WardwellError(f"Two entries have the same {what}.", "Take one of them out and sign again.")
    supporters = sorted(numbered, key=lambda supporter: supporter.number or 0)
    return KeyList((before.version if before else 0) + 1, supporters)


def read_list(folder: Path) -> KeyList | None:
    """The list in `folder`, not checked; None when there is none. Raises WardwellError when it is damaged."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyList)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise WardwellError("The key list is damaged.", "Restore the last one that you signed.") from None


def sign_list(entries: list[Entry], key: Path, out: Path) -> KeyList:
    """Number `entries`, sign the list with the trustee's private key and write it with its signature into `out`.

    A list already in `out` gives the version and the numbers. Raises WardwellError when the trustee's public key lies
    there and the private key is another one.
    """
    private = sshsig.load_private(key)
    public = out / "trustee.pub"
    mine = sshsig.fingerprint(sshsig.public_line(private, ""))
    if public.exists() and sshsig.fingerprint(public.read_text().strip()) != mine:
        raise WardwellError("That is not the key of this appliance's trustee.", "Sign with the trustee's own key.")
    made = number(entries, read_list(out))
    raw = canonical(json.loads(msgspec.json.encode(made)))
    durable.replace(out / f"{NAME}.sig", sshsig.sign(private, raw, NAMESPACE))
    durable.replace(out / NAME, raw)
    return made


def verify_list(folder: Path, public_line: str) -> KeyList:
    """The list in `folder` when the key of `public_line` signed it. Raises WardwellError when it did not."""
    try:
        raw, signature = (folder / NAME).read_bytes(), (folder / f"{NAME}.sig").read_bytes()
    except OSError:
        raise WardwellError("The key list or its signature is missing.", "Sign one with `keylist sign`.") from None
    sshsig.verify(public_line, raw, signature, NAMESPACE)
    signed = read_list(folder)
    if signed is None:
        raise WardwellError("The key list is missing.", "Sign one with `keylist sign`.")
    return signed


def _show(listed: KeyList) -> None:
    rows: list[Any] = [
        (supporter.number, supporter.role, supporter.name, check_groups(supporter)) for supporter in listed.supporters
    ]
    for row in rows:
        click.echo("{:>4}  {:<10} {:<28} {}".format(*row))


@click.group()
def keylist() -> None:
    """The list of peers and clinicians who can be written to, signed by the officers' trustee."""


@keylist.command()
@click.option("--entries", required=True, multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The trustee's private key (OpenSSH).")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the list lies.")
def sign(entries: tuple[Path, ...], key: Path, out: Path) -> None:
    """Sign supporters' files (or folders of them) as the new, whole list.

    Compare the groups shown with what each supporter reads to you, before you publish the list.
    """
    made = sign_list(read_entries(list(entries)), key, out)
    _show(made)
    click.echo(f"{out / NAME}: version {made.version}, {len(made.supporters)} supporters, signed.")


@keylist.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, path_type=Path), help="The trustee's public key.")
def verify(folder: Path, key: Path) -> None:
    """Verify the list in FOLDER and show who is on it."""
    listed = verify_list(folder, key.read_text().strip())
    _show(listed)
    click.echo(f"Version {listed.version}, {len(listed.supporters)} supporters: signed by that key.")
