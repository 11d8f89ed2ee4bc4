"""Is the appliance in order? Small questions, each answered from what can be seen from outside the compartments.

Owns: the questions of `wardwell status` and `wardwell doctor`. Must never see: anything about a person; an answer holds
counts, ages and names of parts, and no file name of a dropped export.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from appliance import clock
from appliance.charter import load_charter, signatures
from appliance.crypto.tlog import PublicLog, trusted_keys, witnessed
from appliance.database import revisions, schema_of
from appliance.errors import WardwellError
from appliance.sending_as import sending_as
from appliance.settings import COMPARTMENTS, UNSEALED, Home

SPOOL_SECONDS = 120
DROP_SECONDS = 900
_TIMEOUT = 3.0


@dataclass(frozen=True)
class Check:
    """One answer: `name` of what was asked, whether it is in order, a fact in words, and one fix when it is not."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def run(home: Home, names: Iterable[str] = ()) -> list[Check]:
    """Every answer, or those under `names`, in the order in which faults are best mended."""
    found: list[Check] = []
    sealed = home.production and not UNSEALED.exists()
    for name in QUESTIONS:
        if (names and name not in names) or (sealed and name not in SEALED):
            continue
        try:
            found += QUESTIONS[name](home)
        except WardwellError as error:
            found.append(Check(name, False, error.message, error.fix or "Read the log of that part."))
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            found.append(Check(name, False, f"{name}: {reason}.", f"Look at the files of {name} under {home.root}."))
    return found


def settings(home: Home) -> list[Check]:
    """The settings and the charter can be read, and the charter carries both signatures."""
    agency, charter = home.settings().agency, load_charter(home)
    checks = [Check("settings", True, f"{agency}, charter version {charter.version}")]
    wrong = [signed for signed in signatures.verify(home) if signed.problem]
    detail = "; ".join(signed.problem.rstrip(".") for signed in wrong) or "signed by agency and trustee"
    fix = "Put the signed charter back, or have this one signed by both." if wrong else ""
    return [*checks, Check("charter", not wrong, detail, fix)]


def databases(home: Home) -> list[Check]:
    """Each database opens with its key, and its schema is one that this version knows."""
    checks = []
    for compartment in COMPARTMENTS:
        name = f"database {compartment}"
        if not home.database(compartment).exists():
            checks.append(Check(name, False, "it is not there", "Run `wardwell migrate`."))
            continue
        try:
            revision = schema_of(home, compartment)
        except WardwellError as error:
            checks.append(Check(name, False, error.message, error.fix))
            continue
        if revision is None:
            checks.append(Check(name, False, "it has no schema", "Run `wardwell migrate`."))
        elif revision in revisions(compartment):
            checks.append(Check(name, True, f"opens, revision {revision}"))
        else:
            fix = "Run the version that made it: `wardwell update status`."
            checks.append(Check(name, False, f"its schema {revision} is of a later version", fix))
    return checks


def sockets(home: Home) -> list[Check]:
    """The three sockets answer a request, not only the kernel."""
    hosts = home.settings().hosts
    asked = {
        "ledger": b"\n",
        "desk": f"GET / HTTP/1.0\r\nHost: {hosts.desk}\r\n\r\n".encode(),
        "post": f"GET /state HTTP/1.0\r\nHost: {hosts.post}\r\n\r\n".encode(),
    }
    return [_socket(home, name, request) for name, request in asked.items()]


def _socket(home: Home, name: str, request: bytes) -> Check:
    begun = time.monotonic()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(str(home.socket(name)))
            connection.sendall(request)
            answer = connection.recv(64)
    except OSError:
        answer = b""
    good = answer.startswith(b"{") if name == "ledger" else re.match(rb"HTTP/1\.[01] [1-4]\d\d", answer) is not None
    milliseconds = (time.monotonic() - begun) * 1000
    if good:
        return Check(f"process {name}", True, f"answers in {milliseconds:.0f} ms")
    return Check(
        f"process {name}", False, "it does not answer", f"Read {home.logs(name) / name}.log and start {name} again."
    )


def spool(home: Home) -> list[Check]:
    """No message waits for long, and none was set aside."""
    oldest, waiting, refused = 0.0, 0, 0
    late: set[str] = set()
    for folder in sorted((home.root / "spool").glob("*-to-*")):
        age, count = _oldest(folder.glob("[0-9]*.json"))
        waiting += count
        oldest = max(oldest, age)
        if age > SPOOL_SECONDS:
            late.add(folder.name.partition("-to-")[2])
        refused += sum(1 for _ in (folder / ".refused").glob("*"))
    receivers = " and ".join(sorted(late))
    checks = [
        Check("spool", False, f"messages wait for {receivers} for {oldest:.0f} s", f"Start {receivers} again.")
        if late
        else Check("spool", True, f"{waiting} waiting, the oldest {oldest:.0f} s")
    ]
    if refused:
        fix = f"Have someone look at the `.refused` folders under {home.root / 'spool'}, then remove them."
        checks.append(Check("spool refused", False, f"{refused} messages were no valid messages", fix))
    return checks


def _oldest(paths: Iterable[Path]) -> tuple[float, int]:
    """Age in seconds of the oldest file, and how many there are; files that go meanwhile are left out."""
    ages = []
    for path in paths:
        try:
            ages.append(time.time() - path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(ages, default=0.0), len(ages)


def log(home: Home) -> list[Check]:
    """The newest checkpoint is signed and continues the one that the witness saw; its newest entry is provable."""
    public = PublicLog(home.public / "ledger", str(trusted_keys(home)[0]))
    if public.size:
        public.entry(public.size - 1)
    detail = f"{public.size} entries, the checkpoint holds"
    if (home.public / "witness" / "checkpoint").exists():
        public.verify_continues(witnessed(home).log.checkpoint())
        detail += " and continues the witnessed one"
    return [Check("access log", True, detail)]


def witness(home: Home) -> list[Check]:
    """The witness cosigned within the charter's time, and has raised no alarm."""
    hours = load_charter(home).constants.cosignature_age_hours
    seen = witnessed(home)
    age = clock.now() - seen.at
    fix = "See that the witness runs and reaches the log; tell the officers' trustee."
    words = f"cosigned {seen.log.size} entries {_words(age)} ago, at most {hours} h allowed"
    checks = [Check("witness", age <= timedelta(hours=hours), words, fix if age > timedelta(hours=hours) else "")]
    if (home.public / "witness" / "alarm.json").exists():
        checks.append(Check("witness alarm", False, "the witness refuses this log", "Call the officers' trustee now."))
    return checks


def _words(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def certificates(home: Home) -> list[Check]:
    """The front's certificates are valid for a while yet."""
    from appliance.health import conditions

    folder = home.front
    paths = {*folder.glob("*.pem"), *(home.tls.glob("*.crt") if home.production else ())}
    for configuration in folder.glob("*.conf"):
        named = re.findall(r"ssl_certificate\s+\"?([^\s\";]+)", configuration.read_text())
        paths |= {folder / name for name in named}
    checks = []
    for path in sorted(paths):
        if b"BEGIN CERTIFICATE" not in path.read_bytes():
            continue
        checks.append(conditions.certificate(path, path.read_bytes()))
    return checks


def directory(home: Home) -> list[Check]:
    """The agency's directory is reached over TLS with the pinned CA."""
    wanted = home.settings().directory
    url = urlsplit(wanted.url)
    if not wanted.ca_file:
        return [Check("directory", False, "no CA is pinned for it", "Set directory.ca_file in wardwell.toml.")]
    host, port = url.hostname or "", url.port or 636
    try:
        context = ssl.create_default_context(cafile=wanted.ca_file)
        with (
            sending_as("wardwell-desk"),
            socket.create_connection((host, port), timeout=wanted.timeout_seconds) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            version = secured.version()
    except ssl.SSLError:
        fix = "Compare the directory's certificate and its names with directory.ca_file in wardwell.toml."
        return [Check("directory", False, "its certificate is not one of the pinned CA", fix)]
    except FileNotFoundError:
        return [Check("directory", False, "the CA file is missing", "Put directory.ca_file of wardwell.toml back.")]
    except OSError:
        fix = f"See that {host}:{port} is up and reachable from here; nobody from the directory can sign in until then."
        return [Check("directory", False, "it does not answer", fix)]
    return [Check("directory", True, f"answers over {version}, certificate checked")]


def drops(home: Home) -> list[Check]:
    """Dropped exports are taken soon after they arrive."""
    checks = []
    for feed in home.settings().feeds:
        name = f"drop {feed.name}"
        folder = home.drop(feed.name)
        if not folder.is_dir():
            checks.append(Check(name, False, "its folder is missing", f"Make {folder} for the CAD export job."))
            continue
        # An export under its temporary name is still being written; it counts as well once it is old.
        age, count = _oldest(path for path in folder.iterdir() if not path.is_dir())
        late = age > DROP_SECONDS
        detail = f"{count} files waiting, the oldest {age:.0f} s"
        fix = f"Read {home.logs('intake') / 'intake.log'}, and the receipts page, for why the file is not taken."
        checks.append(Check(name, not late, detail, fix if late else ""))
    return checks


def backups(home: Home) -> list[Check]:
    """The last backup succeeded, and not long ago."""
    from appliance.backup import last_run

    ok, detail, fix = last_run.standing(home)
    return [Check("backup", ok, detail, fix)]


def _condition(name: str) -> Callable[[Home], list[Check]]:
    """A question about the machine, from `appliance.health.conditions`, which needs this module's Check."""

    def ask(home: Home) -> list[Check]:
        from appliance.health import conditions

        question: Callable[[Home], list[Check]] = getattr(conditions, name)
        return question(home)

    return ask


QUESTIONS: dict[str, Callable[[Home], list[Check]]] = {
    "seal": _condition("seal"),
    "settings": settings,
    "clock": _condition("time_kept"),
    "units": _condition("units"),
    "sandbox": _condition("sandbox"),
    "databases": databases,
    "processes": sockets,
    "health": _condition("health"),
    "access log": log,
    "witness": witness,
    "spool": spool,
    "disk": _condition("room"),
    "operation": _condition("operation"),
    "certificates": certificates,
    "directory": directory,
    "drop folders": drops,
    "feeds": _condition("feeds"),
    "backups": backups,
}
# What can be asked while the data volume is closed.
SEALED = ("seal", "clock", "units", "sandbox", "certificates", "directory")
# What a monitoring system asks often: no database is opened and no directory is asked.
QUICK = ("seal", "clock", "units", "processes", "spool", "disk", "operation", "backups")
