"""Where things lie, and the site's own settings.

Owns: the folder layout of an appliance and the typed form of `wardwell.toml`.
Must never see: a secret; keys lie in files that only their compartment opens.

Two worlds share one layout. A demonstration lies under one folder (`$WARDWELL_HOME`). In production the state is the
data volume, `/var/lib/wardwell`, and what has to be there while it is sealed lies on the system disk:

    here                          in production
    wardwell.toml                 /etc/wardwell/wardwell.toml
    charter.toml                  public/charter.toml (adopted by signature; before, the one that ships)
    <compartment>/key             $CREDENTIALS_DIRECTORY/key, handed over by systemd
    run/<name>/<name>.sock        /run/wardwell/sockets/<name>/<name>.sock (desk, post, ledger)
    run/<compartment>/worker      /run/wardwell/units/<compartment>/worker (by which its worker is reached)
    log/                          log/<compartment>/
    nginx/                        /etc/wardwell/nginx, /run/wardwell/front
    drop/<feed>/                  drop/<feed>/in/ (where CAD/RMS exports land)
    public/site/                  a link to /srv/wardwell/site: pages before sign-in are served while sealed

The same in both: `<compartment>/database.db`, `spool/<sender>-to-<receiver>/` (messages, one folder per direction) and
`public/` (what anyone may read: charter, ledger files, boards, releases).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from appliance.errors import WardwellError

COMPARTMENTS = ("desk", "post", "intake", "ledger", "press")

PRODUCTION = Path("/var/lib/wardwell")
CONFIGURATION = Path("/etc/wardwell")
RUNTIME = Path("/run/wardwell")
SITE = Path("/srv/wardwell/site")
# Exists while the data volume is open; custody makes and removes it.
UNSEALED = RUNTIME / "unsealed"
# Exists while the operator holds the appliance still; gone after a start.
MAINTENANCE = RUNTIME / "maintenance"


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


class Disk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data volume: the block device that is encrypted; "" when the state is a plain folder of the system disk."""

    device: str = ""


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where nightly backups go. `mounted` refuses when no disk is mounted there (a USB disk that was left out);
    `fetched` expects a machine of the agency to fetch each one, and `status` says so when none came for three days."""

    to: str = "/var/backups/wardwell"
    keep_days: int = 35
    mounted: bool = False
    fetched: bool = False


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
    # The address that the front listens on.
    address: str = "127.0.0.1"
    # Where the access log's witness runs: with the officers' trustee, or as a user of this machine.
    witness: Literal["remote", "here"] = "remote"
    time_server: str = ""
    disk: Disk = Disk()
    backup: Backup = Backup()


@dataclass(frozen=True)
class Home:
    """The folders of one appliance. `Home.find()` is the one that commands use."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """`$WARDWELL_HOME`, else the production appliance when this machine is one, else `./.wardwell`."""
        given = os.environ.get("WARDWELL_HOME")
        if not given and (CONFIGURATION / "wardwell.toml").exists():
            return cls(PRODUCTION)
        return cls(Path(given or ".wardwell").absolute())

    @property
    def production(self) -> bool:
        """Whether this is the appliance of this machine, with a user per compartment, and no demonstration."""
        return self.root == PRODUCTION

    @property
    def settings_file(self) -> Path:
        return (CONFIGURATION if self.production else self.root) / "wardwell.toml"

    @property
    def charter_file(self) -> Path:
        return (self.public if self.production else self.root) / "charter.toml"

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def site(self) -> Path:
        """The pages before sign-in, as files that nginx serves."""
        return SITE if self.production else self.public / "site"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def logs(self, compartment: str) -> Path:
        """Where the programs of `compartment` write their logs, `<program>.log` each."""
        return self.log / compartment if self.production else self.log

    @property
    def run(self) -> Path:
        """Where the folders of the sockets are."""
        return RUNTIME / "sockets" if self.production else self.root / "run"

    @property
    def front(self) -> Path:
        """Where the front's configuration lies."""
        return CONFIGURATION / "nginx" if self.production else self.root / "nginx"

    @property
    def tls(self) -> Path:
        """The front's certificates, `<desk|post|space>.{crt,key}` in production."""
        return CONFIGURATION / "tls" if self.production else self.root / "demo" / "tls"

    def folder(self, compartment: str) -> Path:
        if compartment not in COMPARTMENTS:
            raise ValueError(f"no compartment {compartment!r}")
        return self.root / compartment

    def database(self, compartment: str) -> Path:
        return self.folder(compartment) / "database.db"

    def key(self, compartment: str) -> Path:
        """The key file of `compartment`. A unit has only its own, whatever is asked for; the others then do not fit."""
        given = os.environ.get("CREDENTIALS_DIRECTORY")
        if self.production:
            return Path(given) / "key" if given else RUNTIME / "keys" / compartment
        return self.folder(compartment) / "key"

    def spool(self, sender: str, receiver: str) -> Path:
        return self.root / "spool" / f"{sender}-to-{receiver}"

    def socket(self, name: str) -> Path:
        return self.run / name / f"{name}.sock"

    def worker_file(self, compartment: str) -> Path:
        """The file that the worker of `compartment` holds while it runs (`appliance.runtime.worker`)."""
        return (RUNTIME / "units" if self.production else self.run) / compartment / "worker"

    def drop(self, feed: str) -> Path:
        """Where exports of `feed` land. In production its SFTP root lies around it, which the feed cannot change."""
        folder = self.root / "drop" / feed
        return folder / "in" if self.production else folder

    @property
    def witness(self) -> Path:
        """The state of a witness that runs on this machine."""
        return self.root / "witness" if self.production else self.root / "demo" / "witness"

    def settings(self) -> Settings:
        """Read `wardwell.toml`. Raises WardwellError when it is missing or wrong."""
        try:
            return msgspec.toml.decode(self.settings_file.read_bytes(), type=Settings)
        except FileNotFoundError:
            raise WardwellError(
                f"There is no appliance at {self.root}: wardwell.toml is missing.",
                "Set WARDWELL_HOME, or run `make demo` for a demonstration.",
            ) from None
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise WardwellError(f"{self.settings_file} is not valid: {error}.", "Correct that line.") from None
