"""What the appliance's tests share: a check that this machine can run them, networks, containers of the stock root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.appliance.container import Container
from tests.appliance.installation import Installed, install
from tests.appliance.machine import Machine
from tests.appliance.network import Network
from tests.appliance.release import Release
from tests.appliance.release import release as made_release
from tests.appliance.rootfs import Layer, stock
from tests.appliance.ssh import Shell

TOOLS = [
    *("mmdebstrap", "systemd-nspawn", "qemu-system-x86_64", "qemu-img", "mke2fs"),
    *("unshare", "ip", "ssh", "socat", "slapd"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Booting takes longer than the time that every other test gets."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1500))


def missing_here() -> str:
    """What this machine lacks for booting an appliance; empty when nothing."""
    if os.geteuid() != 0:
        return "root (the tests make namespaces, mounts and control groups)"
    tools = [tool for tool in TOOLS if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")]
    if tools:
        return f"the programs {', '.join(tools)} (provisioning/apt-appliance.txt; `make test-appliance` installs them)"
    script = "mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /mnt && test -c /dev/net/tun"
    probe = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        return f"the right to make mount and network namespaces, cgroup2 and /dev/net/tun ({probe.stderr.strip()})"
    return ""


@pytest.fixture(scope="session", autouse=True)
def able() -> None:
    """Fails, never skips: a run that proved nothing must not look like one that did."""
    missing = missing_here()
    if missing:
        pytest.fail(f"The appliance cannot be booted on this machine. It needs {missing}.", pytrace=False)


@pytest.fixture(scope="session")
def stock_root() -> Path:
    return stock()


@pytest.fixture(scope="session")
def release() -> Release:
    return made_release()


@pytest.fixture(scope="session")
def installed(stock_root: Path, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """One installation from the bundle for the whole run; each test file goes on with a copy of it."""
    made = install(stock_root, release, tmp_path_factory.mktemp("agency"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def machine(installed: Installed) -> Iterator[Machine]:
    """A copy of that installation, booted by its own kernel; sealed, with an empty disk for the data volume."""
    with installed.machine() as booted:
        yield booted


@pytest.fixture(scope="module")
def shell(machine: Machine) -> Shell:
    """Commands in that machine."""
    return machine.shell


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network.make()
    yield made
    made.close()


@pytest.fixture
def new_container(stock_root: Path) -> Iterator[Callable[..., Container]]:
    """`new_container()` boots a fresh copy of the stock root (or of `root=`) on a network of its own."""
    started: list[Container] = []

    def make(root: Path | Layer | None = None, media: Path | None = None, start: bool = True) -> Container:
        layer = root if isinstance(root, Layer) else Layer.over(root or stock_root)
        container = Container(layer, Network.make(), media=media)
        started.append(container)
        if start:
            container.start()
        return container

    yield make
    for container in started:
        container.close()
        container.network.close()
