"""The real front with the files of a release, and what a technician has who checks it: manifest, keys, authority."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from appliance.crypto import sshsig
from appliance.crypto.authority import Authority
from appliance.kit import web_look, web_manifest
from appliance.kit.web_check import web_check
from appliance.settings import Home, Hosts
from provisioning import front
from tests.demonstration.ports import choose
from tests.support.waiting import answers, until


@dataclass
class Site:
    """A front with the files of a release, and what a technician has: manifest, keys, authority."""

    home: Home
    hosts: Hosts
    code: Path
    config: Path

    @property
    def dist(self) -> Path:
        return self.code / "webapp" / "space" / "dist"

    @property
    def script(self) -> Path:
        return next((self.dist / "assets").glob("space-*.js"))

    def served(self, change: Callable[[str], str]) -> None:
        """Change the front's configuration; a change that changes nothing is a mistake of the test."""
        before = self.config.read_text()
        after = change(before)
        assert after != before
        self.config.write_text(after)

    def in_space(self, lines: str) -> None:
        """Add `lines` to the server of the private space."""
        self.served(lambda text: text.replace("        index index.html;\n", f"        index index.html;\n{lines}\n"))

    def check(self, *options: str, manifest: str = "m.json", key: str = "release.pub") -> tuple[int, list[str]]:
        """The exit code, and each difference as `kind path` (with the visitor where it is not all)."""
        code, said = self.run("--json", *options, manifest=manifest, key=key)
        told = json.loads(said)
        assert told["equal"] == (code == 0) == (told["differences"] == [])
        everyone = len(web_look.VISITORS)
        return code, [
            f"{each['kind']} {each['path']}" + ("" if len(each["visitors"]) == everyone else f" {each['visitors']}")
            for each in told["differences"]
        ]

    def run(self, *options: str, manifest: str = "m.json", key: str = "release.pub") -> tuple[int, str]:
        kit = self.home.root / "kit"
        files = [
            "--manifest",
            str(kit / manifest),
            "--key",
            str(kit / key),
            "--ca",
            str(self.home.root / "demo/ca.pem"),
        ]
        with running(self):
            done = CliRunner().invoke(web_check, [f"https://{self.hosts.space}/", *files, *options])
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output


@contextlib.contextmanager
def running(site: Site) -> Iterator[None]:
    process = subprocess.Popen(front.command(site.home))
    port = front.split_host(site.hosts.space)[1]
    try:
        until(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None, (site.home.log / "nginx.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)


def _key(folder: Path, name: str) -> Any:
    (folder / name).write_bytes(sshsig.generate_private_openssh())
    private = sshsig.load_private(folder / name)
    (folder / f"{name}.pub").write_text(sshsig.public_line(private, name) + "\n")
    return private


def make_site(built: Path, tmp_path: Path) -> Site:
    """Below `tmp_path`, with a copy of the built files; its front is not running yet."""
    home, code, kit = Home(tmp_path / "home"), tmp_path / "code", tmp_path / "home" / "kit"
    shutil.copytree(built, code / "webapp" / "space" / "dist")
    (home.site / "crisis").mkdir(parents=True)
    (home.site / "crisis" / "index.html").write_text("<!doctype html><title>988</title><p>Call 988.</p>")
    kit.mkdir()
    for folder in (home.front, home.log, home.run):
        folder.mkdir(parents=True, exist_ok=True)
    hosts, _ = choose("free")
    authority = Authority(home.root / "demo")
    given = {r: front.Certificate(*authority.server(r, front.split_host(getattr(hosts, r))[0])) for r in front.ROLES}
    config = home.front / "nginx.conf"
    config.write_text(front.render(home, hosts, given, code=code))
    release, trustee = _key(kit, "release"), _key(kit, "trustee")
    _key(kit, "other")
    manifest = (code / "webapp" / "space" / "dist" / "manifest.json").read_bytes()
    (kit / "m.json").write_bytes(manifest)
    (kit / "m.json.sig").write_bytes(sshsig.sign(release, manifest, web_manifest.NAMESPACE))
    values = {"agency": "Test", "hosts": {role: getattr(hosts, role) for role in front.ROLES}, "demonstration": True}
    content = json.dumps(values).encode()
    (home.public / "site.json").write_bytes(content)
    for name, private in (("trustee", trustee), ("agency", _key(kit, "agency"))):
        signature = sshsig.sign(private, content, web_manifest.SITE_NAMESPACE)
        (home.public / f"site.json.{name}.sig").write_bytes(signature)
    shutil.copy(kit / "trustee.pub", home.public / "trustee.pub")
    return Site(home, hosts, code, config)
