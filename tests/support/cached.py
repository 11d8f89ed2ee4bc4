"""What several tests and processes need and one of them makes: folders below `.cache/tests/`, named after a digest.

Owns: that a folder is made once, behind a file lock, and appears whole. Whoever uses it leaves it as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "tests"
_DAY = 86_400


def digest_of(files: Iterable[Path]) -> str:
    """20 hex digits that change with the path or the content of any of `files`, which lie in this checkout."""
    hashed = hashlib.sha256()
    for path in sorted(set(files)):
        content = path.read_bytes()
        hashed.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()[:20]


def cached(name: str, digest: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` filled for this `digest`; made now if nobody did. Versions older than a day are removed.

    Younger ones stay: a run that began before the sources changed may still read them.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"{name}-{digest}"
    with open(CACHE / f"{name}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for old in CACHE.glob(f"{name}-*"):
                if old.stat().st_mtime < time.time() - _DAY:
                    shutil.rmtree(old)
            part = CACHE / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder
