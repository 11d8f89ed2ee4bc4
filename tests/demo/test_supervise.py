"""Stopping ends exactly what was started: nothing more, nothing less, also after supervisord was killed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from appliance.settings import Home
from provisioning import supervise
from provisioning.supervise import COMPARTMENT_PARTS, Supervisor
from tests.support.waiting import until


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_every_compartment_has_its_part_and_no_web_server_logs(tmp_path: Path) -> None:
    parts = ("directory", *COMPARTMENT_PARTS, "witness", "front")
    text = supervise.render(Home(tmp_path), parts, {"nginx": ["/usr/sbin/nginx"], "slapd": ["/usr/sbin/slapd"]})
    for program in ("ledger", "witness", "desk", "desk-work", "post", "post-work", "intake", "press", "nginx", "slapd"):
        assert f"[program:{program}]" in text
    assert "access-log" not in text and "--preload" not in text
    assert text.count("stdout_logfile_maxbytes") == text.count("[program:")


@pytest.mark.system
def test_stop_ends_what_was_started_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path)
    supervisor = Supervisor(home)
    assert supervisor.stop() == 0  # harmless when nothing runs
    bystander = subprocess.Popen(["sleep", "60"])
    configuration = supervise.render(home, (), {}) + "[program:nap]\ncommand=sleep 60\n"
    try:
        supervisor.start(configuration, "code")
        assert supervisor.runs(configuration, "code")
        assert not supervisor.runs(configuration, "other code")
        until(lambda: supervisor.states().get("nap") == "RUNNING")
        assert supervisor.states() == {"nap": "RUNNING"}
        pids = supervisor._ours()
        assert len(pids) == 2
        # Kill supervisord itself: its child is left behind, and still found.
        os.kill(int((home.run / "supervisord.pid").read_text()), signal.SIGKILL)
        until(lambda: len(supervisor._ours()) == 1)
        assert supervisor.stop() == 1
        assert not any(alive(pid) for pid in pids)
        assert bystander.poll() is None
    finally:
        supervisor.stop()
        bystander.kill()
        bystander.wait()
