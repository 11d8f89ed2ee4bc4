#!/usr/bin/python3 -I
"""Runs one module of Ansible's, with what all modules share taken from where it lies compiled.

Ansible hands a module over as a script that carries the shared code as source: Python would compile some fifty files
again in each of the playbook's 200 steps, which is half of a step's time. The environment that Ansible itself runs in
holds the same files of the same version, compiled. The script comes by standard input, or lies in the file named first.
"""

import sys
from pathlib import Path

_PACKAGES = Path(__file__).parents[2] / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

# Nothing else comes from there: modules need Debian's own packages, such as apt's.
sys.path.append(str(_PACKAGES))
import ansible.module_utils.basic  # noqa: E402
import ansible.modules  # noqa: E402, F401

sys.path.remove(str(_PACKAGES))

# By name, because Python reads a script that comes by standard input one byte at a time.
with open(sys.argv[1] if len(sys.argv) > 1 else "/dev/stdin", encoding="utf-8") as _file:
    _script = _file.read()
exec(compile(_script, "module", "exec"), {"__name__": "__main__"})  # noqa: S102
