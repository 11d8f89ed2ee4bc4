"""What the playbook installs is in the bundle: on the appliance there is nowhere else to get it from."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from provisioning.bundle import pool

ROLES = pool.ROOT / "ansible" / "roles"


def _tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part, []))


def _installing(roles: Path) -> list[tuple[str, Any]]:
    """Role and value of `name` of every task that installs Debian packages."""
    found = []
    for path in sorted(roles.glob("*/tasks/*.yml")):
        for task in _tasks(yaml.safe_load(path.read_text()) or []):
            module = task.get("ansible.builtin.apt", {})
            if module and module.get("state", "present") != "absent":
                found.append((path.parents[1].name, module["name"]))
    return found


def test_the_one_list_is_all_that_is_installed() -> None:
    assert _installing(ROLES) == [("base", "{{ base_packages }}")]


def test_a_role_that_wants_more_is_noticed(tmp_path: Path) -> None:
    tasks = tmp_path / "roles" / "mail" / "tasks" / "main.yml"
    tasks.parent.mkdir(parents=True)
    tasks.write_text(
        "- name: Outer\n  block:\n    - name: Inner\n      ansible.builtin.apt:\n        name: [postfix]\n"
    )
    assert _installing(tmp_path / "roles") == [("mail", ["postfix"])]


def test_the_role_reads_the_bundles_list(tmp_path: Path) -> None:
    (tmp_path / "ansible").mkdir()
    (tmp_path / "provisioning" / "bundle").mkdir(parents=True)
    shutil.copy(pool.PACKAGES, tmp_path / "provisioning" / "bundle")
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLES / "base" / "defaults" / "main.yml")],
        "tasks": [{"ansible.builtin.debug": {"msg": "found: {{ base_packages | join(' ') }}."}}],
    }
    (tmp_path / "ansible" / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    said = subprocess.check_output([*command, tmp_path / "ansible" / "play.yml"], text=True)
    assert f"found: {' '.join(pool.names())}." in said


def test_nothing_of_the_demonstration_or_the_workshop_is_in_the_list() -> None:
    listed = set(pool.names())
    assert "nginx-light" in listed
    assert not listed & {"slapd", "chromium", "gcc", "python3-dev", "ldap-utils"}
    assert not [name for name in listed if name.endswith("-dev")]
