"""Promise: shell scripts and roles have no finding of shellcheck, or of ansible-lint's strictest profile.

Each control has the fault that the linter is there for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def shellcheck(*scripts: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)


def ansible_lint(*paths: str | Path) -> subprocess.CompletedProcess[str]:
    # By the configuration of the project: the production profile, warnings as errors, no network.
    return subprocess.run(
        [BIN / "ansible-lint", "--offline", "-c", ROOT / ".ansible-lint", *paths],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"},
    )


def test_shell_scripts_have_no_finding(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "grep", "-lE", r"^#!/(usr/)?bin/(env )?(ba)?sh"], capture_output=True, cwd=ROOT)
    scripts = [ROOT / name for name in listed.stdout.decode().split() if not name.endswith((".j2", ".py"))]
    assert {"install.sh", "bootstrap.sh", "sign.sh", "run"} <= {path.name for path in scripts}
    done = shellcheck(*scripts)
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "bad.sh"
    bad.write_text('#!/bin/sh\nrm -rf "$1"/* $2\n')
    assert "SC2086" in shellcheck(bad).stdout


def test_roles_pass_the_production_profile(tmp_path: Path) -> None:
    done = ansible_lint("ansible")
    assert done.returncode == 0, done.stdout + done.stderr
    play = tmp_path / "play.yml"
    play.write_text("---\n- name: Bad\n  hosts: all\n  tasks:\n    - name: Run\n      ansible.builtin.shell: ls\n")
    assert "no-changed-when" in ansible_lint(play).stdout
