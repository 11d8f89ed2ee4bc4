"""A look at the machine: each finding names one thing to do, and nothing is written."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.install import preflight
from provisioning.install.answers import Answers, decode, toml
from tests.support.certificates import Authority
from tests.support.waiting import LOOPBACK

pytestmark = LOOPBACK


@pytest.fixture
def answers(tables: dict[str, Any]) -> Answers:
    tables["address"] = tables["time_server"] = "127.0.0.1"
    tables["directory"]["url"] = "ldaps://127.0.0.1"
    return decode(toml(tables).encode(), "answers.toml")


def _listing(folder: Path) -> list[tuple[str, int]]:
    return [(str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))]


def test_every_finding_that_is_not_pass_says_what_to_do(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_TIMEOUT", 0.05)
    findings = preflight.run(answers)
    assert {"system", "memory", "system disk", "processor", "data disk", "address", "directory", "time"} <= {
        finding.name for finding in findings
    }
    assert all(bool(finding.fix) == (finding.state != "PASS") for finding in findings)


def test_nothing_is_written(answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_TIMEOUT", 0.05)
    monkeypatch.chdir(tmp_path)
    before = _listing(tmp_path)
    preflight.run(answers)
    assert _listing(tmp_path) == before


def test_an_address_of_another_machine_fails() -> None:
    assert preflight._address("127.0.0.1").state == "PASS"
    assert preflight._address("192.0.2.7").state == "FAIL"


def test_a_disk_that_is_none_fails(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    assert preflight._device(str(tmp_path / "disk")).state == "FAIL"
    assert preflight._device("").state == "WARN"


@pytest.fixture
def clock_ahead() -> Iterator[tuple[str, list[float]]]:
    """A time server whose clock is so many seconds ahead; not on port 123, so the port is looked up elsewhere."""
    ahead = [0.0]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            question, asker = server.recvfrom(512)
            if question == b"stop":
                return
            now = time.time() + ahead[0] + 2_208_988_800
            stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
            server.sendto(b"\x24" + bytes(31) + stamp + stamp, asker)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}", ahead
    server.sendto(b"stop", server.getsockname())
    thread.join()
    server.close()


def test_the_clock_is_compared(clock_ahead: tuple[str, list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    address, ahead = clock_ahead
    host, port = address.split(":")
    known = [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (host, int(port)))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: known)
    assert preflight._time("time.example").state == "PASS"
    ahead[0] = 60.0
    finding = preflight._time("time.example")
    assert finding.state == "WARN" and "+60.0 s" in finding.detail
    ahead[0] = -60.0
    assert "-60.0 s" in preflight._time("time.example").detail


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server that shows a certificate of `tmp_path/ca` and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path / "ca").server("127.0.0.1"))
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                if connection.recv(1, socket.MSG_PEEK) == b"q":
                    return
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve)
    thread.start()
    port: int = server.getsockname()[1]
    yield port
    with socket.create_connection(("127.0.0.1", port)) as last:
        last.sendall(b"q")
    thread.join()
    server.close()


def test_the_directory_is_told_apart_down_another_ca_and_no_ldap(
    tables: dict[str, Any], tmp_path: Path, tls_port: int
) -> None:
    def finding(port: int, ca: Path) -> preflight.Finding:
        tables["directory"] |= {"ca_file": str(ca), "url": f"ldaps://127.0.0.1:{port}"}
        return preflight._directory(decode(toml(tables).encode(), "answers.toml"))

    other = Authority(tmp_path / "other").ca_file
    down, wrong, no_ldap = finding(1, other), finding(tls_port, other), finding(tls_port, tmp_path / "ca" / "ca.pem")
    assert (down.state, down.detail) == ("WARN", "127.0.0.1:1 does not answer")
    assert wrong.state == "FAIL" and "its certificate is refused" in wrong.detail
    assert no_ldap.state == "FAIL" and "service account" in no_ldap.detail


def test_without_answers_only_the_machine_is_looked_at() -> None:
    assert {finding.name for finding in preflight.run(None)} == {"system", "memory", "system disk", "processor"}
    assert os.sysconf("SC_PHYS_PAGES") > 0
