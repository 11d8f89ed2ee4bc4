"""An installation from the bundle in a container, and copies of what it left, for tests to go on from.

`Installed.container()` boots a copy of the machine as it was right after `install.sh` was done.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.appliance.agency import STICK, Agency
from tests.appliance.container import Container
from tests.appliance.machine import Disk, Machine
from tests.appliance.network import Network
from tests.appliance.release import Release
from tests.appliance.rootfs import CACHE, Layer, disk_image
from tests.appliance.ssh import Shell

ADMINISTRATOR = "wardwell-admin"


def put_on_stick(release: Release, agency: Agency) -> None:
    """The unpacked bundle on the stick."""
    folder = agency.stick / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(release.file) as tar:
        tar.extractall(agency.stick)
        top = tar.getmembers()[0].name.split("/")[0]
    (agency.stick / top).rename(folder)


def install_command(release: Release, answers: str) -> str:
    return f"sh {STICK}/bundle/install.sh --fingerprint {release.fingerprint} --answers {answers} --yes"


def shown_password(output: str) -> str:
    """The administrator's password, which an installation shows once."""
    found = re.findall(r"^    ((?:[0-9A-Z]{5}-){3}[0-9A-Z]{5})$", output, re.MULTILINE)
    assert len(found) == 1, output[-3000:]
    return str(found[0])


@dataclass
class Installed:
    """What an installation left: how long it took (seconds), what it printed, the administrator's password."""

    agency: Agency
    release: Release
    layer: Layer
    seconds: float
    output: str
    password: str
    _containers: list[Container] = field(default_factory=list)

    @property
    def roots(self) -> list[Path]:
        """The layers of the installed machine, from the top downwards."""
        return [self.layer.upper, *self.layer.lower]

    def container(self, **changes: Any) -> Container:
        """A booted copy, with the agency around it. Sealed: no ceremony was held."""
        for other in self._containers:
            other.stop()
        made = Container(Layer.over(*self.roots), Network.make(), media=self.agency.stick, **changes)
        self._containers.append(made)
        self.agency.move(made.network)
        made.shell.user, made.shell.password = ADMINISTRATOR, self.password
        made.start()
        return made

    @contextmanager
    def disk(self, data: str = "/dev/vdb") -> Iterator[Path]:
        """A raw disk with the installed root, told that its data lies on a disk of its own."""
        container = self.container(device=data)
        answers = self.agency.answers("disk.toml", data_device=data)
        container.shell.run(f"wardwell setup --answers {answers}")
        container.shell.run("wardwell apply", timeout=900)
        container.stop()
        folder = CACHE / f"machine-{container.layer.folder.name}"
        folder.mkdir()
        try:
            yield disk_image(container.layer, folder / "root.raw")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def machine(self, data: str = "/dev/vdb") -> Iterator[Machine]:
        """That disk, booted by its own kernel."""
        with self.disk(data) as raw, self._booted(raw) as machine:
            yield machine

    @contextmanager
    def _booted(self, raw: Path) -> Iterator[Machine]:
        network = Network.make()
        disks = [Disk("root", raw), Disk("data", gigabytes=9)]
        machine = Machine(raw.parent, network, self.layer.lower[-1], disks)
        machine.shell.user, machine.shell.password = ADMINISTRATOR, self.password
        try:
            machine.boot_seconds = machine.start()
            self.agency.move(network)
            yield machine
        finally:
            machine.close()
            network.close()

    def close(self) -> None:
        for container in self._containers:
            container.close()
            container.network.close()
        self.agency.stop()
        self.layer.remove()


def install(stock_root: Path, release: Release, folder: Path) -> Installed:
    """Install on a fresh machine; an `AssertionError` with what was printed when it does not succeed."""
    network = Network.make()
    agency = Agency(folder, network)
    put_on_stick(release, agency)
    answers = agency.answers()
    agency.start()
    container = Container(Layer.over(stock_root), network, media=agency.stick)
    container.start()
    try:
        begun = time.monotonic()
        done = container.shell.run(install_command(release, answers), timeout=900, check=False)
        seconds = time.monotonic() - begun
        if done.returncode:
            log = container.shell.run("tail -n 60 /var/log/wardwell-apply.log", check=False).stdout
            raise AssertionError(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{log}")
        container.shell.forget()
        password = shown_password(done.stdout)
        container.shell.user, container.shell.password = ADMINISTRATOR, password
        container.shell.run("true")
    except BaseException:
        container.close()
        raise
    finally:
        container.stop()
        agency.stop()
        network.close()
    return Installed(agency, release, container.layer, seconds, done.stdout, password)


def contents(shell: Shell) -> dict[str, str]:
    """Path -> kind, mode, owner and digest of everything that an installation decides; for comparing.

    Not the backups that the tools of accounts leave beside their files (`group-`).
    """
    script = (
        "cd /; find etc opt usr/local root srv var/lib/wardwell -xdev"
        " \\( -name __pycache__ -o -name '*-' \\) -prune -o"
        " -printf '%p\\t%y %m %U:%G %l\\n'; "
        "find etc opt/wardwell/releases/*/src usr/local srv -xdev -type f ! -name '*.pyc' ! -name '*-' -print0"
        " | xargs -0 sha256sum | awk '{print $2 \"#\\t\" $1}'"
    )
    return dict(line.split("\t", 1) for line in shell.output(script, timeout=120).splitlines())
