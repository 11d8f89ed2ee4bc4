"""A browser of the demonstration: Chromium with a fresh profile and a scratch HOME that trusts the demonstration's CA.

Owns: the scratch HOME and its certificate database. Must never see: a flag that ignores certificates; with one, the
service worker would not register and nothing would be proven.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from appliance.errors import WardwellError

CHROMIUM = "/usr/bin/chromium"
# A machine without internet: nothing of the browser's own may try to reach it.
QUIET_FLAGS = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-default-browser-check",
    "--disable-quic",
    "--disable-gpu",
)


def flags() -> list[str]:
    """Flags for this user: Chromium's sandbox does not start as root."""
    return [*QUIET_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def trusting_home(folder: Path, ca_file: Path) -> Path:
    """Make `folder` a HOME whose certificate database trusts the CA at `ca_file` for web sites; returns it."""
    database = folder / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    where = f"sql:{database}"
    for arguments in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "wardwell-demonstration", "-i", str(ca_file)],
    ):
        try:
            done = subprocess.run(["certutil", "-d", where, *arguments], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise WardwellError("certutil is not installed.", "Run `make setup` (libnss3-tools).") from None
        if done.returncode:
            raise WardwellError("The browser's certificate database could not be made.", done.stderr.strip()[-200:])
    return folder


def open_browser(folder: Path, ca_file: Path, addresses: list[str]) -> subprocess.Popen[bytes]:
    """Start Chromium on `addresses`, each in a tab. Raises WardwellError without a screen or without Chromium."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise WardwellError(
            "There is no screen here to open a browser on.",
            f"On a machine with one, let its browser trust {ca_file} and open {addresses[0]}.",
        )
    if not Path(CHROMIUM).exists():
        raise WardwellError("Chromium is not installed.", "Run `make setup`.")
    home = trusting_home(folder, ca_file)
    return subprocess.Popen(
        [CHROMIUM, *flags(), f"--user-data-dir={home / 'profile'}", *addresses],
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
