"""The clock's check as the role installs it, against a chronyc that says what the test wants."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.appliance.network import TIME_SERVER
from tests.appliance.rootfs import ROOT, run

pytestmark = pytest.mark.appliance

ROLE = ROOT / "ansible" / "roles" / "time"
# `chronyc -c tracking`: reference id, name, stratum, reference time, system time's offset, …
FOLLOWS = f"0A4D000B,{TIME_SERVER},3,1700000000.0,0.000012,0.0,0.0,0,0,0,0,0,0,Normal"
AHEAD = f"0A4D000B,{TIME_SERVER},3,1700000000.0,3600.4,0.0,0.0,0,0,0,0,0,0,Normal"
NOBODY = "7F7F0101,,0,0.0,0.0,0.0,0.0,0,0,0,0,0,0,Not synchronised"


@pytest.fixture
def check(tmp_path: Path) -> Path:
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults" / "main.yml")],
        "vars": {"wardwell_time_server": TIME_SERVER},
        "tasks": [
            {
                "ansible.builtin.template": {
                    "src": str(ROLE / "templates" / "time_check.sh.j2"),
                    "dest": str(tmp_path / "time_check"),
                    "mode": "0755",
                }
            }
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    run(*command, "-e", f"ansible_python_interpreter={sys.executable}", tmp_path / "play.yml")
    return tmp_path / "time_check"


def asked(
    check: Path, tracking: str, *, synchronised: bool, accepted: bool = False
) -> subprocess.CompletedProcess[str]:
    """What the check says when chronyc says `tracking`."""
    fake = check.parent / "bin" / "chronyc"
    fake.parent.mkdir(exist_ok=True)
    status = 0 if synchronised else 1
    fake.write_text(f"#!/bin/sh\ncase \"$*\" in *waitsync*) exit {status} ;; *) echo '{tracking}' ;; esac\n")
    fake.chmod(0o755)
    accept = "mkdir -p /run/wardwell && touch /run/wardwell/accept-clock" if accepted else ":"
    script = f"mount -t tmpfs none /run && {accept} && PATH={fake.parent}:$PATH exec sh {check} 1"
    return subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)


def test_a_clock_that_follows_the_server_is_the_agencys(check: Path) -> None:
    done = asked(check, FOLLOWS, synchronised=True)
    assert (done.returncode, TIME_SERVER in done.stdout) == (0, True)


def test_a_skewed_clock_is_refused_with_the_difference(check: Path) -> None:
    done = asked(check, AHEAD, synchronised=False)
    assert done.returncode == 1
    assert "3600.4 s" in done.stdout
    assert "What to do" in done.stdout


def test_a_silent_server_is_refused_as_that(check: Path) -> None:
    done = asked(check, NOBODY, synchronised=False)
    assert done.returncode == 2
    assert "does not answer" in done.stdout
    assert "accept-clock" in done.stdout


@pytest.mark.parametrize("tracking", [AHEAD, NOBODY])
def test_who_is_at_the_machine_may_accept_it(check: Path, tracking: str) -> None:
    assert asked(check, tracking, synchronised=False, accepted=True).returncode == 0
