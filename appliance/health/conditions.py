"""What the machine around the compartments is like: clock, disk, seal, units, sandbox, versions.

Owns: these questions of `wardwell status` and `wardwell doctor`, each answered with a name, yes or no, a fact and one
fix. Must never see: anything about a person. Outside an installed appliance the questions about systemd, the sandbox
and the seal have no answer, so none is given.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from appliance import clock, disk
from appliance.custody import problems
from appliance.custody.public_record import Places, load
from appliance.errors import WardwellError
from appliance.health.checks import Check
from appliance.settings import COMPARTMENTS, MAINTENANCE, RUNTIME, UNSEALED, Home

# Days before its end from which a certificate is to be renewed, and from which that is urgent.
RENEW_DAYS, URGENT_DAYS = 30, 7
# Seconds by which the clock may be off, or be set, before it is named: a code of an app lasts 30.
CLOCK_SECONDS = 30.0
_GIB = 1 << 30
# What a restore or an update may leave on the data volume.
LEFT = ("set-aside-*", "settings-from-backup", "before-update")
NOT_WELL, SILENT = "is not well", "has gone silent"
_CLOCK_FIX = "Compare it with a telephone; docs/operating.md says what a wrong clock did, and how to go on."


def seal(home: Home) -> list[Check]:
    """Whether the data volume is open, and by whom it can be opened."""
    settings = home.settings()
    checks = []
    if home.production and not UNSEALED.exists():
        fix = "Have two sides unseal it: `wardwell custody unseal`; desk's page names whom to call."
        checks.append(Check("sealed", False, "the data volume is closed; crisis pages are served", fix))
    elif home.production:
        checks.append(Check("sealed", True, "unsealed"))
    if settings.custody == "file" and not settings.demonstration:
        fix = "Hold the ceremony: `wardwell custody ceremony`."
        checks.append(Check("custody", False, "keys lie in files, which is for demonstrations", fix))
    elif home.production:
        checks += _custody(home, settings.disk.device)
    return checks


def _custody(home: Home, device: str) -> list[Check]:
    places = Places.of(home)
    try:
        wrong = problems.found(load(places), problems.live(places))
    except WardwellError as error:
        return [Check("custody", False, error.message, error.fix)]
    volume = f"encrypted on {device}" if device else "a plain folder, not encrypted here"
    fine = Check("custody", True, f"two groups of cards; the data volume is {volume}")
    return [Check("custody", False, words, fix) for words, fix in wrong] or [fine]


def time_kept(home: Home) -> list[Check]:
    """The clock follows the agency's server, was not set since the machine started, and is not behind the log."""
    checks = []
    if (off := _off()) is not None:
        fix = "" if off <= CLOCK_SECONDS else "See that the time server of the answers is up and right."
        detail = f"{off:.3f} s off the agency's server" if off != float("inf") else "no time server is followed"
        checks.append(Check("time server", off <= CLOCK_SECONDS, detail, fix))
    jumped = _jumped((RUNTIME if home.production else home.run) / "clock")
    set_by = f"the clock was set by {jumped:+.0f} s since the machine started" if abs(jumped) > CLOCK_SECONDS else ""
    newest = home.public / "ledger" / "checkpoint"
    ahead = newest.stat().st_mtime - clock.now().timestamp() if newest.exists() else 0.0
    if ahead > CLOCK_SECONDS:
        set_by = f"the clock is {ahead:.0f} s behind the newest entry of the access log"
    checks.append(Check("clock", not set_by, set_by or "runs steadily", _CLOCK_FIX if set_by else ""))
    return checks


def _off() -> float | None:
    """Seconds off the followed time server; infinity when none is followed, None where chrony is not."""
    try:
        done = subprocess.run(["chronyc", "-c", "tracking"], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # RFC-less but fixed (chronyc(1), -c): the fifth field is the offset of system time, the last the leap status.
    fields = done.stdout.strip().split(",")
    if done.returncode or len(fields) < 14:
        return None
    return float("inf") if fields[-1] == "Not synchronised" else abs(float(fields[4]))


def _jumped(note: Path) -> float:
    """Seconds by which the clock was set since `note` was made; the first question of a start makes it."""
    offset = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    try:
        before, _, of_boot = note.read_text().partition(" ")
        if of_boot == boot:
            return offset - float(before)
    except (OSError, ValueError):
        pass
    with contextlib.suppress(OSError):  # not root: the next one who is makes it
        note.write_text(f"{offset} {boot}")
    return 0.0


def room(home: Home) -> list[Check]:
    """The reserve is there, and does not run out soon."""
    found = disk.room(home.root)
    free = f"{found.free / _GIB:.1f} GiB free of {found.total / _GIB:.1f}"
    reserve = f"{found.reserve / _GIB:.1f} GiB are kept for sign-in and the access log"
    if found.low:
        fix = f"Free space on the volume of {home.root}, or enlarge it; sign-in, crisis pages and reading go on."
        return [Check("disk", False, f"{free}: exports and uploads are refused, since {reserve}", fix)]
    if found.free < 2 * found.reserve:
        fix = f"Free space on the volume of {home.root}, or enlarge it, before exports are refused."
        return [Check("disk", False, f"{free}, nearly at the reserve: {reserve}", fix)]
    return [Check("disk", True, free)]


def certificate(path: Path, content: bytes) -> Check:
    """How long a certificate (PEM, with its issuers) is valid yet."""
    end = min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(content))
    left = end - clock.now()
    name, days = f"certificate {path.stem}", f"valid for {left.days} days"
    fix = "Renew it: `wardwell cert csr`, then `wardwell cert install` (docs/installing.md)."
    if left < timedelta(0):
        return Check(name, False, f"it has expired on {end:%Y-%m-%d}: browsers refuse this host", fix)
    if left < timedelta(days=URGENT_DAYS):
        return Check(name, False, f"{days} only: renew it now", fix)
    return Check(name, left >= timedelta(days=RENEW_DAYS), days, fix if left < timedelta(days=RENEW_DAYS) else "")


def health(home: Home) -> list[Check]:
    """What each compartment last said of itself, and whether it still says anything."""
    from appliance.desk import health as heard
    from appliance.storage import open_store

    if not home.database("desk").exists():
        return []
    with contextlib.closing(open_store(home, "desk")) as store:
        lines = [line for line in heard.shown(store) if line.at is not None]
    said = {line.compartment: "says it is well" if line.ok else SILENT if line.silent else NOT_WELL for line in lines}
    return [Check(f"health {line.compartment}", line.ok, said[line.compartment], line.fix) for line in lines]


def feeds(home: Home) -> list[Check]:
    """Feeds go on dropping files, and these look like those before."""
    from appliance.desk.feeds import baseline
    from appliance.storage import open_store

    if not home.database("desk").exists():
        return []
    with contextlib.closing(open_store(home, "desk")) as store, store.read() as session:
        return [Check(f"feed {alert.feed}", False, alert.words, alert.fix) for alert in baseline.alerts(session)]


def units(home: Home) -> list[Check]:
    """No unit of systemd that matters here has failed, and while it is unsealed no compartment is stopped."""
    if not home.production:
        return []
    ours = ("wardwell", "nftables", "apparmor", "auditd", "chrony", "ssh", "var-lib-wardwell")
    listed = _said(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"])
    failed = [line.split()[0] for line in listed.splitlines() if line.startswith(ours)]
    if UNSEALED.exists() and not MAINTENANCE.exists():
        wanted = [f"wardwell@{name}.service" for name in COMPARTMENTS]
        states = _said(["systemctl", "is-active", *wanted]).split()
        stopped = [unit for unit, state in zip(wanted, states, strict=False) if state == "inactive"]
        if stopped and not failed:
            return [
                Check("units", False, f"stopped: {', '.join(stopped)}", f"Start it: `systemctl start {stopped[0]}`.")
            ]
    fix = f"Read `journalctl -u {failed[0]} -n 30`." if failed else ""
    return [Check("units", not failed, f"failed: {', '.join(failed)}" if failed else "none has failed", fix)]


def sandbox(home: Home) -> list[Check]:
    """The firewall is loaded, and AppArmor enforces every profile. A container has both from its host."""
    if not home.production or _said(["systemd-detect-virt", "--container"]).strip() not in ("", "none"):
        return []
    loaded = "table inet wardwell" in _said(["nft", "list", "tables"])
    checks = [
        Check("firewall", loaded, "loaded" if loaded else "not loaded", "" if loaded else "Run `wardwell apply`.")
    ]
    try:
        profiles = Path("/sys/kernel/security/apparmor/profiles").read_text()
    except OSError:
        profiles = ""
    loose = [name for name in COMPARTMENTS if f"wardwell-{name} (enforce)" not in profiles]
    detail = f"not enforced for {', '.join(loose)}" if loose else "enforces"
    checks.append(Check("AppArmor", not loose, detail, "Run `wardwell apply`." if loose else ""))
    return checks


def operation(home: Home) -> list[Check]:
    """Nothing that an operator began is left half done."""
    checks = []
    if MAINTENANCE.exists() and home.production:
        since = datetime.fromtimestamp(MAINTENANCE.stat().st_mtime, clock.now().tzinfo)
        fix = "End it when the work is done: `wardwell maintenance off`."
        checks.append(Check("maintenance", False, f"on since {since:%Y-%m-%d %H:%M} UTC", fix))
    left = [path for name in LEFT for path in sorted(home.root.glob(name))]
    if home.production and Path("/opt/wardwell/update.json").exists():
        checks.append(Check("update", False, "one is going on, or was interrupted", "Run `wardwell update resume`."))
        left = [path for path in left if path.name != "before-update"]
    if left:
        fix = f"Remove {' and '.join(str(path) for path in left)} when nobody needs them: erased things live on there."
        checks.append(Check("leftovers", False, "a restore or an update left what was there before", fix))
    return checks or [Check("operation", True, "nothing is half done")]


def _said(command: list[str]) -> str:
    """What a command answers; "" when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
