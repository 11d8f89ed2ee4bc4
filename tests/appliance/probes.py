"""Questions to a booted appliance whose answer does not come from the appliance's own checks."""

from __future__ import annotations

import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.appliance.network import Network
from tests.appliance.rootfs import run
from tests.appliance.ssh import Shell

COMPARTMENTS = ("ledger", "desk", "post", "intake", "press")
# Without a packet back a connection would wait for minutes.
_CONNECT = "import socket; socket.create_connection(({!r}, {}), 4).close()"


# --- the firewall ------------------------------------------------------------------------------------------------


def ruleset(shell: Shell) -> str:
    """The loaded rules, counters left out."""
    return shell.output("nft -s list ruleset")


def as_a_kernel_lists(rules: str, folder: Path) -> str:
    """The same file loaded into an empty network namespace of this machine, and listed there."""
    name = f"ww-rules-{secrets.token_hex(3)}"
    written = folder / "rules.nft"
    written.write_text(rules)
    run("ip", "netns", "add", name)
    try:
        run("ip", "netns", "exec", name, "nft", "-f", written)
        return run("ip", "netns", "exec", name, "nft", "-s", "list", "ruleset").strip()
    finally:
        run("ip", "netns", "del", name)


@contextmanager
def listening(network: Network, address: str, port: int) -> Iterator[list[str]]:
    """A server of the agency; gives the list of those who reached it."""
    reached: list[str] = []
    with network.entered():
        server = socket.create_server((address, port))

    def accept() -> None:
        while True:
            try:
                connection, peer = server.accept()
            except OSError:
                return
            reached.append(peer[0])
            connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield reached
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def reaches(shell: Shell, user: str, address: str, port: int) -> bool:
    """Whether a program of `user` gets a connection to that address."""
    program = _CONNECT.format(address, port)
    command = f'setpriv --reuid {user} --regid {user} --clear-groups python3 -c "{program}"'
    return shell.run(command, check=False, timeout=60).returncode == 0


# --- limits --------------------------------------------------------------------------------------------------------


def memory_limit(shell: Shell, unit: str) -> int:
    """`MemoryMax` of the unit as the kernel has it, in bytes."""
    group = shell.output(f"systemctl show -P ControlGroup {unit}")
    value = shell.output(f"cat /sys/fs/cgroup{group}/memory.max")
    assert value.isdigit(), f"{unit} has no memory limit ({value})"
    return int(value)


def survives(shell: Shell, megabytes: int, unit: str = "") -> bool:
    """Whether a program may have that much memory, inside the unit's control group when one is given."""
    enter = ""
    if unit:
        group = shell.output(f"systemctl show -P ControlGroup {unit}")
        enter = f"echo 1000 > /proc/self/oom_score_adj; echo $$ > /sys/fs/cgroup{group}/cgroup.procs; "
    hog = f"python3 -c \"x = bytearray({megabytes} * 1048576); x[::4096] = b'1' * len(x[::4096]); print('had it')\""
    return shell.run(f"{enter}exec {hog}", check=False, timeout=180).stdout.strip() == "had it"


# --- AppArmor --------------------------------------------------------------------------------------------------------


def confinement(shell: Shell, unit: str) -> dict[str, str]:
    """Process -> AppArmor label of each process of the unit."""
    group = shell.output(f"systemctl show -P ControlGroup {unit}")
    assert group, f"{unit} does not run"
    script = (
        f"cat /sys/fs/cgroup{group}/cgroup.procs | while read p; do"
        ' printf "%s %s\\t%s\\n" "$p" "$(cat /proc/$p/comm)" "$(cat /proc/$p/attr/apparmor/current)"; done'
    )
    lines = shell.output(script).splitlines()
    return dict(line.split("\t", 1) for line in lines)


def denials(shell: Shell) -> list[str]:
    """What AppArmor has denied since the machine was started, from the kernel's log and auditd's."""
    script = (
        "{ journalctl -b -o cat _TRANSPORT=kernel + _TRANSPORT=audit;"
        " cat /var/log/audit/audit.log; } 2>/dev/null | grep 'apparmor=\"DENIED\"'"
    )
    # auditd divides a line by a character that `splitlines` takes for an end.
    return [line for line in shell.run(script, check=False).stdout.split("\n") if line]


# --- sandboxes -------------------------------------------------------------------------------------------------------


def exposure(shell: Shell, unit: str) -> float:
    """The overall level of `systemd-analyze security`, 0 (best) to 10."""
    done = shell.run(f"systemd-analyze security --no-pager {unit} | tail -1", check=False).stdout
    words = done.replace(":", " ").split()
    return next(float(word) for word in words if word.replace(".", "", 1).isdigit())


def resident_megabytes(shell: Shell) -> float:
    """Proportional memory of every process, the harness's own session included, in MiB."""
    script = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {s += $2} END {print s / 1024}'"
    return float(shell.output(script))


def host(*command: str) -> str:
    """Output of a command here, whatever its status."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
