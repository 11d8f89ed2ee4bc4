"""The release keys: one for each tool that a receiver may check a bundle with.

Owns: the folder that holds them (`release`, `release.minisign`, `release.gpg`, and the public half of each). Must never
see: an appliance; the folder stays with whoever makes releases. All three make equal signatures of equal bytes (Ed25519
is deterministic), so that a bundle can be built twice and compared.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from appliance.crypto import sshsig
from appliance.errors import WardwellError

# An OpenPGP key carries the time at which it was made; a signature may not be older.
_KEY_TIME = "20240101T000000"
_NAMES = ("release", "release.pub", "release.minisign", "release.minisign.pub", "release.gpg", "release.gpg.pub")


def make(folder: Path) -> str:
    """Make the three keys in the new folder; returns the first one's fingerprint, to be published. Never overwrites."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise WardwellError(f"{folder} exists already.", "Name another folder; release keys are made once.") from None
    (folder / "release").touch(0o600)
    (folder / "release").write_bytes(sshsig.generate_private_openssh())
    line = sshsig.public_line(sshsig.load_private(folder / "release"), "wardwell-release")
    (folder / "release.pub").write_text(line + "\n")
    _run(
        ["minisign", "-G", "-W", "-p", str(folder / "release.minisign.pub"), "-s", str(folder / "release.minisign")],
        folder,
    )
    with _gnupg() as gpg:
        kind = ["--quick-generate-key", "Wardwell release", "ed25519", "sign", "never"]
        _run([*gpg, "--faked-system-time", _KEY_TIME, "--passphrase", "", *kind], folder)
        (folder / "release.gpg").touch(0o600)
        (folder / "release.gpg").write_bytes(_run([*gpg, "--export-secret-keys"], folder))
        (folder / "release.gpg.pub").write_bytes(_run([*gpg, "--export"], folder))
    return sshsig.fingerprint(line)


def check(folder: Path) -> None:
    """Raise WardwellError when a key is missing."""
    missing = [name for name in _NAMES if not (folder / name).is_file()]
    if missing:
        raise WardwellError(f"{folder} lacks {missing[0]}.", "Make release keys: `wardwell bundle keys --to FOLDER`.")


def sign_minisign(folder: Path, file: Path, comment: str) -> None:
    """Write `FILE.minisig`; `comment` is the trusted comment, which minisign would fill with the time."""
    _run(
        ["minisign", "-S", "-s", str(folder / "release.minisign"), "-m", str(file), "-t", comment, "-c", comment],
        folder,
    )


def sign_release(folder: Path, release: Path, at: datetime) -> None:
    """Write `InRelease` beside apt's `Release`, signed as of `at`."""
    with _gnupg() as gpg:
        _run([*gpg, "--import", str(folder / "release.gpg")], folder)
        moment = at.strftime("%Y%m%dT%H%M%S")
        out = str(release.with_name("InRelease"))
        _run([*gpg, "--faked-system-time", moment, "--output", out, "--clearsign", str(release)], folder)


@contextmanager
def _gnupg() -> Iterator[list[str]]:
    """The command gpg with a temporary home, which is removed afterwards, and its agent stopped."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        yield ["gpg", "--homedir", home, "--batch", "--quiet", "--yes"]
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True)


def _run(command: list[str], folder: Path) -> bytes:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        error = done.stderr.decode(errors="replace").strip()[-400:]
        raise WardwellError(f"{command[0]} failed: {error}", "Check that it is installed and the key is complete.")
    return done.stdout
