"""Unit tests open no INET socket: pytest-socket is set up in pyproject.toml, and here it is seen to work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

INET = "socket.create_server(('127.0.0.1', 0)).close()"
UNIX = "socket.socket(socket.AF_UNIX).close()"


def outcome(folder: Path, body: str, decorator: str = "") -> str:
    """What pytest says of one small test, run with this repository's settings and conftest."""
    file = folder / "test_one.py"
    file.write_text(f"import pytest, socket\n\n{decorator}\ndef test_one():\n    {body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return "passed" if done.returncode == 0 else done.stdout


def test_a_unit_test_that_opens_an_inet_socket_fails(tmp_path: Path) -> None:
    assert "SocketBlockedError" in outcome(tmp_path, INET)


def test_a_unit_test_may_open_a_unix_socket(tmp_path: Path) -> None:
    assert outcome(tmp_path, UNIX) == "passed"


def test_a_system_test_may_open_an_inet_socket(tmp_path: Path) -> None:
    assert outcome(tmp_path, INET, "@pytest.mark.system") == "passed"


def test_a_unit_test_about_a_server_reaches_loopback_only(tmp_path: Path) -> None:
    marked = "from tests.support.waiting import LOOPBACK\n@LOOPBACK"
    assert outcome(tmp_path, INET, marked) == "passed"
    assert "SocketConnectBlockedError" in outcome(tmp_path, "socket.create_connection(('192.0.2.1', 9), 1)", marked)
