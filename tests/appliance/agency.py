"""What stands around the appliance at the agency: its directory, its time server, its people, and the carried stick.

Owns: a folder with the agency's CA, the two signing keys, the administrator's key and `stick/`, which an appliance has
under /media/usb. The people are the demonstration's: the same 240 from one seed.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.appliance.network import DIRECTORY, TIME_SERVER, Network
from tests.appliance.rootfs import ADDRESS, ROOT, run, ssh_key
from tests.demonstration.agency import BASE_DN, generate
from tests.demonstration.directory import SERVICE_DN, Directory
from tests.demonstration.https import Client
from tests.support.certificates import Authority
from tests.support.waiting import until

STICK = "/media/usb"
DOMAIN = "wellness.harborview.example"
HOSTS = {"desk": f"desk.{DOMAIN}", "post": f"post.{DOMAIN}", "space": f"my.{DOMAIN}"}


def toml(content: dict[str, Any]) -> str:
    """Tables and lists of tables, one level deep, as TOML. Its strings are written as JSON's."""
    plain = {key: value for key, value in content.items() if value is not None}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items() if not _is_table(value)]
    for key, value in plain.items():
        if _is_table(value):
            head = f"[{key}]" if isinstance(value, dict) else f"[[{key}]]"
            for table in [value] if isinstance(value, dict) else value:
                lines += ["", head, *(f"{name} = {json.dumps(item)}" for name, item in table.items())]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or bool(isinstance(value, list) and value and isinstance(value[0], dict))


class _AgencyDirectory(Directory):
    """The demonstration's server on the agency's own address."""

    @property
    def url(self) -> str:
        return f"ldaps://{DIRECTORY}:636"


class Agency:
    """One agency on one network. `start` and `stop` its servers; several appliances may be tried against it in turn."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder, self.network = folder, network
        self.people = generate()
        self.stick = folder / "stick"
        self.directory = _AgencyDirectory(folder / "slapd", 636)
        if not self.stick.exists():
            self._prepare()
        self._servers: list[subprocess.Popen[bytes]] = []

    def _prepare(self) -> None:
        """What a folder has that was an agency's before, which is then that agency again."""
        authority = Authority(self.folder / "ca", "Harborview CA")
        certificate, key = authority.server(DIRECTORY, "directory.harborview.example")
        self.directory.prepare(self.people, authority.ca_file, certificate, key)
        self.stick.mkdir(parents=True)
        shutil.copy(authority.ca_file, self.stick / "directory-ca.pem")
        shutil.copy(self.directory.password_file, self.stick / "bind-password")
        shutil.copy(ssh_key().with_suffix(".pub"), self.stick / "administrator.pub")

    # --- servers ---------------------------------------------------------------------------------------------------

    def start(self, *, clock_ahead: float = 0.0) -> None:
        """The directory and the time server; the latter `clock_ahead` seconds before the real time."""
        self.start_directory()
        clock = [sys.executable, "-m", "tests.appliance.timeserver", TIME_SERVER, str(clock_ahead)]
        self._servers.append(self.network.start("env", f"PYTHONPATH={ROOT}", *clock, log=self.folder / "time.log"))
        self._wait_for_the_time()

    def _wait_for_the_time(self) -> None:
        with self.network.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)

            def told() -> bytes:
                asking.sendto(b"\x23" + bytes(47), (TIME_SERVER, 123))
                return asking.recv(48)

            until(told, 5, not_yet=OSError)  # refused at once while nobody listens

    def start_directory(self) -> None:
        self._slapd = self.network.start(*self.directory.command(), log=self.folder / "slapd.log")
        self._servers.append(self._slapd)
        until(self._directory_listens, 5, not_yet=OSError, explain=(self.folder / "slapd.log").read_text)

    def _directory_listens(self) -> bool:
        assert self._slapd.poll() is None, (self.folder / "slapd.log").read_text()
        with self.network.entered(), socket.create_connection((DIRECTORY, 636), 1):
            return True

    def stop_directory(self) -> None:
        """The directory is down, as it is now and then."""
        self._slapd.terminate()
        self._slapd.wait(10)

    def stop(self) -> None:
        for server in self._servers:
            server.terminate()
            server.wait(10)
        self._servers.clear()

    def move(self, network: Network) -> None:
        """The same agency around another appliance, on that one's network."""
        self.stop()
        self.network = network
        self.start()

    # --- what is carried -------------------------------------------------------------------------------------------

    def answers(self, name: str = "answers.toml", **changes: Any) -> str:
        """Write the answers onto the stick; their path on the appliance. `None` leaves an answer out."""
        answers: dict[str, Any] = {
            "agency": self.people.name,
            "time_zone": "America/Los_Angeles",
            "domain": DOMAIN,
            "address": ADDRESS,
            "directory": {
                "url": f"ldaps://{DIRECTORY}:636",
                "base_dn": BASE_DN,
                "bind_dn": SERVICE_DN,
                "bind_password_file": f"{STICK}/bind-password",
                "ca_file": f"{STICK}/directory-ca.pem",
            },
            "time_server": TIME_SERVER,
            "data_device": "",
            "admin_networks": ["10.77.0.0/24"],
            "admin_key_file": f"{STICK}/administrator.pub",
            "feeds": [
                {
                    "name": "cad",
                    "profile": "san-luis-obispo",
                    "public_key": self.feed_key().with_suffix(".key.pub").read_text().strip(),
                    "networks": ["10.77.0.0/24"],
                }
            ],
            "witness_key": self.witness_key().with_suffix(".key.pub").read_text().strip(),
            "witness_networks": ["10.77.0.0/24"],
            **changes,
        }
        (self.stick / name).write_text(toml(answers))
        return f"{STICK}/{name}"

    def feed_key(self) -> Path:
        """The key of the CAD export job."""
        return self._key("export-job")

    def witness_key(self) -> Path:
        """The key of the trustee's machine, where the access log's witness runs."""
        return self._key("witness")

    def signer(self, name: str) -> Path:
        """The signing key of the "agency" or the "trustee", which no machine of the agency has."""
        return self._key(name)

    def _key(self, name: str) -> Path:
        key = self.folder / f"{name}.key"
        if not key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
        return key

    # --- a workstation ---------------------------------------------------------------------------------------------

    def client(self, host: str, ca_file: Path, timeout: float = 30.0) -> Client:
        """HTTPS to "desk", "post" or "space"; to be used inside `network.entered()`."""
        return Client(HOSTS[host], ca_file, origin=f"https://{HOSTS['space']}", timeout=timeout, address=ADDRESS)
