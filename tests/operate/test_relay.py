"""Health events leave only when a host is named, only from the list, only over TLS, and are not lost."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from appliance.errors import WardwellError
from appliance.health import checks, room
from appliance.health.check import wrong
from appliance.operate import relay
from appliance.settings import Home
from provisioning.cli import wardwell
from tests.support.certificates import Authority
from tests.support.waiting import LOOPBACK

pytestmark = LOOPBACK

AT = datetime(2026, 3, 1, 2, 3, 4, tzinfo=UTC)
HOST = "logs.agency.example"
WRONG = relay.Health(AT, {"disk": False, "witness": True})


class Listener:
    """A TCP server for one connection at a time; `talk` has it and returns what it heard."""

    def __init__(self, talk: Callable[[socket.socket], bytes], greeting: bytes = b"") -> None:
        self._heard: queue.Queue[bytes] = queue.Queue()
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._talk = talk
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def heard(self) -> bytes:
        """What the next connection said, once it has ended."""
        return self._heard.get(timeout=5)

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(5)
                connection.sendall(self._greeting)
                if connection.recv(1, socket.MSG_PEEK) == b"\0":
                    return
                # A client that refuses our certificate ends the handshake: that is the test's own concern.
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    self._heard.put(self._talk(connection))

    def stop(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"\0")
        self._thread.join()
        self._socket.close()


def _context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain, key = authority.server("127.0.0.1", HOST)
    context.load_cert_chain(chain, key)
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def syslog(authority: Authority) -> Iterator[Listener]:
    def talk(plain: socket.socket) -> bytes:
        with _context(authority).wrap_socket(plain, server_side=True) as secured:
            heard = b""
            while more := secured.recv(4096):
                heard += more
            with contextlib.suppress(OSError):
                secured.unwrap()
            return heard

    listener = Listener(talk)
    yield listener
    listener.stop()


@pytest.fixture
def mail(authority: Authority) -> Iterator[Listener]:
    """A mail relay that speaks just enough SMTP, and takes no message before TLS."""
    listener = Listener(lambda plain: _smtp(plain, _context(authority)), b"220 mail\r\n")
    yield listener
    listener.stop()


def _smtp(connection: socket.socket, context: ssl.SSLContext) -> bytes:
    file = connection.makefile("rb")
    while line := file.readline():
        word = line.split()[0].upper()
        if word == b"EHLO":
            connection.sendall(b"250-mail\r\n250 STARTTLS\r\n")
        elif word == b"STARTTLS":
            connection.sendall(b"220 go\r\n")
            file.close()
            connection = context.wrap_socket(connection, server_side=True)
            file = connection.makefile("rb")
        elif word == b"DATA":
            if not isinstance(connection, ssl.SSLSocket):
                return b"sent in the clear"
            connection.sendall(b"354 go\r\n")
            body = b""
            while (line := file.readline()) != b".\r\n":
                body += line
            connection.sendall(b"250 taken\r\n")
        elif word == b"QUIT":
            connection.sendall(b"221 bye\r\n")
            connection.close()
            return body
        else:
            connection.sendall(b"250 yes\r\n")
    return b"ended early"


def _to_syslog(authority: Authority, port: int, host: str = HOST) -> relay.Relay:
    return relay.Relay(syslog=relay.Syslog(host, str(authority.ca_file), "127.0.0.1", port))


def test_a_change_is_sent_once_and_its_end_once(tmp_path: Path, authority: Authority, syslog: Listener) -> None:
    to, sent = _to_syslog(authority, syslog.port), tmp_path / "sent.json"
    assert relay.run(to, WRONG, sent) == 1
    assert relay.run(to, WRONG, sent) == 0
    assert relay.run(to, relay.Health(AT, {"disk": True, "witness": True}), sent) == 1
    words = "disk: not in order, `wardwell doctor` says what to do"
    message = f"<108>1 2026-03-01T02:03:04Z wardwell wardwell - health - {words}".encode()
    assert syslog.heard() == f"{len(message)} ".encode() + message
    again = syslog.heard()
    assert b"<110>1" in again
    assert again.endswith(b"disk: in order again")


def test_a_host_with_another_name_or_authority_gets_nothing(
    tmp_path: Path, authority: Authority, syslog: Listener
) -> None:
    sent = tmp_path / "sent.json"
    with pytest.raises(ssl.SSLError):
        relay.run(_to_syslog(authority, syslog.port, "other.agency.example"), WRONG, sent)
    with pytest.raises(ssl.SSLError):
        relay.run(_to_syslog(Authority(tmp_path / "other"), syslog.port), WRONG, sent)
    # Not lost: what failed is still news. It is also the first thing that the host hears.
    later = relay.Health(AT.replace(hour=9), WRONG.ok)
    assert relay.run(_to_syslog(authority, syslog.port), later, sent) == 1
    assert b"T09:03:04Z" in syslog.heard()


def test_mail_goes_over_tls_with_nothing_but_headings(tmp_path: Path, authority: Authority, mail: Listener) -> None:
    ca, sender, recipients = str(authority.ca_file), "wardwell@agency.example", ["it@agency.example"]
    to = relay.Smtp(HOST, ca, sender, recipients, "127.0.0.1", mail.port)
    assert relay.run(relay.Relay(smtp=to), WRONG, tmp_path / "sent.json") == 1
    heard = mail.heard()
    assert b"disk: not in order" in heard
    assert b"Subject: Wardwell: something is not in order" in heard


def test_only_listed_events_leave(tmp_path: Path) -> None:
    health = relay.Health(AT, {"disk": False, "witness": False, "officer Delgado": False})
    assert relay.changes({}, health, ["disk"]) == {"disk": False}
    assert relay.changes({}, health, []) == {"disk": False, "witness": False}
    # Nothing is said about what was never wrong.
    assert relay.changes({}, relay.Health(AT, {"disk": True}), []) == {}


def test_a_check_in_words_is_only_yes_or_no_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "CHECKS", {"disk": "room"})
    monkeypatch.setattr(room, "check", lambda _home: [wrong("drop Delgado", "Delgado", "Delgado")])
    seen = relay.observe(Home(tmp_path))
    assert seen.ok == {"disk": False}
    assert b"Delgado" not in msgspec.json.encode(seen)


def test_settings_with_an_unknown_event_or_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "relay.toml"
    path.write_text('events = ["disks"]\n')
    with pytest.raises(WardwellError, match="no event 'disks'"):
        relay.read(path)
    path.write_text('event = ["disk"]\n')
    with pytest.raises(WardwellError, match="unknown field"):
        relay.read(path)
    path.write_text('events = ["disk"]\n[syslog]\nhost = "a"\nca_file = "b"\n')
    assert relay.read(path).syslog == relay.Syslog("a", "b")


def test_the_two_commands_meet_in_one_file(tmp_path: Path, authority: Authority, syslog: Listener) -> None:
    health, settings = tmp_path / "health.json", tmp_path / "relay.toml"
    environment = {"WARDWELL_HOME": str(tmp_path / "none"), "STATE_DIRECTORY": str(tmp_path)}
    runner = CliRunner(env=environment)
    assert runner.invoke(wardwell, ["relay", "observe", "--to", str(health)]).exit_code == 0
    settings.write_text(
        f'events = ["settings"]\n[syslog]\nhost = "{HOST}"\naddress = "127.0.0.1"\nport = {syslog.port}\n'
        f'ca_file = "{authority.ca_file}"\n'
    )
    arguments = ["relay", "send", "--settings", str(settings), "--health", str(health)]
    result = runner.invoke(wardwell, arguments, catch_exceptions=False)
    assert result.output == "1 events sent\n"
    assert b"settings: not in order" in syslog.heard()
    syslog_port_closed = settings.read_text().replace(str(syslog.port), "1")
    settings.write_text(syslog_port_closed)
    (tmp_path / "sent.json").unlink()
    with pytest.raises(WardwellError, match="did not take"):
        runner.invoke(wardwell, arguments, catch_exceptions=False)
