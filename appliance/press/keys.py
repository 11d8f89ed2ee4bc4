"""The report key: an Ed25519 key that signs releases and reports (SSHSIG, namespace `wardwell-report`).

Owns: the key file in press's own folder, made at first use, and its public half `public/press/report.pub`.
Must never see: another compartment's key.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import durable
from appliance.crypto import sshsig
from appliance.settings import Home

NAMESPACE = "wardwell-report"
IDENTITY = "wardwell-report"


def key_file(home: Home) -> Path:
    """Where the private half lies; only press's user reads it."""
    return home.folder("press") / "report-key"


def report_key(home: Home) -> Ed25519PrivateKey:
    """The report key; made and its public half published when there is none yet."""
    path = key_file(home)
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was first: then its key is the key
            durable.create(path, sshsig.generate_private_openssh(), mode=0o600)
    private = sshsig.load_private(path)
    line = sshsig.public_line(private, IDENTITY) + "\n"
    public = home.public / "press" / "report.pub"
    if not public.exists() or public.read_text() != line:
        durable.replace(public, line.encode(), mode=0o644)
    return private


def report_public_line(home: Home) -> str:
    """The public half as one OpenSSH line; the key is made when there is none."""
    return sshsig.public_line(report_key(home), IDENTITY)


def allowed_signers(public_line: str) -> str:
    """The line for `ssh-keygen -Y verify -f FILE`: this key may sign in this namespace, and in no other."""
    key_type, key = public_line.split()[:2]
    return f'{IDENTITY} namespaces="{NAMESPACE}" {key_type} {key}'


def verify_command(file: str) -> str:
    """The exact command that checks `file` with OpenSSH alone."""
    return f"ssh-keygen -Y verify -f allowed_signers -I {IDENTITY} -n {NAMESPACE} -s {file}.sig < {file}"


def sign(home: Home, data: bytes) -> bytes:
    """The armored SSHSIG of `data` by the report key."""
    return sshsig.sign(report_key(home), data, NAMESPACE)
