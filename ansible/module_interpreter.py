#!/usr/bin/python3 -I
"""Runs an Ansible module with the code that all modules share taken, compiled, from Ansible's own environment.

Ansible sends a module as a script that contains the shared code as source: Python would compile some fifty files again
in each of the playbook's 200 steps, which is half of a step's time. The environment that Ansible itself runs in has the
same files of the same version, compiled. The script is read from the file in the first argument or standard input.
"""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).parents[2] / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

# Nothing else is taken from there: modules need Debian's own packages, such as python3-apt.
sys.path.append(str(_PACKAGES))
import ansible.module_utils.basic  # noqa: E402
import ansible.modules  # noqa: E402, F401

sys.path.remove(str(_PACKAGES))

# Opened by name, because Python would read standard input one byte at a time.
with open(sys.argv[1] if len(sys.argv) > 1 else "/dev/stdin", encoding="utf-8") as _file:
    _script = _file.read()
exec(compile(_script, "module", "exec"), {"__name__": "__main__"})  # noqa: S102
