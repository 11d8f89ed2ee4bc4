"""The demonstration's release of the private space: the built manifest, signed by a release key of its own.

Owns: `demo/release/` (what a union's technician would take from a bundle) and `demo/keys/release`. Must never see: a
real release key; those stay with whoever makes releases (provisioning/bundle/keys.py).
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from appliance.crypto import sshsig
from appliance.kit.web_manifest import NAMESPACE
from appliance.settings import Home
from provisioning.build_space import DIST
from provisioning.build_space import MANIFEST as BUILT
from provisioning.bundle.build import SPACE_MANIFEST


def lay(home: Home) -> None:
    """Lay the manifest of what is built now, its signature and the public key."""
    key, folder = home.root / "demo" / "keys" / "release", home.root / "demo" / "release"
    if not key.exists():
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sshsig.generate_private_openssh())
    private, content = sshsig.load_private(key), (DIST / BUILT).read_bytes()
    folder.mkdir(exist_ok=True)
    (folder / "release.pub").write_text(sshsig.public_line(private, "demonstration-release") + "\n")
    (folder / SPACE_MANIFEST).write_bytes(content)
    (folder / f"{SPACE_MANIFEST}.sig").write_bytes(sshsig.sign(private, content, NAMESPACE))


def check_command(home: Home) -> str:
    """What a technician types to compare the running private space with this release."""
    demo = home.root / "demo"
    options = {
        "manifest": demo / "release" / SPACE_MANIFEST,
        "key": demo / "release" / "release.pub",
        "site-key": home.public / "trustee.pub",
        "agency-key": home.public / "agency.pub",
        "ca": demo / "ca.pem",
    }
    here = Path.cwd()
    words = [f"--{name} {shlex.quote(str(_short(path, here)))}" for name, path in options.items()]
    return " ".join((f"wardwell kit web-check https://{home.settings().hosts.space}/", *words))


def _short(path: Path, here: Path) -> Path:
    return path.relative_to(here) if path.is_relative_to(here) else path
