"""A running site for the private space: nginx, desk under gunicorn, the real ledger with a witness, one spool worker.

The intake is played here: when desk publishes a mailbox key, one real sealed history is put into the spool, as the
intake would. Everything else is the product.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select

from appliance import clock
from appliance.charter.schema import load_charter
from appliance.crypto import sshsig
from appliance.crypto.authority import Authority
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import COSIGNATURE, Signer
from appliance.crypto.sealing import info, seal
from appliance.custody.keys import ROOT_BYTES, custody_signer
from appliance.desk import slips, tickets, worker
from appliance.desk.models.vault import Entry, Head
from appliance.ledger.models import Leaf
from appliance.post.memory import Memory
from appliance.settings import Home
from appliance.spool.append import append
from appliance.spool.messages import About, Append, EpochTurned, MailboxKeyPublished, SealedExposure
from appliance.storage import Store
from provisioning import front
from tests.conftest import make_home
from tests.support import ledger as ledger_support
from tests.support.databases import new_store
from tests.support.desk_site import Member, add_member
from tests.support.quick_space import quick_code
from tests.support.waiting import answers, until

CUSTODY_ROOT = bytes(ROOT_BYTES)
NAMES = {"desk": "desk.wardwell.localhost", "post": "post.wardwell.localhost", "space": "my.wardwell.localhost"}
TYPES = ["suicide", "child-death", "traffic-fatal", "structure-fire", "homicide"]
CRISIS = "<!doctype html><html lang=en><title>Talk to someone now</title><h1>Talk to someone now</h1><p>Call 988.</p>"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def contribution(number: int, days_ago: float, kind: str, **changes: Any) -> dict[str, Any]:
    """One contribution of a played intake."""
    at = (clock.now() - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = {"id": f"{number:032x}", "at": at, "type": kind, "role": "primary", "minutes": 40 + number}
    return {**made, "revision": 1, "gone": False, **changes}


@dataclass
class LiveSite:
    """What a test does at the site."""

    home: Home
    desk: Store
    ledger: ledger_support.RunningLedger
    trustee_fingerprint: str
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        return self.home.root / "demo" / "ca.pem"

    def address(self, role: str) -> str:
        return f"https://{getattr(self.home.settings().hosts, role)}"

    def member(self, name: str, *roles: str) -> tuple[Member, str]:
        """A person with these roles, and a slip."""
        member = add_member(self.desk, name, *roles)
        return member, slips.issue(self.desk, member.handle).code

    def look(self, handle: str, outcome: str = "allowed", *, everyone: bool = True) -> None:
        """A coordinator looks at who attended an incident."""
        body = {
            "actor": "Chris Coordinator",
            "actor_role": "coordinator" if outcome == "allowed" else "command",
            "category": "attendance",
            "purpose": "duty_of_care",
            "outcome": outcome,
            "incident": "C-2041",
            "everyone": everyone,
            "note": "",
        }
        append(self.home, Append(kind="about", about=[About(handle=handle, body=body)]))

    def turn_epoch(self, epoch: int) -> None:
        """The ledger writes its heads leaf, as when post closes an epoch."""
        from appliance.ledger import entries

        with self.ledger.store.write() as session:
            entries.turn_epoch(session, EpochTurned(epoch=epoch))
        self.ledger.log._catch_up()

    def await_entries(self, handle: str, count: int) -> None:
        """Until desk holds so many entries of this person and a head, and the newest checkpoint is cosigned."""
        until(lambda: self._arrived(handle, count), seconds=30)

    def _arrived(self, handle: str, count: int) -> bool:
        with self.desk.read() as session:
            entries = session.scalar(select(func.count()).where(Entry.handle == handle))
            head = session.get(Head, handle)
        return entries == count and head is not None and self._cosigned()

    def await_checkpoint(self) -> None:
        """Until the newest checkpoint holds every leaf that there is now, and is cosigned."""
        note = self.home.public / "ledger" / "checkpoint"
        with self.ledger.store.read() as session:
            leaves = session.scalar(select(func.count()).select_from(Leaf)) or 0
        until(lambda: int(note.read_text().splitlines()[1]) >= leaves and self._cosigned(), seconds=30)

    def _cosigned(self) -> bool:
        note, cosigned = (self.home.public / of / "checkpoint" for of in ("ledger", "witness"))
        return cosigned.exists() and cosigned.read_bytes().startswith(note.read_bytes())


class _Pump(threading.Thread):
    """Publishes, cosigns, moves messages, plays the intake; ten times a second."""

    def __init__(self, site: LiveSite, witness: Signer) -> None:
        super().__init__(daemon=True)
        self.site, self.witness, self.stop = site, witness, threading.Event()
        self.problem: BaseException | None = None

    def run(self) -> None:
        handled = worker.handlers(load_charter(self.site.home))
        while not self.stop.wait(0.1):
            try:
                self.site.ledger.log.publish()
                self._cosign()
                self.site.ledger.log.heed_witness()
                self.site.ledger.log.flush()
                self._play_intake()
                worker.once(self.site.desk, handled)
            except BaseException as error:
                self.problem = error
                raise

    def _cosign(self) -> None:
        public = self.site.home.public
        note = (public / "ledger" / "checkpoint").read_bytes()
        target = public / "witness" / "checkpoint"
        if not target.exists() or not target.read_bytes().startswith(note):
            part = target.with_suffix(".part")
            part.write_bytes(self.witness.cosign(note, clock.now()))
            part.rename(target)

    def _play_intake(self) -> None:
        from appliance.spool import delivery

        for path in sorted(self.site.home.spool("desk", "intake").glob("[0-9]*.json")):
            raw = msgspec.json.decode(path.read_bytes())
            path.unlink()
            if raw["message"] != "MailboxKeyPublished":
                continue
            published = msgspec.convert(raw, type=MailboxKeyPublished)
            plain = canonical({"v": 1, "cycle": 1, "contributions": self.site.history, "more": False})
            size = load_charter(self.site.home).constants.history_bytes
            sealed = seal(published.public_key, plain.ljust(size), info=info("exposure", published.handle))
            message = SealedExposure(handle=published.handle, kind="history", cycle=1, sealed=sealed)
            delivery.send(self.site.home, "intake", "desk", message)


def _publish_site(home: Home, key: Path) -> str:
    lines, privates = {}, {}
    for signer, file in (("trustee", key), ("agency", key.with_name("agency-key"))):
        file.write_bytes(sshsig.generate_private_openssh())
        file.chmod(0o600)
        privates[signer] = sshsig.load_private(file)
        lines[signer] = sshsig.public_line(privates[signer], signer)
        (home.public / f"{signer}.pub").write_text(lines[signer] + "\n")
    hosts = home.settings().hosts
    content = {
        "version": 1,
        "agency": home.settings().agency,
        "time_zone": home.settings().time_zone,
        "hosts": {"desk": hosts.desk, "post": hosts.post, "space": hosts.space},
        "demonstration": True,
        "ledger_vkey": (home.public / "ledger" / "vkey").read_text().strip(),
        "witness_vkey": (home.public / "witness" / "vkey").read_text().strip(),
        "custody_vkey": str(custody_signer(CUSTODY_ROOT).verifier),
        "charter_digest": load_charter(home).digest,
        "report_key": "",
    }
    path = home.public / "site.json"
    path.write_bytes(canonical(content))
    for signer, private in privates.items():
        signature = sshsig.sign(private, path.read_bytes(), "wardwell-site")
        path.with_name(f"site.json.{signer}.sig").write_bytes(signature)
    return sshsig.fingerprint(lines["trustee"])


@contextlib.contextmanager
def _process(command: list[str], home: Home, log: str) -> Iterator[None]:
    with open(home.log / log, "wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "WARDWELL_HOME": str(home.root)}, stdout=output, stderr=output
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def sealed_post(site: LiveSite) -> Iterator[tuple[Store, Memory]]:
    """Post beside a running site, with ticket keys and tables; its memory is removed afterwards."""
    with contextlib.ExitStack() as running:
        store, memory = new_store(site.home, "post"), Memory(site.home)
        running.callback(lambda: shutil.rmtree(memory.folder))
        running.callback(store.close)
        tickets.ensure_keys(site.desk, site.home)
        gunicorn = [str(Path(sys.executable).with_name("gunicorn")), "--no-control-socket"]
        options = ["--config", "python:webapp.post.gunicorn_config", "--bind", f"unix:{site.home.socket('post')}"]
        running.enter_context(_process([*gunicorn, *options, "webapp.post:create_app()"], site.home, "post.log"))
        until(site.home.socket("post").exists)
        yield store, memory


@contextlib.contextmanager
def live_site(root: Path) -> Iterator[LiveSite]:
    """Start everything below `root`; stop it again."""
    home = make_home(root)
    hosts = {role: f"{name}:{_free_port()}" for role, name in NAMES.items()}
    lines = "".join(f'{role} = "{host}"\n' for role, host in hosts.items())
    home.settings_file.write_text(f'agency = "Test Agency"\ndemonstration = true\n[hosts]\n{lines}')
    stores = {name: new_store(home, name) for name in ("desk", "ledger")}
    witness = Signer.generate("witness.test", COSIGNATURE)
    (home.public / "witness").mkdir()
    (home.public / "witness" / "vkey").write_text(f"{witness.verifier}\n")
    (home.public / "site" / "crisis").mkdir(parents=True)
    (home.public / "site" / "crisis" / "index.html").write_text(CRISIS)
    authority = Authority(home.root / "demo")
    certificates = {r: front.Certificate(*authority.server(r, name)) for r, name in NAMES.items()}
    configuration = front.write(home, home.settings().hosts, certificates)
    configuration.write_text(front.render(home, home.settings().hosts, certificates, code=quick_code()))
    gunicorn = [str(Path(sys.executable).with_name("gunicorn")), "--bind", f"unix:{home.socket('desk')}"]
    with contextlib.ExitStack() as running:
        for store in stores.values():
            running.callback(store.close)
        ledger = running.enter_context(ledger_support.running(home, stores["ledger"]))
        fingerprint = _publish_site(home, home.root / "trustee-key")
        site = LiveSite(home, stores["desk"], ledger, fingerprint)
        pump = _Pump(site, witness)
        options = ["--threads", "4", "--worker-class", "gthread", "--no-control-socket", "webapp.desk:create_app()"]
        running.enter_context(_process([*gunicorn, *options], home, "desk.log"))
        running.enter_context(_process(front.command(home), home, "front.log"))
        until(home.socket("desk").exists)
        until(lambda: answers(int(hosts["space"].rsplit(":", 1)[1])))
        pump.start()
        yield site
        pump.stop.set()
        pump.join(10)
        assert pump.problem is None
