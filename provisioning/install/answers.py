"""The answers that configure an appliance: to twelve questions, and to some more that only a file can give.

Owns: the typed form of `answers.toml`, its checks, and what follows from it: `wardwell.toml` and Ansible's variables.
Must never see: the directory's password; the answer is only the name of its file.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from appliance.errors import Refused
from appliance.layout import GROUPS, USERS, WITNESS
from appliance.settings import COMPARTMENTS, CONFIGURATION, Backup, Feed, Hosts, Settings

_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# A line of OpenSSH without options before the key, because options could loosen what sshd allows.
_KEY = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [^\n\r]*)?")
_FEED = re.compile(r"[a-z][a-z0-9-]{0,24}")
SOURCE = "/opt/wardwell/current/src"


class DirectoryAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The agency's LDAP directory, and the files with its CA and the bind password."""

    url: str
    base_dn: str
    bind_dn: str
    bind_password_file: str
    ca_file: str
    user_filter: str = ""
    roster_id_attribute: str = ""
    name_attribute: str = ""


class FeedAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One CAD/RMS feed: its profile, and how its export job signs in to the drop server."""

    name: str
    profile: str
    public_key: str = ""
    password_hash: str = ""
    networks: list[str] = []


class BackupAnswers(Backup, frozen=True, forbid_unknown_fields=True):
    """Where backups go, and which machine of the agency's may fetch them over SFTP."""

    pull_key: str = ""
    pull_networks: list[str] = []


class RelayAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host of the agency that health events are sent to."""

    host: str
    ca_file: str
    address: str = ""
    port: int = 0
    sender: str = ""
    recipients: list[str] = []
    user: str = ""
    password_file: str = ""


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The typed `answers.toml`."""

    agency: str
    domain: str
    address: str
    directory: DirectoryAnswers
    time_server: str
    admin_networks: list[str]
    admin_key_file: str
    data_device: str = ""
    time_zone: str = ""
    hosts: Hosts | None = None
    feeds: list[FeedAnswers] = []
    witness: Literal["remote", "here"] = "remote"
    witness_key: str = ""
    witness_networks: list[str] = []
    backup: BackupAnswers = BackupAnswers()
    syslog: RelayAnswers | None = None
    smtp: RelayAnswers | None = None

    @property
    def three_hosts(self) -> Hosts:
        """The names of the three sites; below `domain` unless each is given."""
        return self.hosts or Hosts(f"desk.{self.domain}", f"post.{self.domain}", f"my.{self.domain}")


@dataclass(frozen=True)
class Question:
    """A question of the setup: the key of its answer, its wording, a default, and a hint for who answers."""

    key: str
    words: str
    default: str = ""
    note: str = ""


QUESTIONS = (
    Question("agency", "Name of the agency, as officers know it"),
    Question("domain", "Domain of the three sites", note="desk., post. and my. are put before it"),
    Question("address", "IP address of this machine that browsers reach"),
    Question("directory.url", "Address of the directory", note="ldaps://…"),
    Question("directory.base_dn", "Where in the directory people are", note="dc=agency,dc=example"),
    Question("directory.bind_dn", "Account that reads the directory"),
    Question("directory.bind_password_file", "File with that account's password"),
    Question("directory.ca_file", "File with the CA of the directory's certificate (PEM)"),
    Question("time_server", "Time server (NTP) of the agency"),
    Question("data_device", "Empty disk for the data", note="/dev/vdb; leave empty only where the hypervisor encrypts"),
    Question("admin_networks", "Networks that administrators come from", note="10.1.2.0/24, separated by spaces"),
    Question("admin_key_file", "File with the administrator's public SSH key"),
)


def decode(content: bytes, name: str) -> Answers:
    """The answers in a TOML file. Raises Refused, naming the key that is wrong and the closest right one."""
    try:
        given = msgspec.toml.decode(content)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refused(f"{name} is not valid TOML: {error}.", "Correct that line.") from None
    _refuse_unknown(given, Answers, name, "")
    try:
        answers = msgspec.convert(given, Answers)
    except msgspec.ValidationError as error:
        raise Refused(f"{name}: {error}.", "Correct that answer.") from None
    check(answers)
    return answers


def _refuse_unknown(given: dict[str, Any], kind: Any, name: str, prefix: str) -> None:
    known = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in given.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            fix = f"Did you mean {prefix}{close[0]}?" if close else f"Known here: {', '.join(sorted(known))}."
            raise Refused(f"{name} contains the unknown answer {prefix}{key}.", fix)
        inner = _struct(known[key])
        for table in value if isinstance(value, list) else [value]:
            if inner and isinstance(table, dict):
                _refuse_unknown(table, inner, name, f"{prefix}{key}.")


def _struct(kind: Any) -> Any:
    """The Struct in a field's type (`X`, `X | None`, `list[X]`), or None."""
    types = [kind, *getattr(kind, "__args__", ())]
    return next((inner for inner in types if isinstance(inner, type) and issubclass(inner, msgspec.Struct)), None)


def check(answers: Answers) -> None:
    """Raise Refused for the first answer that cannot be right, saying what to give instead."""
    if not answers.agency.strip():
        raise Refused("The agency has no name.", "Give the name as officers know it.")
    hosts = answers.three_hosts
    for host in (hosts.desk, hosts.post, hosts.space):
        if not _NAME.fullmatch(host.partition(":")[0]):
            raise Refused(f"{host} is not a DNS name.", "Give a domain like wellness.agency.gov, in lower case.")
    _check_address(answers.address, "address")
    url = urlsplit(answers.directory.url)
    if url.scheme != "ldaps" or not url.hostname:
        raise Refused(
            "directory.url is not ldaps://HOST.", "Give the directory's LDAPS address: ldaps://dc1.agency.gov"
        )
    if not answers.directory.base_dn or not answers.directory.bind_dn:
        raise Refused("directory.base_dn or directory.bind_dn is empty.", "Give both distinguished names.")
    backup = answers.backup
    _check_account("witness_key", answers.witness_key, "witness_networks", answers.witness_networks)
    _check_account("backup.pull_key", backup.pull_key, "backup.pull_networks", backup.pull_networks)
    if answers.witness == "here" and answers.witness_key:
        fix = 'Remove witness_key, or answer witness = "remote".'
        raise Refused("The witness runs here, but there is also a key for it to sign in with.", fix)
    feed_networks = [network for feed in answers.feeds for network in feed.networks]
    for network in [*answers.admin_networks, *answers.witness_networks, *backup.pull_networks, *feed_networks]:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise Refused(f"{network} is not a network.", "Write it like 10.1.2.0/24.") from None
    if not answers.admin_networks:
        raise Refused("No network for administrators is given.", "Give at least one, like 10.1.2.0/24.")
    if not answers.time_server:
        raise Refused("No time server is given.", "Give the agency's NTP server: a name or an address.")
    if answers.data_device and not answers.data_device.startswith("/dev/"):
        raise Refused(f"{answers.data_device} is not a device.", "Give one like /dev/vdb, or leave it empty.")
    try:
        ZoneInfo(answers.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise Refused(f"{answers.time_zone} is not a time zone.", "Give one like America/Chicago.") from None
    for feed in answers.feeds:
        if not _FEED.fullmatch(feed.name):
            raise Refused(f"{feed.name!r} cannot name a feed.", "Use lower-case letters, digits and dashes.")
        if not (feed.public_key or feed.password_hash):
            raise Refused(f"The feed {feed.name} has no way to sign in.", "Give its public_key or password_hash.")


def _check_account(key: str, line: str, networks_key: str, networks: list[str]) -> None:
    """Refuse an account for another machine that has a key but no networks to sign in from, or the reverse."""
    if bool(line) != bool(networks):
        raise Refused(f"Only one of {key} and {networks_key} is given.", "Give both, or neither.")
    if line and not _KEY.fullmatch(line.strip()):
        raise Refused(f"{key} is not a public SSH key.", "Give a single line, as in a file that ends in .pub.")


def _check_address(text: str, key: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Refused(f"{key} is {text!r}, which is not an IP address.", "Write it like 10.1.2.3.") from None


def settings(answers: Answers) -> dict[str, Any]:
    """The tables of `wardwell.toml`. A setting without an answer keeps its default in `Settings`."""
    directory = {key: value for key, value in msgspec.to_builtins(answers.directory).items() if value}
    feeds = [Feed(feed.name, feed.profile) for feed in answers.feeds]
    tables = {
        "agency": answers.agency,
        "time_zone": answers.time_zone or "UTC",
        "address": answers.address,
        "witness": answers.witness,
        "time_server": answers.time_server,
        "custody": "shares",
        "demonstration": False,
        "hosts": msgspec.to_builtins(answers.three_hosts),
        "directory": directory,
        "disk": {"device": answers.data_device},
        "backup": {name: getattr(answers.backup, name) for name in Backup.__struct_fields__},
        "feeds": msgspec.to_builtins(feeds),
    }
    msgspec.convert(tables, Settings)  # a mistake of ours shows here instead of at the next boot
    return tables


def toml(tables: dict[str, Any]) -> str:
    """TOML: plain values first, then tables and lists of tables, one level deep. TOML accepts JSON's strings."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in tables.items() if not _is_table(value)
    ]
    for key, content in tables.items():
        if _is_table(content):
            head = f"[{key}]" if isinstance(content, dict) else f"[[{key}]]"
            for table in [content] if isinstance(content, dict) else content:
                lines += ["", head]
                lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or bool(isinstance(value, list) and value and isinstance(value[0], dict))


def variables(answers: Answers, admin_key: str) -> dict[str, Any]:
    """Ansible's variables. Host names that the appliance connects to are resolved here, once, and pinned.

    Raises Refused when a name has no address.
    """
    url = urlsplit(answers.directory.url)
    names = [name for name in (url.hostname or "", answers.time_server) if name]
    relays = [relay for relay in (answers.syslog, answers.smtp) if relay]
    pinned = {name: _addresses(name) for name in names}
    pinned |= {relay.host: [relay.address] if relay.address else _addresses(relay.host) for relay in relays}
    accounts = USERS | {WITNESS: "Wardwell, the witness", "wardwell-relay": "Wardwell, health events"}
    return {
        "wardwell_agency": answers.agency,
        "wardwell_hosts": msgspec.to_builtins(answers.three_hosts),
        "wardwell_address": answers.address,
        "wardwell_directory_addresses": pinned[url.hostname or ""],
        "wardwell_directory_port": url.port or 636,
        "wardwell_time_server": answers.time_server,
        "wardwell_data_device": answers.data_device,
        "wardwell_admin_networks": answers.admin_networks,
        "wardwell_admin_key": admin_key,
        "wardwell_feeds": msgspec.to_builtins(answers.feeds),
        "wardwell_witness": answers.witness,
        "wardwell_witness_key": answers.witness_key.strip(),
        "wardwell_witness_networks": answers.witness_networks,
        "wardwell_pull_key": answers.backup.pull_key.strip(),
        "wardwell_pull_networks": answers.backup.pull_networks,
        "wardwell_pinned_names": [
            {"name": name, "addresses": addresses} for name, addresses in pinned.items() if name not in addresses
        ],
        "wardwell_syslog": _relay(answers.syslog, pinned, 6514),
        "wardwell_smtp": _relay(answers.smtp, pinned, 587),
        "wardwell_compartments": list(COMPARTMENTS),
        "wardwell_accounts": [{"name": name, "comment": comment} for name, comment in accounts.items()],
        "wardwell_groups": [{"name": name, "members": list(members)} for name, members in GROUPS.items()],
    }


def _relay(relay: RelayAnswers | None, pinned: dict[str, list[str]], port: int) -> dict[str, Any]:
    return {"address": pinned[relay.host][0], "port": relay.port or port} if relay else {}


def relay_settings(answers: Answers) -> dict[str, Any]:
    """The tables of `relay.toml`; empty when health events stay on this machine."""
    tables: dict[str, Any] = {}
    for key, relay, port in (("syslog", answers.syslog, 6514), ("smtp", answers.smtp, 587)):
        if relay:
            given = {name: value for name, value in msgspec.to_builtins(relay).items() if value}
            tables[key] = {**given, "port": relay.port or port}
    return tables


def _addresses(name: str) -> list[str]:
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        raise Refused(f"{name} has no address here.", "Give an IP address, or add it to /etc/hosts first.") from None
    return sorted({str(entry[4][0]) for entry in entries})


def answers_file() -> Path:
    """Where this machine's answers are stored."""
    return CONFIGURATION / "answers.toml"
