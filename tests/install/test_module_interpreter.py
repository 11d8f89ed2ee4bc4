"""Promise: modules run as Ansible hands them over, with the shared code that its environment holds compiled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "ansible" / "module_interpreter.py"
LOOK = (
    "import sys, json, ansible.module_utils.basic as shared\n"
    "print(json.dumps([shared.__file__, shared.__cached__, sys.path]))\n"
)


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """The interpreter in an installed appliance's layout, with this environment as its own."""
    (tmp_path / "src" / "ansible").mkdir(parents=True)
    (tmp_path / "venv").symlink_to(sys.prefix)
    return Path(shutil.copy(SOURCE, tmp_path / "src" / "ansible"))


def run(interpreter: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([interpreter], input=script, capture_output=True, text=True, check=False)


def test_shared_code_comes_compiled_and_nothing_else_from_there(interpreter: Path) -> None:
    file, cached, path = json.loads(run(interpreter, LOOK).stdout)
    packages = interpreter.parents[2] / "venv/lib/python3.11/site-packages"
    assert file == str(packages / "ansible/module_utils/basic.py")
    assert Path(cached).exists()
    assert str(packages) not in path
    assert run(interpreter, "import pyrage").returncode == 1
    (interpreter.parents[2] / "venv").unlink()
    assert "No module named 'ansible" in run(interpreter, LOOK).stderr  # the control: there is no other place


def test_a_script_ends_as_it_wants(interpreter: Path, tmp_path: Path) -> None:
    assert run(interpreter, "import sys; sys.exit(3)").returncode == 3
    script = tmp_path / "named.py"
    script.write_text("print(__name__, 'é')")
    assert subprocess.run([interpreter, script], capture_output=True, check=True).stdout.decode() == "__main__ é\n"


@pytest.mark.system
def test_a_play_runs_through_it(interpreter: Path, tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ninterpreter_python = {interpreter}\n[connection]\npipelining = True\n"
    )
    tasks = [
        {"ansible.builtin.setup": {"gather_subset": ["!all", "distribution"]}},
        {"ansible.builtin.copy": {"content": "done", "dest": str(tmp_path / "made"), "mode": "0640"}},
        {"ansible.builtin.command": {"argv": ["false"]}},
    ]
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", tmp_path / "play.yml"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert (tmp_path / "made").read_text() == "done"
    assert "ok=2" in done.stdout and "failed=1" in done.stdout, done.stdout
    assert '"non-zero return code"' in done.stdout
