"""What an operator may send to whoever helps: facts about the machine, none about a person.

Owns: the list of fields (nothing that is not named here can get in) and the file that carries them. Must never see: a
log's words, a host name, a feed's name, a file's name, a count of anything that people do. Database sizes are rounded
up to a power of two MiB, so that their growth does not tell how busy the sealed post is.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance import clock
from appliance.backup.create import version
from appliance.errors import WardwellError
from appliance.health import checks
from appliance.settings import COMPARTMENTS, Home

UNITS = (
    "wardwell-custody",
    "wardwell-sealed",
    "wardwell-front",
    "wardwell-backup",
    *(f"wardwell@{compartment}" for compartment in COMPARTMENTS),
    "nftables",
    "apparmor",
    "auditd",
    "chrony",
)
_STATE = re.compile(r"[a-z-]{1,20}")
_VERSION = re.compile(r"[0-9A-Za-z.+~_-]{1,40}")
_LEVEL = re.compile(r"\[(debug|info|warning|error|critical)\s*\]")
_MIB = 1 << 20


class Results(msgspec.Struct, frozen=True):
    """How many checks `status` made under one heading, and how many are not in order."""

    made: int
    wrong: int


class Unit(msgspec.Struct, frozen=True):
    """One systemd unit: its states as systemd names them, starts since boot, resident memory in MiB (-1: unknown)."""

    active: str
    sub: str
    restarts: int
    memory_mib: int


class Lines(msgspec.Struct, frozen=True):
    """Lines of one compartment's logs by level; the lines themselves stay where they are."""

    warnings: int
    errors: int


class Report(msgspec.Struct, frozen=True):
    """Everything that a support bundle can hold."""

    made_at: str
    wardwell: str
    python: str
    debian: str
    kernel: str
    processors: int
    memory_mib: int
    disk_total_mib: int
    disk_free_mib: int
    demonstration: bool
    checks: dict[str, Results]
    units: dict[str, Unit]
    database_mib_at_most: dict[str, int]
    log_lines: dict[str, Lines]


def collect(home: Home, run: Callable[[list[str]], str] | None = None) -> Report:
    """The report on `home`. `run` answers a command with its output ("" when it cannot be run)."""
    disk = shutil.disk_usage(home.root if home.root.is_dir() else "/")
    return Report(
        made_at=clock.now().strftime("%Y-%m-%dT%H:%MZ"),
        wardwell=_only(_VERSION, version()),
        python=_only(_VERSION, platform.python_version()),
        debian=_only(_VERSION, _debian()),
        kernel=_only(_VERSION, platform.release()),
        processors=os.cpu_count() or 0,
        memory_mib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB,
        disk_total_mib=disk.total // _MIB,
        disk_free_mib=disk.free // _MIB,
        demonstration=_demonstration(home),
        checks=_checks(home),
        units={name: _unit(name, run or _output) for name in UNITS},
        database_mib_at_most={name: _rounded(home.database(name)) for name in COMPARTMENTS},
        log_lines={name: _lines(home, name) for name in COMPARTMENTS},
    )


def encode(report: Report) -> bytes:
    """The report as the bytes that are shown and written: indented JSON, sorted."""
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2) + b"\n"


def write(content: bytes, out: Path) -> str:
    """Write the bundle (a tar with one file) to `out`; the SHA-256 of the report in it, in hex.

    Raises WardwellError when `out` already exists.
    """
    digest = hashlib.sha256(content).hexdigest()
    try:
        with out.open("xb") as file, tarfile.open(fileobj=file, mode="w") as tar:
            for name, data in (("report.json", content), ("SHA256SUMS", f"{digest}  report.json\n".encode())):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    except FileExistsError:
        raise WardwellError(f"{out} already exists.", "Name another file, or remove that one.") from None
    return digest


def _only(pattern: re.Pattern[str], value: str) -> str:
    """`value` when it has the form that its field allows, else "other"."""
    return value if pattern.fullmatch(value) else "other"


def _debian() -> str:
    try:
        return Path("/etc/debian_version").read_text().strip()
    except OSError:
        return "none"


def _demonstration(home: Home) -> bool:
    try:
        return home.settings().demonstration
    except WardwellError:
        return False


def _checks(home: Home) -> dict[str, Results]:
    """Results counted by heading: the name of a single check may hold a feed's or a host's."""
    results = {name: checks.run_one(home, name) for name in checks.CHECKS}
    return {name: Results(len(made), sum(not result.ok for result in made)) for name, made in results.items()}


def _unit(name: str, run: Callable[[list[str]], str]) -> Unit:
    wanted = "ActiveState,SubState,NRestarts,MemoryCurrent"
    lines = run(["systemctl", "show", f"--property={wanted}", f"{name}.service"]).splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    memory = values.get("MemoryCurrent", "")
    return Unit(
        active=_only(_STATE, values.get("ActiveState", "unknown")),
        sub=_only(_STATE, values.get("SubState", "unknown")),
        restarts=_number(values.get("NRestarts", "")),
        memory_mib=_number(memory) // _MIB if memory.isdigit() else -1,
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _rounded(path: Path) -> int:
    """The smallest power of two MiB that holds the file; 0 when there is none."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0
    mebibytes = 1
    while mebibytes * _MIB < size:
        mebibytes *= 2
    return mebibytes


def _lines(home: Home, compartment: str) -> Lines:
    counted = {"warning": 0, "error": 0, "critical": 0}
    for path in home.logs(compartment).glob("*.log*" if home.production else f"{compartment}*.log*"):
        with path.open(errors="replace") as file:
            for line in file:
                level = _LEVEL.search(line[:200])
                if level and level[1] in counted:
                    counted[level[1]] += 1
    return Lines(counted["warning"], counted["error"] + counted["critical"])
