"""Checks of the machine and of the agency's servers, made before anything is changed. They write nothing.

Owns: the checks, and what each result means: PASS, WARN (continue, and fix it before officers use the appliance) or
FAIL. Must never see: more than a check needs; files, and the first bytes of a device, are only read.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from appliance.sending_as import sending_as
from appliance.settings import Directory
from provisioning.install.answers import Answers, settings

_MIB = 1 << 20
LEAST_MEMORY_MIB, GOOD_MEMORY_MIB = 1800, 3500
LEAST_DISK_MIB, LEAST_DATA_MIB = 3000, 8000
MOST_SKEW_SECONDS = 2.0
_TIMEOUT = 3.0
# Seconds between 1900 (NTP's beginning) and 1970 (RFC 5905, section 6).
_NTP_EPOCH = 2_208_988_800


@dataclass(frozen=True)
class Finding:
    """The result of a check: its name, its state, a detail in words, and what to do unless it is PASS."""

    name: str
    state: Literal["PASS", "WARN", "FAIL"]
    detail: str
    fix: str = ""


def run(answers: Answers | None) -> list[Finding]:
    """The findings of all checks; without answers, of those of the machine itself."""
    return list(_machine()) + (list(_agency(answers)) if answers else [])


def _machine() -> Iterator[Finding]:
    release = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    system = dict(line.replace('"', "").split("=", 1) for line in release.splitlines() if "=" in line)
    fits = system.get("ID") == "debian" and system.get("VERSION_ID") == "12"
    fix = "Install Wardwell on a stock Debian 12."
    yield Finding("system", "PASS" if fits else "FAIL", system.get("PRETTY_NAME", "unknown"), "" if fits else fix)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB
    state, fix = _least(memory, LEAST_MEMORY_MIB, GOOD_MEMORY_MIB)
    yield Finding("memory", state, f"{memory} MiB", fix and "Give the machine 4 GiB.")
    free = shutil.disk_usage("/").free // _MIB
    state, fix = _least(free, 500, LEAST_DISK_MIB)
    yield Finding("system disk", state, f"{free} MiB free", fix and "Enlarge the system disk.")
    hardware = " aes " in Path("/proc/cpuinfo").read_text()
    detail = "encrypts in hardware" if hardware else "has no AES instructions, so the data disk will be slow"
    yield Finding(
        "processor", "PASS" if hardware else "WARN", detail, "" if hardware else "Pass the host's AES through."
    )


def _least(value: int, least: int, good: int) -> tuple[Literal["PASS", "WARN", "FAIL"], str]:
    if value < least:
        return "FAIL", "fix"
    return ("PASS", "") if value >= good else ("WARN", "fix")


def _agency(answers: Answers) -> Iterator[Finding]:
    yield _device(answers.data_device)
    yield _address(answers.address)
    yield from _names(answers)
    # Once installed, the firewall allows these accounts alone, not even root; before that they do not exist.
    with sending_as("wardwell-desk"):
        yield _directory(answers)
    with sending_as("_chrony"):
        yield _time(answers.time_server)


def _device(device: str) -> Finding:
    name = "data disk"
    if not device:
        detail = "the data is kept on the system disk, which Wardwell does not encrypt"
        return Finding(name, "WARN", detail, "Make sure that the hypervisor encrypts it, or give a data_device.")
    if not Path(device).is_block_device():
        return Finding(
            name, "FAIL", f"{device} is not a disk of this machine", "Add an empty disk; `lsblk` lists them."
        )
    shown = ["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", "--match-tag", "LABEL", device]
    signature = subprocess.run(shown, capture_output=True, text=True, check=False).stdout.split()
    if signature and set(signature) != {"crypto_LUKS", "wardwell-data"}:
        fix = "Give an empty disk; this one is left as it is."
        return Finding(name, "FAIL", f"{device} holds {signature[0]}", fix)
    size = int(_read(Path("/sys/class/block") / Path(device).resolve().name / "size") or 0) * 512 // _MIB
    if size < LEAST_DATA_MIB:
        return Finding(name, "FAIL", f"{device} has {size} MiB", f"Enlarge it to {LEAST_DATA_MIB} MiB or more.")
    return Finding(name, "PASS", f"{device}, {size} MiB, {'holds the data volume' if signature else 'empty'}")


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _address(address: str) -> Finding:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.bind((address, 0))
    except OSError:
        fix = "Give the machine this address, or correct the answer."
        return Finding("address", "FAIL", f"{address} is not an address of this machine", fix)
    return Finding("address", "PASS", f"{address} is an address of this machine")


def _names(answers: Answers) -> Iterator[Finding]:
    for host in msgspec.structs.astuple(answers.three_hosts):
        name = host.partition(":")[0]
        try:
            addresses = {entry[4][0] for entry in socket.getaddrinfo(name, None)}
        except OSError:
            addresses = set()
        good = answers.address in addresses
        wrong = "resolves to another address" if addresses else "does not resolve"
        detail = f"resolves to {answers.address}" if good else wrong
        fix = "" if good else f"Add a DNS record: {name} to {answers.address}."
        yield Finding(f"name {name}", "PASS" if good else "WARN", detail, fix)


def _directory(answers: Answers) -> Finding:
    """Tries TLS first: the LDAP library does not tell a wrong certificate from a server that is down."""
    from appliance.desk.sign_in import directory

    configured = msgspec.convert(settings(answers)["directory"], Directory)
    url = urlsplit(configured.url)
    host, port = url.hostname or "", url.port or 636
    try:
        context = ssl.create_default_context(cafile=configured.ca_file)
        with (
            socket.create_connection((host, port), _TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            pass
    except ssl.SSLError as error:
        fix = "Compare directory.ca_file and the names in the directory's certificate."
        return Finding("directory", "FAIL", f"its certificate is refused: {error.reason or 'TLS'}", fix)
    except OSError:
        fix = f"Open {port}/tcp from {answers.address} to {host}; nobody can sign in until then."
        return Finding("directory", "WARN", f"{host}:{port} does not answer", fix)
    # Nobody has this name, so the result depends on the service account alone.
    result = directory.check(configured, "wardwell-preflight", "x")
    if isinstance(result, directory.Unknown):
        fix = "Compare bind_dn, its password and base_dn with the directory."
        return Finding("directory", "FAIL", f"the service account is refused ({result.reason})", fix)
    return Finding("directory", "PASS", "certificate valid, service account accepted")


def _time(server: str) -> Finding:
    try:
        skew = _skew(server)
    except OSError:
        fix = f"Open 123/udp from this machine to {server}; no compartment starts without the time."
        return Finding("time", "WARN", f"{server} does not answer", fix)
    if abs(skew) > MOST_SKEW_SECONDS:
        detail = f"this clock is {skew:+.1f} s off {server}"
        return Finding("time", "WARN", detail, "Nothing: the installation sets it.")
    return Finding("time", "PASS", f"this clock is {skew:+.3f} s off {server}")


def _skew(server: str, clock: Callable[[], float] = time.time) -> float:
    """Seconds that this clock is behind the server's (RFC 5905, section 8). Raises OSError without a reply."""
    family, _, _, _, address = socket.getaddrinfo(server, 123, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(_TIMEOUT)
        client.connect(address)
        sent = clock()
        client.send(b"\x23" + bytes(47))  # version 4, mode 3: a client's request
        reply = client.recv(512)
        received = clock()
    if len(reply) < 48:
        raise OSError("not an NTP reply")
    fields = struct.unpack("!4I", reply[32:48])
    arrived, left = (float(seconds) - _NTP_EPOCH + fraction / 2**32 for seconds, fraction in (fields[:2], fields[2:]))
    return float((arrived - sent) + (left - received)) / 2
