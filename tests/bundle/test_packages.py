"""What the playbook installs is in the bundle: on the appliance there is nowhere else to get it from."""

from __future__ import annotations

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


def _wanted(roles: Path) -> dict[str, str]:
    """Debian package -> the role that installs it."""
    wanted = {}
    for path in sorted(roles.glob("*/tasks/*.yml")):
        defaults = path.parents[1] / "defaults" / "main.yml"
        values = yaml.safe_load(defaults.read_text()) if defaults.exists() else {}
        for task in _tasks(yaml.safe_load(path.read_text()) or []):
            module = task.get("ansible.builtin.apt", {})
            if module.get("state", "present") == "absent":
                continue
            names = module.get("name", [])
            if isinstance(names, str):
                # `{{ base_packages }}`: the whole value of one variable.
                names = values[names.strip("{} ")] if names.startswith("{{") else [names]
            wanted |= dict.fromkeys(names, path.parents[1].name)
    return wanted


def test_every_package_of_a_role_is_in_the_list() -> None:
    wanted = _wanted(ROLES)
    assert {"nftables", "chrony", "auditd", "sudo"} <= wanted.keys()
    assert {name: role for name, role in wanted.items() if name not in pool.names()} == {}


def test_a_role_that_wants_more_is_noticed(tmp_path: Path) -> None:
    tasks = tmp_path / "roles" / "mail" / "tasks" / "main.yml"
    tasks.parent.mkdir(parents=True)
    tasks.write_text(
        "- name: Outer\n  block:\n    - name: Inner\n      ansible.builtin.apt:\n        name: [postfix]\n"
    )
    assert _wanted(tmp_path / "roles") == {"postfix": "mail"}


def test_nothing_of_the_demonstration_or_the_workshop_is_in_the_list() -> None:
    listed = set(pool.names())
    assert "nginx-light" in listed
    assert not listed & {"slapd", "chromium", "gcc", "python3-dev", "ldap-utils"}
    assert not [name for name in listed if name.endswith("-dev")]
