"""`wardwell-demo up`: from nothing, or from a half-made demonstration, to a running one.

Owns: the order of the steps. Each step looks for itself whether it is done, so an interrupted start goes on where it
stopped, and a second run of a running demonstration changes nothing. Must never see: what happens inside the parts.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from appliance import clock
from appliance.crypto.authority import Authority
from appliance.errors import WardwellError
from appliance.founding.accept import carry_out
from appliance.runtime.worker import ask_upkeep
from appliance.settings import Feed, Home, Settings
from provisioning import front, supervise
from provisioning.supervise import Supervisor
from tests.demonstration import agency as agencies
from tests.demonstration import cad_csv, cad_xml, drop, enrol, founding, pockets, ports, release, table
from tests.demonstration.agency import Agency
from tests.demonstration.directory import Directory
from tests.demonstration.https import Client

PARTS = ("directory", *supervise.COMPARTMENT_PARTS, "witness", "front")
CSV_PROFILE, XML_PROFILE, XML_FEED = "san-luis-obispo", "newworld-callexport", "task-force"
_READY_SECONDS = 120.0
# Reports come every ten seconds; the first of them may be of before.
_UNWELL_SECONDS = 25.0
_STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class Wanted:
    """What was asked for. Ports, history and people are fixed when the home is made; later runs keep them."""

    ports_from: str = ""
    days: int = 90
    drop: Path | None = None
    roster: Path | None = None
    profile: str = ""


def say(text: str) -> None:
    """One progress line."""
    click.echo(f"== {text}")


def bring_up(home: Home, wanted: Wanted) -> None:
    """Make what is missing, start everything, wait until it is ready, print the table."""
    if any(character.isspace() for character in str(home.root)):
        raise WardwellError("The state folder's path holds a blank.", "Set WARDWELL_HOME to a path without one.")
    with _alone(home):
        agency = _agency(home, wanted)
        settings = _settings(home, wanted)
        configuration, supervisor = _files(home, agency, settings), Supervisor(home)
        code = code_digest()
        if not supervisor.runs(configuration, code):
            supervisor.stop()
            ports.check_free(settings)
            say("starting the processes")
            supervisor.start(configuration, code)
        _answering(home, supervisor)
        carried = _people(home, agency)
        _history(home, agency, wanted)
        _first_message(home, carried)
        _ready(home, supervisor)
        table.show(home, carried)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    folder = founding.folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    home.root.chmod(0o700)
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WardwellError("Another `demo up` is at work here.", "Wait until it is done.") from None
        yield


# --- files -----------------------------------------------------------------------------------------------------------


def agency_of(home: Home) -> Agency:
    """The agency of a demonstration that exists: generated, or made from the roster it was given."""
    given = founding.folder(home) / "given-roster.csv"
    return agencies.from_roster(given) if given.exists() else agencies.generate()


def _agency(home: Home, wanted: Wanted) -> Agency:
    given = founding.folder(home) / "given-roster.csv"
    if wanted.roster and not home.settings_file.exists():
        shutil.copyfile(wanted.roster, given)
    elif wanted.roster and (not given.exists() or given.read_bytes() != wanted.roster.read_bytes()):
        raise WardwellError(
            "This demonstration has other people already.", "Stop it and give another folder: WARDWELL_HOME=DIR."
        )
    return agency_of(home)


def _settings(home: Home, wanted: Wanted) -> Settings:
    if home.settings_file.exists():
        return home.settings()
    say(f"making the demonstration agency in {home.root}")
    hosts, directory_port = ports.choose(wanted.ports_from)
    profile = wanted.profile or CSV_PROFILE
    if wanted.profile and Path(wanted.profile).is_file():
        profile = str(Path(wanted.profile).absolute())
    feeds = [Feed(drop.FEED, CSV_PROFILE)]
    feeds.append(Feed("given", profile) if wanted.drop else Feed(XML_FEED, XML_PROFILE))
    demo = founding.folder(home)
    settings = ports.settings(hosts, directory_port, str(demo / "ca.pem"), str(demo / "directory-password"), feeds)
    ports.write(home, settings)
    return settings


def _files(home: Home, agency: Agency, settings: Settings) -> str:
    """Everything that is there before a process runs; gives supervisord's configuration."""
    from appliance.custody.keys import create_file_custody, root_file
    from appliance.custody.restore_signature import publish_custody_key
    from appliance.kit import witness
    from appliance.ledger import keys as ledger_keys
    from appliance.press.keys import report_key
    from appliance.storage.migrate import upgrade_all

    for feed in settings.feeds:
        home.drop(feed.name).mkdir(parents=True, exist_ok=True)
    founding.make_keys(
        home, {"agency": f"Chief, {agency.name}", "trustee": f"{agency.roles['trustee'].display}, officers' trustee"}
    )
    founding.publish_charter(home)
    create_file_custody(home)
    publish_custody_key(home, root_file(home).read_bytes())
    upgrade_all(home)
    report_key(home)
    ledger_keys.create(home)
    witness.create(founding.folder(home) / "witness", home.public / "witness")
    founding.publish_site(home, settings)
    release.lay(home)
    authority = Authority(founding.folder(home))
    certificates = {
        role: front.Certificate(*authority.server(role, front.split_host(getattr(settings.hosts, role))[0]))
        for role in ("desk", "post", "space")
    }
    front.write(home, settings.hosts, certificates)
    directory = Directory(founding.folder(home) / "slapd", int(settings.directory.url.rsplit(":", 1)[1]))
    directory_certificate = authority.server("directory", "127.0.0.1")
    if not directory.password_file.exists():
        say(f"filling the directory with {len(agency.people)} people")
        directory.prepare(agency, authority.ca_file, *directory_certificate)
    else:
        directory.configure(authority.ca_file, *directory_certificate)
    return supervise.render(home, PARTS, {"nginx": front.command(home), "slapd": directory.command()})


def code_digest() -> str:
    """Changes when the program does, so that the next `up` restarts it."""
    total = hashlib.sha256()
    for package in ("appliance", "webapp", "provisioning"):
        for path in sorted((front.ROOT / package).rglob("*")):
            if "node_modules" in path.parts or path.suffix not in (".py", ".html", ".toml", ".json", ".in"):
                continue
            total.update(f"{path}\0{path.stat().st_mtime_ns}\0".encode())
    return total.hexdigest()


# --- running ---------------------------------------------------------------------------------------------------------


def wardwell(home: Home, *arguments: str) -> str:
    """Run one `wardwell` command on `home`; its output. Raises WardwellError with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.cli", "--home", str(home.root), *arguments],
        env={**os.environ, "WARDWELL_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WardwellError(
            f"`wardwell {' '.join(arguments[:3])}` failed: {(done.stderr or done.stdout).strip()[-600:]}",
            f"Read the logs in {home.log}.",
        )
    return done.stdout


def _answering(home: Home, supervisor: Supervisor) -> None:
    """Wait until every socket is there that the next steps talk to."""
    settings = home.settings()
    clients = [
        Client(host, founding.folder(home) / "ca.pem", timeout=5.0)
        for host in (settings.hosts.desk, settings.hosts.post, settings.hosts.space)
    ]
    deadline = time.monotonic() + _READY_SECONDS
    waiting: list[str] = []
    while time.monotonic() < deadline:
        states = supervisor.states()
        waiting = [name for name, state in states.items() if state != "RUNNING"]
        if "FATAL" in states.values():
            break
        if states and not waiting and home.socket("ledger").exists():
            waiting = [client.host for client in clients if not _answers(client)]
            if not waiting:
                return
        time.sleep(0.2)
    raise WardwellError(f"Not running: {', '.join(waiting) or 'supervisord'}.", f"Read the logs in {home.log}.")


def _answers(client: Client) -> bool:
    try:
        return client.get("/").status < 500
    except OSError:
        return False


def _people(home: Home, agency: Agency) -> pockets.Pockets:
    carried = enrol.pockets_for(home, agency.roles)
    done = founding.folder(home) / "founded"
    if not done.exists():
        say(f"roster of {len(agency.people)}, founding document, role holders")
        founding.write_documents(home, agency)
        carry_out(home, founding.folder(home))
        done.write_text("")
    enrol.everyone(home, carried, say)
    _key_list(home)
    return carried


def _key_list(home: Home) -> None:
    """Supporters' public keys, signed by the trustee; then the pages before sign-in, which show the directory."""
    entries = founding.folder(home) / "supporters"
    if not (home.public / "keylist.json").exists():
        say("the trustee signs the list of supporters' keys")
        key = founding.key_file(home, "trustee")
        wardwell(
            home, "kit", "keylist", "sign", "--entries", str(entries), "--key", str(key), "--out", str(home.public)
        )
        wardwell(home, "press", "pages")


def _first_message(home: Home, carried: pockets.Pockets) -> None:
    """The peer supporter, an officer too, writes to the clinician: something real for `demo attack` to look for."""
    done = founding.folder(home) / "written"
    if done.exists():
        return
    say("a first message through the sealed post (waits for a fresh sign-in code)")
    enrol.write_first_message(home, carried)
    done.write_text("")


# --- history ---------------------------------------------------------------------------------------------------------


def _history(home: Home, agency: Agency, wanted: Wanted) -> None:
    done = founding.folder(home) / "history"
    if not done.exists():
        if wanted.drop is not None:
            files = sorted(path for path in wanted.drop.iterdir() if path.is_file())
            say(f"dropping {len(files)} files of {wanted.drop.name}")
            for path in files:
                cad_csv.put(home.drop("given") / path.name, path.read_bytes())
        else:
            today = clock.now().astimezone(ZoneInfo(home.settings().time_zone)).date()
            count = cad_csv.write_history(agency, drop.feed_folder(home), today, wanted.days)
            count += cad_xml.write_history(agency, home.drop(XML_FEED), today, wanted.days)
            say(f"dropped {count} CAD exports of the last {wanted.days} days")
        done.write_text(json.dumps({"days": wanted.days}))
    _taken(home)


def _waiting_files(home: Home) -> int:
    return sum(
        1
        for feed in home.settings().feeds
        for path in home.drop(feed.name).iterdir()
        if path.is_file() and not path.name.startswith(".")
    )


def _taken(home: Home) -> None:
    """Wait until the intake took every file; gives up when none went for a while."""
    fewest, since, told = -1, time.monotonic(), time.monotonic()
    while left := _waiting_files(home):
        now = time.monotonic()
        if left != fewest:
            fewest, since = left, now
        if now - since > _STALLED_SECONDS:
            raise WardwellError(f"The intake does not take {left} exports.", f"Read {home.log / 'intake.log'}.")
        if now - told > 5:
            told = now
            say(f"  the intake is reading: {left} files to go")
        time.sleep(0.3)


def _ready(home: Home, supervisor: Supervisor) -> None:
    """Wait for `wardwell status`, the one judge of readiness; what exports look like is no part of it.

    A part that goes on saying it is not well, as the intake does while a refused file lies in quarantine, is running:
    what to do about it is said, and the demonstration is up.
    """
    from appliance.health import checks
    from appliance.health.compartments import NOT_WELL

    ask_upkeep(home, 10.0)  # each says at once how it is
    deadline, told, since = time.monotonic() + _READY_SECONDS, time.monotonic(), time.monotonic()
    asked = [name for name in checks.CHECKS if name != "feeds"]
    while wrong := [check for check in checks.run(home, asked) if not check.ok]:
        if any(not check.name.startswith("health ") or check.says != NOT_WELL for check in wrong):
            since = time.monotonic()
        elif time.monotonic() - since > _UNWELL_SECONDS:
            for check in wrong:
                say(f"  {check.name}: {check.fix}")
            return
        if time.monotonic() > deadline or "FATAL" in supervisor.states().values():
            raise WardwellError(f"Not in order: {wrong[0].name}: {wrong[0].says}", wrong[0].fix)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  not ready yet: {', '.join(check.name for check in wrong)}")
        time.sleep(0.5)
