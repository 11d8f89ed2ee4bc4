"""Status and doctor: each fault has one fix and exit code 1, a sound part has none, and nobody is named."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import shutil
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance import clock
from appliance.charter import signatures
from appliance.crypto import sshsig
from appliance.crypto.tlog import PublicLog
from appliance.health import checks, databases
from appliance.health.check import Check
from appliance.health.commands import doctor, status
from appliance.health.drops import DROP_SECONDS
from appliance.health.spool import SPOOL_SECONDS
from appliance.kit.witness import Folders, Witness
from appliance.kit.witness import create as create_witness
from appliance.ledger import keys
from appliance.migrate import migrate
from appliance.settings import COMPARTMENTS, Home
from appliance.storage import Store
from tests.ledger.support import serving
from tests.support.databases import lay_database
from tests.support.waiting import LOOPBACK, until

pytestmark = LOOPBACK


def certificate(days: int) -> tuple[bytes, bytes]:
    """A self-signed certificate of 127.0.0.1 that is valid for `days`, and its key; both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "directory")])
    address = ipaddress.ip_address("127.0.0.1")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(clock.now() - datetime.timedelta(days=1))
        .not_valid_after(clock.now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem), private


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A TLS server in the directory's place: its port and its CA file."""
    public, private = certificate(90)
    ca, both = tmp_path / "ca.pem", tmp_path / "both.pem"
    ca.write_bytes(public)
    both.write_bytes(public + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            connection, _ = listener.accept()
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], ca
    stop.set()
    socket.create_connection(listener.getsockname()).close()
    thread.join()
    listener.close()


class _Web(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.0 302 FOUND\r\n\r\n")


@pytest.fixture
def sound(
    home: Home, store_of: Callable[[str], Store], directory: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    """An appliance with every part in order, as far as these checks can see."""
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    port, ca = directory
    home.settings_file.write_text(
        'agency = "Test Agency"\ndemonstration = true\n[[feeds]]\nname = "cad"\nprofile = "p"\n'
        f'[directory]\nurl = "ldaps://127.0.0.1:{port}"\nca_file = "{ca}"\n'
    )
    home.drop("cad").mkdir(parents=True)
    (home.root / "nginx").mkdir()
    (home.root / "nginx" / "desk.pem").write_bytes(certificate(90)[0])
    shutil.copy(home.charter_file, home.public / "charter.toml")
    for signer in signatures.SIGNERS:
        key = home.root / f"{signer}.key"
        key.write_bytes(sshsig.generate_private_openssh())
        (home.public / f"{signer}.pub").write_text(sshsig.public_line(sshsig.load_private(key), signer))
        signatures.sign(home.public / "charter.toml", key, signer)
    for compartment in COMPARTMENTS:
        lay_database(home, compartment)
    keys.create(home)
    create_witness(home.root / "demo/witness", home.public / "witness")
    with serving(home, store_of("ledger")):
        webs = [socketserver.ThreadingUnixStreamServer(str(home.socket(name)), _Web) for name in ("desk", "post")]
        threads = [
            threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True) for web in webs
        ]
        for thread in threads:
            thread.start()
        signatures.enter(home)
        until(lambda: PublicLog(home.public / "ledger").size)
        Witness(Folders(home.root / "demo/witness", home.public / "ledger", home.public / "witness")).look()
        yield home
        for web in webs:
            web.shutdown()
            web.server_close()


def wrong(home: Home) -> dict[str, Check]:
    return {check.name: check for check in checks.run(home) if not check.ok}


def age(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_sound_appliance_is_in_order(sound: Home) -> None:
    assert wrong(sound) == {}
    shown = CliRunner().invoke(status)
    assert shown.exit_code == 0, shown.output
    assert shown.output.endswith("Everything is in order.\n")
    answer = json.loads(CliRunner().invoke(status, ["--json"]).output)
    assert answer["ok"]
    assert {"settings", "charter", "process ledger", "access log", "witness", "directory", "drop cad", "disk"} <= {
        check["name"] for check in answer["checks"]
    }
    assert CliRunner().invoke(doctor).exit_code == 0
    assert json.loads(CliRunner().invoke(doctor, ["--json"]).output) == {"ok": True, "checks": []}


def _stop_desk(home: Home) -> None:
    home.socket("desk").unlink()


def _old_message(home: Home) -> None:
    age(home.spool("ledger", "desk") / ("0" * 12 + "-" + "a" * 32 + ".json"), SPOOL_SECONDS + 60)


def _refused_message(home: Home) -> None:
    age(home.spool("post", "desk") / ".refused" / "x.json", 0)


def _old_drop(home: Home) -> None:
    age(home.drop("cad") / "Smith, John.csv", DROP_SECONDS + 60)


def _no_drop(home: Home) -> None:
    home.drop("cad").rmdir()


def _edited_log(home: Home) -> None:
    bundle = home.public / "ledger" / "tile/entries/000.p/1"
    bundle.write_bytes(bundle.read_bytes().replace(b'"version"', b'"vexsion"'))


def _no_witness(home: Home) -> None:
    (home.public / "witness" / "checkpoint").unlink()


def _alarm(home: Home) -> None:
    (home.public / "witness" / "alarm.json").write_text("{}")


def _old_certificate(home: Home) -> None:
    (home.root / "nginx" / "desk.pem").write_bytes(certificate(3)[0])


def _charter(home: Home) -> None:
    home.charter_file.write_text(home.charter_file.read_text() + "# changed\n")


def _foreign_ca(home: Home) -> None:
    (home.root / "other.pem").write_bytes(certificate(90)[0])
    _settings(home, r'ca_file = ".*"', f'ca_file = "{home.root / "other.pem"}"')


def _no_ca(home: Home) -> None:
    _settings(home, r'ca_file = ".*"', 'ca_file = ""')


def _directory_down(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _settings(home, r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}")


def _settings(home: Home, pattern: str, replacement: str) -> None:
    home.settings_file.write_text(re.sub(pattern, replacement, home.settings_file.read_text()))


def _foreign_key(home: Home) -> None:
    home.key("press").write_text("00" * 32)


def _no_database(home: Home) -> None:
    for path in home.folder("intake").glob("database.db*"):
        path.unlink()


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        (_stop_desk, "process desk", "desk.log"),
        (_old_message, "spool", "Start desk"),
        (_refused_message, "spool refused", ".refused"),
        (_old_drop, "drop cad", "intake.log"),
        (_no_drop, "drop cad", "Make"),
        (_edited_log, "access log", "ledger verify"),
        (_no_witness, "witness", "witness is running"),
        (_alarm, "witness alarm", "Call"),
        (_old_certificate, "certificate desk", "Renew"),
        (_charter, "charter", "signed"),
        (_foreign_ca, "directory", "certificate"),
        (_no_ca, "directory", "ca_file"),
        (_directory_down, "directory", "reachable"),
        (_foreign_key, "database press", "Restore"),
        (_no_database, "database intake", "wardwell migrate"),
    ],
)
def test_each_fault_is_named_with_one_fix(sound: Home, fault: Callable[[Home], None], name: str, words: str) -> None:
    fault(sound)
    found = wrong(sound)
    assert list(found) == [name]
    assert words in found[name].fix
    assert CliRunner().invoke(status).exit_code == 1
    shown = CliRunner().invoke(doctor)
    assert shown.exit_code == 1
    assert shown.output.count("what to do:") == 1
    assert "Smith" not in shown.output + CliRunner().invoke(status).output


def test_a_witness_that_is_late_is_named(sound: Home) -> None:
    with clock.held(clock.now() + datetime.timedelta(hours=25)):
        assert list(wrong(sound)) == ["witness"]


def test_an_appliance_that_is_not_there_and_one_that_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(tmp_path / "nowhere"))
    assert "no appliance" in str(CliRunner().invoke(status).exception)
    monkeypatch.setenv("WARDWELL_HOME", str(tmp_path))
    shown = CliRunner().invoke(doctor)
    assert shown.exit_code == 1
    assert "wardwell.toml is missing" in shown.output


def test_migrate_brings_every_compartment_up_and_may_run_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    first = CliRunner().invoke(migrate)
    assert first.exit_code == 0, first.output
    assert first.output.count("done") == 5
    assert CliRunner().invoke(migrate).output == first.output
    assert all(check.ok for check in databases.check(home))
