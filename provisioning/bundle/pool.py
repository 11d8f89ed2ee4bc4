"""The pool of packages that bundles are built from: Debian packages and Python wheels, fetched once.

Owns: `<pool>/debs`, `<pool>/wheels` and a digest of the lists that they were fetched for. Must never see: an appliance.
Filling needs root and the package sources that this machine uses; building from a filled pool needs neither.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from appliance import durable
from appliance.errors import WardwellError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(__file__).with_name("packages.txt")
LOCK = ROOT / "provisioning" / "locks" / "requirements.txt"
SUITE = "bookworm"
# To be increased when the steps below change while the lists do not.
RECIPE = 2
# Wheels that are compiled here carry this time, so that the same sources give the same bytes (SOURCE_DATE_EPOCH).
_BUILD_TIME = "1700000000"
# Debug information would contain the path of the folder in which a wheel is compiled.
_COMPILER = "-g0"

Say = Callable[[str], None]


def names() -> list[str]:
    """The Debian packages that are asked for by name."""
    lines = (line.partition("#")[0] for line in PACKAGES.read_text().splitlines())
    return [word for line in lines for word in line.split()]


def key() -> str:
    """A digest of what decides a pool's content: the two lists and the recipe."""
    parts = (str(RECIPE).encode(), PACKAGES.read_bytes(), LOCK.read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_filled(pool: Path) -> bool:
    """Whether `pool` holds what the lists of this tree ask for."""
    stamp = pool / "filled-for"
    return stamp.exists() and stamp.read_text() == key()


def fill(pool: Path, say: Say) -> None:
    """Fetch everything, unless the pool is filled. Raises WardwellError when a source does not deliver."""
    pool.parent.mkdir(parents=True, exist_ok=True)
    # A second process waits here, and then has nothing to do.
    with durable.locked(pool.with_name(f"{pool.name}.lock")):
        if not is_filled(pool):
            _fill(pool, say)


def _fill(pool: Path, say: Say) -> None:
    unfinished = pool.with_name(pool.name + ".making")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    say("fetching Debian packages with all they depend on, beyond a minimal Debian 12")
    _debs(unfinished / "debs")
    say("fetching Python packages by hash, compiling those that come as source")
    wheels(unfinished / "wheels")
    (unfinished / "filled-for").write_text(key())
    shutil.rmtree(pool, ignore_errors=True)
    unfinished.rename(pool)


def _debs(folder: Path) -> None:
    folder.mkdir()
    fetch = f'chroot "$1" apt-get -y -qq --download-only --no-install-recommends install {" ".join(names())}'
    hooks = [fetch, f'cp "$1"/var/cache/apt/archives/*.deb {folder}/']
    # "null" makes a root, runs the hooks in it and keeps nothing: what apt fetches is what that minimal root lacks.
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=null"]
    command += [f"--customize-hook={hook}" for hook in hooks]
    _run([*command, SUITE, "/dev/null"], "Run it as root, with mmdebstrap installed and the package source reachable.")
    for path in folder.glob("*.deb"):
        # apt escapes the colon after an epoch in its file names; ours do without it.
        path.rename(folder / path.name.replace("%3a", "-"))


def wheels(folder: Path, lock: Path = LOCK) -> None:
    """Put a wheel of everything in `lock` into `folder`, compiling what comes as source, with the same bytes each time.

    Nothing is taken from pip's cache, which may have a wheel that was compiled in another way.
    """
    pip = [sys.executable, "-m", "pip"]
    common = ["--quiet", "--require-hashes", "--no-deps", "--no-build-isolation", "--no-cache-dir", "-r", str(lock)]
    _run([*pip, "wheel", *common, "--wheel-dir", str(folder)], "Check that the package registry is reachable.")


def _run(command: list[str], fix: str) -> None:
    pinned = {"SOURCE_DATE_EPOCH": _BUILD_TIME, "CFLAGS": _COMPILER, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment = {**os.environ, **pinned}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        output = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise WardwellError(f"{command[0]} failed: {output}", fix)
