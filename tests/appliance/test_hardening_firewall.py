"""The firewall of the role, rendered and loaded between two network namespaces: who reaches what, and who does not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.appliance.network import DIRECTORY, ELSEWHERE, TIME_SERVER, WORKSTATION, Network
from tests.appliance.probes import listening
from tests.appliance.rootfs import ADDRESS, ROOT, run

pytestmark = pytest.mark.appliance

ROLE = ROOT / "ansible" / "roles" / "firewall"
DESK, CHRONY, POST, RELAY = 20_001, 20_002, 20_003, 20_004
VARIABLES = {
    "wardwell_hosts": {"desk": "desk.agency.example", "post": "post.agency.example:8444", "space": "my.agency.example"},
    "wardwell_directory_addresses": [DIRECTORY, "fd00::10"],
    "wardwell_directory_port": 636,
    "wardwell_admin_networks": [f"{WORKSTATION}/32"],
    "wardwell_feeds": [{"name": "cad", "networks": [f"{DIRECTORY}/32"]}],
    "wardwell_witness_networks": [f"{TIME_SERVER}/32"],
    "wardwell_pull_networks": [f"{DIRECTORY}/32"],
    "wardwell_smtp": {"host": "mail.agency.example", "address": ELSEWHERE},
    "firewall_time": {"stdout_lines": [f"{TIME_SERVER} STREAM", f"{TIME_SERVER} DGRAM"]},
    "firewall_dhcp": {"stdout": ""},
}
USERS = {"wardwell-desk": DESK, "_chrony": CHRONY, "wardwell-post": POST, "wardwell-relay": RELAY}
CONNECT = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2, (sys.argv[3], 0)).close()"


def rendered(folder: Path, **changes: object) -> Path:
    """/etc/nftables.conf as the role writes it."""
    users = {name: ["x", str(number), str(number), "", "/", "/usr/sbin/nologin"] for name, number in USERS.items()}
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars_files": [str(ROLE / "defaults" / "main.yml")],
            "vars": {**VARIABLES, **changes},
            "tasks": [
                {"ansible.builtin.set_fact": {"getent_passwd": users, "cacheable": True}},
                {
                    "ansible.builtin.template": {
                        "src": str(ROLE / "templates" / "nftables.conf.j2"),
                        "dest": str(folder / "nftables.conf"),
                        "mode": "0600",
                    }
                },
            ],
        }
    ]
    (folder / "play.yml").write_text(json.dumps(play))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    run(*command, "-e", f"ansible_python_interpreter={sys.executable}", str(folder / "play.yml"))
    return folder / "nftables.conf"


@pytest.fixture
def guarded(network: Network, tmp_path: Path) -> Iterator[Network]:
    run("ip", "netns", "exec", network.appliance, "nft", "-f", rendered(tmp_path))
    yield network


def reaches(network: Network, uid: int, address: str, port: int, side: str = "", source: str = "") -> bool:
    """Whether a program of this number gets a connection, from the appliance or from `side`."""
    command = ["ip", "netns", "exec", side or network.appliance, "setpriv", f"--reuid={uid}", "--clear-groups"]
    done = subprocess.run([*command, "/usr/bin/python3", "-c", CONNECT, address, str(port), source], check=False)
    return done.returncode == 0


def test_only_desk_reaches_the_directory_and_nothing_else(guarded: Network) -> None:
    with listening(guarded, DIRECTORY, 636), listening(guarded, DIRECTORY, 80), listening(guarded, ELSEWHERE, 636):
        assert reaches(guarded, DESK, DIRECTORY, 636)
        for uid in (POST, CHRONY, RELAY, 0):
            assert not reaches(guarded, uid, DIRECTORY, 636)
        assert not reaches(guarded, DESK, DIRECTORY, 80)
        assert not reaches(guarded, DESK, ELSEWHERE, 636)
        # The control: with the rules gone, the same probe passes.
        run("ip", "netns", "exec", guarded.appliance, "nft", "flush", "ruleset")
        assert reaches(guarded, POST, DIRECTORY, 636)


def test_health_events_go_to_the_named_host_by_their_user_alone(guarded: Network) -> None:
    with listening(guarded, ELSEWHERE, 587):
        assert reaches(guarded, RELAY, ELSEWHERE, 587)
        assert not reaches(guarded, DESK, ELSEWHERE, 587)
        assert not reaches(guarded, 0, ELSEWHERE, 587)


@contextmanager
def server(network: Network, port: int) -> Iterator[None]:
    """A server of the appliance, on every address of it."""
    program = (
        "import socket,sys; s = socket.create_server(('', int(sys.argv[1]))); sys.stdout.write('up'); "
        "sys.stdout.flush()\nwhile True: s.accept()[0].close()"
    )
    command = ["ip", "netns", "exec", network.appliance, "/usr/bin/python3", "-c", program, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        assert started.stdout and started.stdout.read(2) == b"up"
        try:
            yield
        finally:
            started.kill()


# Says something, has the rules of the files loaded one after the other, and says something after each.
TELLER = """
import socket, subprocess, sys, time
server = socket.create_server(("", 22))
print("up", flush=True)
talking, _ = server.accept()
talking.sendall(b"begun ")
for rules in sys.argv[1:]:
    time.sleep(0.5)
    subprocess.run(["nft", "-f", rules], check=True)
    talking.sendall(b"loaded ")
talking.close()
"""
LISTENER = """
import socket, sys
listening = socket.create_connection((sys.argv[1], 22))
listening.settimeout(6)
try:
    while heard := listening.recv(64):
        sys.stdout.write(heard.decode())
except TimeoutError:
    sys.stdout.write("silence")
"""


@pytest.mark.parametrize(("learns", "heard"), [(True, "begun loaded loaded "), (False, "begun silence")])
def test_whoever_installs_and_only_listens_goes_on_hearing(
    network: Network, tmp_path: Path, learns: bool, heard: str
) -> None:
    """The kernel learns of open connections before the rules come. Control: without that, the line goes dead."""
    tasks = yaml.safe_load((ROOT / "ansible/roles/base/tasks/connections.yml").read_text())
    (learn,) = (task["ansible.builtin.command"]["stdin"] for task in tasks if "stdin" in str(task))
    (tmp_path / "learn.nft").write_text(learn)
    files = [*([tmp_path / "learn.nft"] if learns else []), rendered(tmp_path)]
    command = ["ip", "netns", "exec", network.appliance, "/usr/bin/python3", "-c", TELLER, *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as teller:
        assert teller.stdout and teller.stdout.read(2) == b"up"
        try:
            assert run("ip", "netns", "exec", network.agency, "/usr/bin/python3", "-c", LISTENER, ADDRESS) == heard
        finally:
            teller.kill()


@pytest.mark.parametrize(
    ("port", "source", "allowed"),
    [
        (443, ELSEWHERE, True),
        (8444, ELSEWHERE, True),
        (22, WORKSTATION, True),
        (22, ELSEWHERE, False),
        (2222, DIRECTORY, True),
        (2222, WORKSTATION, False),
        (2222, TIME_SERVER, True),  # the witness
        (22, TIME_SERVER, False),
        (22, DIRECTORY, True),  # what fetches backups
        (5432, WORKSTATION, False),
    ],
)
def test_who_comes_in(guarded: Network, port: int, source: str, allowed: bool) -> None:
    with server(guarded, port):
        assert reaches(guarded, 0, ADDRESS, port, guarded.agency, source) == allowed
        run("ip", "netns", "exec", guarded.appliance, "nft", "flush", "ruleset")
        assert reaches(guarded, 0, ADDRESS, port, guarded.agency, source)


def test_compartments_have_no_loopback(guarded: Network) -> None:
    with server(guarded, 443):
        assert reaches(guarded, 0, "127.0.0.1", 443), "the appliance's own checks"
        assert not reaches(guarded, DESK, "127.0.0.1", 443)
        assert not reaches(guarded, POST, "127.0.0.1", 443)


def _checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("firewall_check", ROLE / "files" / "firewall_check.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("", 0),
        ("add rule inet wardwell output tcp dport 25 accept", 1),
        ("add table inet other", 1),
        ("delete chain inet wardwell forward", 1),
        ("add chain inet wardwell output { policy accept; }", 2),
    ],
)
def test_the_whole_ruleset_is_compared(guarded: Network, tmp_path: Path, change: str, shown: int) -> None:
    listing = ["nft", "-n", "-j", "list", "ruleset"]
    aside = Network.make()
    try:
        run("ip", "netns", "exec", aside.appliance, "nft", "-f", rendered(tmp_path))
        written = run("ip", "netns", "exec", aside.appliance, *listing)
    finally:
        aside.close()
    if change:
        run("ip", "netns", "exec", guarded.appliance, "nft", change)
    loaded = run("ip", "netns", "exec", guarded.appliance, *listing)
    # A changed line counts twice: what is loaded, and what is written.
    assert len(_checker().differences(loaded, written)) == shown


def test_names_of_overlapping_networks_are_no_error(tmp_path: Path, network: Network) -> None:
    rules = rendered(tmp_path, wardwell_admin_networks=["10.0.0.0/8", "10.77.0.0/24", "10.77.0.1", "fd00::/8"])
    run("ip", "netns", "exec", network.appliance, "nft", "-f", rules)


def test_what_is_loaded_instead_of_a_broken_file_lets_nothing_through(network: Network) -> None:
    run("ip", "netns", "exec", network.appliance, "nft", "-f", ROLE / "files" / "closed.nft")
    with listening(network, DIRECTORY, 636):
        assert not reaches(network, DESK, DIRECTORY, 636)
    with server(network, 443):
        assert not reaches(network, 0, ADDRESS, 443, network.agency)
