"""The setup: answers from a file or from a person, kept as they are given, and the few files that they name.

Owns: `/etc/wardwell/{answers.toml,answers.part.json,directory-ca.pem,directory-password,administrator.pub}`. Must never
see: more of the directory's password than the copy of its file. Nothing is kept before every answer has been checked.
"""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance import durable
from appliance.errors import Refused
from provisioning.install.answers import QUESTIONS, Answers, Question, check, decode, toml

# Answer that names a file -> the copy of it that is kept, and its mode. The role layout gives the password to desk.
_KEPT = {
    "admin_key_file": ("administrator.pub", 0o644),
    "directory.ca_file": ("directory-ca.pem", 0o644),
    "directory.bind_password_file": ("directory-password", 0o640),
    "syslog.ca_file": ("syslog-ca.pem", 0o644),
    "smtp.ca_file": ("smtp-ca.pem", 0o644),
    "smtp.password_file": ("smtp-password", 0o640),
}
_MARKS = {"admin_key_file": "ssh-", "ca_file": "-----BEGIN CERTIFICATE-----"}
Ask = Callable[[Question, str], str]


def from_file(path: Path, folder: Path) -> Answers:
    """Take the answers of `path`. Raises Refused, before anything is written, when one is wrong."""
    try:
        content = path.read_bytes()
    except OSError:
        raise Refused(f"{path} cannot be read.", "Give the path of the answers file.") from None
    return keep(decode(content, path.name), folder)


def from_person(ask: Ask, folder: Path, zone: str) -> Answers:
    """Ask every question; each answer is kept at once, so that an interrupted setup goes on where it was."""
    part = folder / "answers.part.json"
    given: dict[str, str] = json.loads(part.read_text()) if part.exists() else {}
    folder.mkdir(parents=True, exist_ok=True)
    for question in QUESTIONS:
        given[question.key] = ask(question, given.get(question.key, question.default)).strip()
        _write(part, json.dumps(given), 0o600)
    # Asked again, what only a file answers stays: feeds, the witness's key, backups, hosts for health events.
    before = folder / "answers.toml"
    tables: dict[str, Any] = tomllib.loads(before.read_text()) if before.exists() else {"directory": {}}
    tables.setdefault("time_zone", zone)
    for key, value in given.items():
        above, _, name = key.rpartition(".")
        wanted: Any = value.split() if key == "admin_networks" else value
        (tables[above] if above else tables)[name] = wanted
    answers = decode(toml(tables).encode(), "What was answered")
    kept = keep(answers, folder)
    part.unlink()
    return kept


def keep(answers: Answers, folder: Path) -> Answers:
    """Copy the files that are named and write `answers.toml`; what was kept. Again with the same changes nothing."""
    check(answers)
    tables = msgspec.to_builtins(answers)
    contents = {}
    for key, (name, mode) in _KEPT.items():
        above, _, field = key.rpartition(".")
        table = tables[above] if above else tables
        if table and table.get(field):
            contents[name] = (_content(key, field, Path(table[field])), mode)
            table[field] = str(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, mode) in contents.items():
        _write(folder / name, content, mode)
    kept = msgspec.convert(tables, Answers)
    written = {key: value for key, value in msgspec.to_builtins(kept).items() if value not in (None, [])}
    _write(folder / "answers.toml", toml(written), 0o640)
    return kept


def _content(key: str, field: str, path: Path) -> str:
    try:
        content = path.read_text()
    except (OSError, UnicodeError):
        raise Refused(f"{key}: {path} cannot be read.", "Put the file there, or give another path.") from None
    mark = _MARKS.get(field, "")
    if not content.strip() or mark not in content:
        wanted = {"ssh-": "a public SSH key", "": "a password"}.get(mark, "a certificate in PEM")
        raise Refused(f"{key}: {path} does not hold {wanted}.", "Give the path of the right file.")
    return content


def _write(path: Path, content: str, mode: int) -> None:
    """Only when it differs: owner and group that the installation gave stay with an unchanged file."""
    if path.exists() and path.read_text() == content:
        return
    durable.replace(path, content.encode(), mode=mode)


def zone_of_machine(root: Path = Path("/")) -> str:
    """The time zone that this machine is set to; "UTC" when it says none."""
    link = root / "etc" / "localtime"
    target = str(link.readlink()) if link.is_symlink() else ""
    return target.partition("zoneinfo/")[2] or "UTC"


def proposals(addresses: list[str]) -> dict[str, str]:
    """Defaults that this machine knows itself: its first address that is not its own loopback."""
    usable = [one for one in addresses if not ipaddress.ip_address(one).is_loopback]
    return {"address": usable[0]} if usable else {}
