"""The harness itself: what it boots is up, is alone, and says no when something fails."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.appliance.agency import Agency
from tests.appliance.container import Container
from tests.appliance.machine import Disk, Machine
from tests.appliance.network import DIRECTORY, TIME_SERVER, Network
from tests.appliance.rootfs import CACHE, Layer, disk_image
from tests.appliance.ssh import CommandFailedError, Shell
from tests.appliance.terminal import Terminal


def alone(shell: Shell, network: Network) -> None:
    """No default route on either side; the neighbours on the cable are reached all the same (the control)."""
    for family in ("-4", "-6"):
        assert shell.output(f"ip {family} route show default") == ""
    assert shell.output("ip -o -4 addr show scope global").split()[3] == "10.77.0.2/24"
    with network.entered(), socket.create_server((DIRECTORY, 6360)):
        shell.run(f"python3 -c \"import socket; socket.create_connection(('{DIRECTORY}', 6360), 10)\"")
        with pytest.raises(CommandFailedError, match="refused"):
            shell.run(f"python3 -c \"import socket; socket.create_connection(('{DIRECTORY}', 6361), 10)\"")


@pytest.mark.appliance
def test_a_container_boots_is_alone_and_reports_failure(
    new_container: Callable[..., Container], tmp_path: Path
) -> None:
    (tmp_path / "stick").write_text("carried in")
    container = new_container(media=tmp_path)
    shell = container.shell
    assert shell.output("cat /proc/1/comm") == "systemd"
    alone(shell, container.network)
    assert shell.output("cat /media/usb/stick") == "carried in"
    with pytest.raises(CommandFailedError, match="ended with 7"):
        shell.run("exit 7")
    with Terminal(shell, "sh -c 'read -p \"Name? \" name; echo hello $name; exit 3'") as person:
        person.expect(r"Name\? ")
        person.type("Dana")
        person.expect("hello Dana")
        assert person.end() == 3
    shell.write("/root/kept", "over a restart")
    assert container.restart() < 30
    assert shell.output("cat /root/kept") == "over a restart"


@pytest.mark.appliance
def test_a_container_with_a_broken_unit_is_not_called_running(new_container: Callable[..., Container]) -> None:
    container = new_container(start=False)
    container.layer.in_chroot(
        "printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n'"
        " > /etc/systemd/system/broken.service; systemctl -q enable broken.service"
    )
    with pytest.raises(AssertionError, match=r"broken\.service"):
        container.start()


@pytest.mark.appliance
def test_copies_do_not_see_each_other(stock_root: Path) -> None:
    one, other = Layer.over(stock_root), Layer.over(stock_root)
    one.in_chroot("echo mine > /etc/motd; rm /etc/hosts")
    assert "mine" not in other.in_chroot("cat /etc/motd || :")
    assert "localhost" in other.in_chroot("cat /etc/hosts")
    assert (stock_root / "etc/hosts").exists()
    for layer in (one, other):
        layer.remove()


@pytest.mark.vm
@pytest.mark.parametrize("mode", ["cable", "restricted"])
def test_a_machine_boots_its_own_kernel_and_is_alone(mode: str, stock_root: Path, network: Network) -> None:
    layer = Layer.over(stock_root)
    raw = disk_image(layer, CACHE / f"harness-{layer.folder.name}.raw", gigabytes=3)
    machine = Machine(layer.folder, network, stock_root, [Disk("root", raw), Disk("data")], mode=mode)  # type: ignore[arg-type]
    try:
        assert machine.start() < 240
        machine.running()
        shell = machine.shell
        assert shell.output("systemd-detect-virt") == "qemu"
        assert "cloud-amd64" in shell.output("uname -r")
        assert shell.output("lsblk -dno NAME | sort").split() == ["vda", "vdb"]
        assert "apparmor" in shell.output("cat /sys/kernel/security/lsm")
        if mode == "cable":
            alone(shell, network)
        else:
            assert shell.output("ip route show default") == ""
        machine.stop()
    finally:
        machine.close()
        raw.unlink()


_ASK_TIME = f"""
import socket, struct, time
ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ask.settimeout(5)
ask.sendto(b"\\x23" + 47 * b"\\0", ("{TIME_SERVER}", 123))
print(round(struct.unpack("!I", ask.recv(48)[40:44])[0] - 2208988800 - time.time()))
"""


@pytest.mark.appliance
def test_the_agency_has_a_directory_and_a_clock(new_container: Callable[..., Container], tmp_path: Path) -> None:
    container = new_container()
    agency = Agency(tmp_path, container.network)
    assert agency.answers() == "/media/usb/answers.toml"
    answers = tomllib.loads((agency.stick / "answers.toml").read_text())
    assert (answers["domain"], answers["directory"]["bind_password_file"]) == (
        "wellness.harborview.example",
        "/media/usb/bind-password",
    )
    agency.start(clock_ahead=3600)
    try:
        ask = f"python3 -c '{_ASK_TIME}'"
        assert 3595 <= int(container.shell.output(ask)) <= 3605
        container.shell.put(agency.stick / "directory-ca.pem", "/root/ca.pem")
        probe = (
            "import socket, ssl; context = ssl.create_default_context(cafile='/root/ca.pem');"
            f"context.wrap_socket(socket.create_connection(('{DIRECTORY}', 636), 5), server_hostname='{DIRECTORY}')"
        )
        container.shell.run(f'python3 -c "{probe}"')
        agency.stop_directory()
        assert container.shell.run(f'python3 -c "{probe}"', check=False).returncode == 1
    finally:
        agency.stop()
