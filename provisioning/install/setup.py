"""The setup: takes the answers from a file or a person, and stores them with copies of the files that they name.

Owns: `/etc/wardwell/{answers.toml,answers.part.json,directory-ca.pem,directory-password,administrator.pub}`. Must never
see: more of the directory's password than the copy of its file. `answers.toml` is written once all answers are checked.
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

# Answer that names a file -> the name and mode of the copy that is stored. The role layout gives the password to desk.
_COPIES = {
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
    """Take the answers in `path`. Raises Refused, before anything is written, when an answer is wrong."""
    try:
        content = path.read_bytes()
    except OSError:
        raise Refused(f"{path} cannot be read.", "Give the path of the answers file.") from None
    return store(decode(content, path.name), folder)


def from_person(ask: Ask, folder: Path, zone: str) -> Answers:
    """Ask every question. Each answer is saved at once, so that an interrupted setup continues where it stopped."""
    part = folder / "answers.part.json"
    given: dict[str, str] = json.loads(part.read_text()) if part.exists() else {}
    folder.mkdir(parents=True, exist_ok=True)
    for question in QUESTIONS:
        given[question.key] = ask(question, given.get(question.key, question.default)).strip()
        _write(part, json.dumps(given), 0o600)
    # Asking again keeps what only a file can give: feeds, the witness's key, backups, hosts for health events.
    before = folder / "answers.toml"
    tables: dict[str, Any] = tomllib.loads(before.read_text()) if before.exists() else {"directory": {}}
    tables.setdefault("time_zone", zone)
    for key, value in given.items():
        above, _, name = key.rpartition(".")
        answer: Any = value.split() if key == "admin_networks" else value
        (tables[above] if above else tables)[name] = answer
    answers = store(decode(toml(tables).encode(), before.name), folder)
    part.unlink()
    return answers


def store(answers: Answers, folder: Path) -> Answers:
    """Copy the files that the answers name and write `answers.toml`; returns the answers with the copies' paths.

    Doing it again with the same answers changes nothing.
    """
    check(answers)
    tables = msgspec.to_builtins(answers)
    contents = {}
    for key, (name, mode) in _COPIES.items():
        above, _, field = key.rpartition(".")
        table = tables[above] if above else tables
        if table and table.get(field):
            contents[name] = (_content(key, field, Path(table[field])), mode)
            table[field] = str(folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, mode) in contents.items():
        _write(folder / name, content, mode)
    stored = msgspec.convert(tables, Answers)
    given = {key: value for key, value in msgspec.to_builtins(stored).items() if value not in (None, [])}
    _write(folder / "answers.toml", toml(given), 0o640)
    return stored


def _content(key: str, field: str, path: Path) -> str:
    try:
        content = path.read_text()
    except (OSError, UnicodeError):
        raise Refused(f"{key}: {path} cannot be read.", "Put the file there, or give another path.") from None
    mark = _MARKS.get(field, "")
    if not content.strip() or mark not in content:
        expected = {"ssh-": "a public SSH key", "": "a password"}.get(mark, "a certificate in PEM")
        raise Refused(f"{key}: {path} does not hold {expected}.", "Give the path of the right file.")
    return content


def _write(path: Path, content: str, mode: int) -> None:
    """Only when it differs: owner and group that the installation gave stay with an unchanged file."""
    if path.exists() and path.read_text() == content:
        return
    durable.replace(path, content.encode(), mode=mode)


def zone_of_machine(root: Path = Path("/")) -> str:
    """The time zone that this machine is set to; "UTC" when none is set."""
    link = root / "etc" / "localtime"
    target = str(link.readlink()) if link.is_symlink() else ""
    return target.partition("zoneinfo/")[2] or "UTC"


def proposals(addresses: list[str]) -> dict[str, str]:
    """Default answers that can be taken from the machine: its first address that is not a loopback address."""
    usable = [address for address in addresses if not ipaddress.ip_address(address).is_loopback]
    return {"address": usable[0]} if usable else {}
