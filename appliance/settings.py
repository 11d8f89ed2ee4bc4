"""Where things lie, and the site's own settings.

Owns: the folder layout under `$WARDWELL_HOME` and the typed form of `wardwell.toml`.
Must never see: a secret; keys lie in files that only their compartment opens.

Layout (each compartment's folder belongs to that compartment's user in production):

    wardwell.toml  charter.toml
    <compartment>/key  <compartment>/database.db   for desk, post, intake, ledger, press
    spool/<sender>-to-<receiver>/                  messages, one folder per direction
    run/<name>.sock                                unix sockets (desk, post, ledger)
    public/                                        what anyone may read: charter, ledger files, boards, releases
    drop/<feed>/                                   where CAD/RMS exports land
    log/  nginx/  demo/
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from appliance.errors import WardwellError

COMPARTMENTS = ("desk", "post", "intake", "ledger", "press")


class Hosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Host and port of each of the three sites, as the browser writes them."""

    desk: str = "desk.wardwell.localhost:8443"
    post: str = "post.wardwell.localhost:8444"
    space: str = "my.wardwell.localhost:8445"


class Directory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The agency's LDAP directory. `user_filter` holds one `{name}`, filled in escaped."""

    url: str = "ldaps://127.0.0.1:6636"
    ca_file: str = ""
    base_dn: str = "dc=agency,dc=example"
    bind_dn: str = ""
    bind_password_file: str = ""
    user_filter: str = "(&(objectClass=inetOrgPerson)(uid={name}))"
    roster_id_attribute: str = "employeeNumber"
    name_attribute: str = "displayName"
    timeout_seconds: float = 3.0


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One CAD/RMS feed: a folder under `drop/` and the profile that reads it."""

    name: str
    profile: str


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The typed `wardwell.toml`."""

    agency: str = "Agency"
    time_zone: str = "America/Los_Angeles"
    hosts: Hosts = Hosts()
    directory: Directory = Directory()
    feeds: list[Feed] = []
    scan_seconds: float = 10.0
    custody: Literal["shares", "file"] = "file"
    demonstration: bool = False
    database_url: str = ""


@dataclass(frozen=True)
class Home:
    """The folders of one appliance. `Home.find()` is the one that commands use."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """`$WARDWELL_HOME`, else `./.wardwell`."""
        return cls(Path(os.environ.get("WARDWELL_HOME") or ".wardwell").absolute())

    @property
    def settings_file(self) -> Path:
        return self.root / "wardwell.toml"

    @property
    def charter_file(self) -> Path:
        return self.root / "charter.toml"

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def folder(self, compartment: str) -> Path:
        if compartment not in COMPARTMENTS:
            raise ValueError(f"no compartment {compartment!r}")
        return self.root / compartment

    def database(self, compartment: str) -> Path:
        return self.folder(compartment) / "database.db"

    def key(self, compartment: str) -> Path:
        return self.folder(compartment) / "key"

    def spool(self, sender: str, receiver: str) -> Path:
        return self.root / "spool" / f"{sender}-to-{receiver}"

    def socket(self, name: str) -> Path:
        return self.root / "run" / f"{name}.sock"

    def drop(self, feed: str) -> Path:
        return self.root / "drop" / feed

    def settings(self) -> Settings:
        """Read `wardwell.toml`. Raises WardwellError when it is missing or wrong."""
        try:
            return msgspec.toml.decode(self.settings_file.read_bytes(), type=Settings)
        except FileNotFoundError:
            raise WardwellError(
                f"No appliance at {self.root}: wardwell.toml is missing.",
                "Set WARDWELL_HOME, or run `make demo` for a demonstration.",
            ) from None
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise WardwellError(f"{self.settings_file} is not valid: {error}.", "Correct that line.") from None
