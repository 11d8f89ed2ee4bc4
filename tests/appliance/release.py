"""A release as an agency gets it: the bundle of this tree's commit, signed with release keys of the tests' own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.appliance.rootfs import CACHE, ROOT, lock, run

WARDWELL = ROOT / ".venv" / "bin" / "wardwell"


@dataclass(frozen=True)
class Release:
    """`file` as it is carried in; `fingerprint` of the release key, as it was published elsewhere."""

    file: Path
    fingerprint: str


def keys() -> Path:
    """The folder of the release keys; made once, kept in the cache."""
    folder = CACHE / "release-keys"
    with lock("release-keys"):
        if not folder.exists():
            run(WARDWELL, "bundle", "keys", "--to", folder)
    return folder


def fingerprint() -> str:
    """Of the release key, by OpenSSH's own tool."""
    return run("ssh-keygen", "-lf", keys() / "release.pub").split()[1]


def commit() -> str:
    """The commit that is checked out."""
    return run("git", "-C", ROOT, "rev-parse", "HEAD").strip()


def product() -> str:
    """A digest of all that is at HEAD but tests and docs: what an appliance is made of."""
    listed = run("git", "-C", ROOT, "ls-tree", "HEAD").splitlines()
    made_of = [line for line in listed if line.rpartition("\t")[2] not in ("tests", "docs")]
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()


def release() -> Release:
    """The bundle of HEAD; made when there is none of this commit, from a stored pool.

    What is not committed is not in it, as in a real release.
    """
    target = CACHE / f"wardwell-{commit()[:12]}.bundle"
    release_keys = keys()
    with lock("release"):
        if not target.exists():
            for old in CACHE.glob("wardwell-*.bundle"):
                old.unlink()
            run(WARDWELL, "bundle", "pool", timeout=1200)
            run(WARDWELL, "bundle", "build", "--keys", release_keys, "--out", target, timeout=1200)
    return Release(target, fingerprint())


def later(version: str, folder: Path, broken: dict[str, str] | None = None) -> Path:
    """A bundle of this commit with a higher version; `broken`: path of a file -> a line put before its first."""
    tree, out = folder / f"tree-{version}", folder / f"wardwell-{version}.bundle"
    run("git", "clone", "--quiet", "--shared", ROOT, tree)
    settings = tree / "pyproject.toml"
    settings.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', settings.read_text()))
    for name, line in (broken or {}).items():
        first, _, rest = (tree / name).read_text().partition("\n")
        (tree / name).write_text(f"{line}\n{first}\n{rest}")
    who = ["-c", "user.name=Release", "-c", "user.email=release@harborview.example"]
    run("git", "-C", tree, *who, "commit", "--quiet", "--all", "-m", f"Version {version}")
    # What `pip install` would have left: the version that the bundle takes.
    metadata = tree / "wardwell.egg-info"
    metadata.mkdir()
    (metadata / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: wardwell\nVersion: {version}\n")
    (tree / "webapp/space/node_modules").symlink_to(ROOT / "webapp/space/node_modules")
    pool = ROOT / ".cache" / "bundle-pool"
    command: list[str | Path] = [ROOT / ".venv/bin/python", "-m", "provisioning.cli", "bundle", "build"]
    run("env", "-C", tree, f"PYTHONPATH={tree}", *command, "--pool", pool, "--keys", keys(), "--out", out, timeout=600)
    shutil.rmtree(tree)
    return out


def changed_tree() -> str:
    """What differs from the commit; a developer should know that it is not being proven."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    return subprocess.run(
        ["git", "-C", str(ROOT), "status", "--short"], capture_output=True, text=True, check=True, env=environment
    ).stdout
