"""The agency's CAD export job: files into the drop server over SFTP, as different programs do it."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import clock
from tests.appliance.agency import Agency
from tests.appliance.rootfs import ADDRESS
from tests.demonstration import cad_csv
from tests.demonstration.calls import CRITICAL_KINDS, critical_call

PORT = 2222


def write_files(agency: Agency, folder: Path) -> list[Path]:
    """Yesterday's export, and one with a critical incident of three hours ago that the officer attended."""
    now = clock.now().astimezone(ZoneInfo("America/Los_Angeles")).replace(tzinfo=None)
    folder.mkdir(parents=True, exist_ok=True)
    cad_csv.write_history(agency.people, folder, now.date(), 1)
    received = (now - timedelta(hours=3)).replace(second=0, microsecond=0)
    call = critical_call(agency.people, received, 901, CRITICAL_KINDS["officer-involved-shooting"])
    cad_csv.put(folder / f"cad_export_{now:%Y%m%d_%H%M%S}.csv", cad_csv.render([cad_csv.row(call, complete=True)]))
    return sorted(folder.glob("*.csv"))


def sftp(
    agency: Agency, commands: str, *, user: str = "drop-cad", key: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """OpenSSH's own client, with a batch of commands."""
    known = agency.folder / "drop-known-hosts"
    return subprocess.run(
        [
            *agency.network.prefix(),
            *("sftp", "-q", "-F", "none", "-P", str(PORT), "-i", str(key or agency.feed_key()), "-b", "-"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={known}"),
            *("-o", "IdentitiesOnly=yes", f"{user}@{ADDRESS}"),
        ],
        input=commands,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def plainly(agency: Agency, path: Path) -> subprocess.CompletedProcess[str]:
    """Put under a temporary name, then renamed."""
    return sftp(agency, f"put {path} {path.name}.part\nrename {path.name}.part {path.name}\n")


def fussily(agency: Agency, path: Path) -> None:
    """As graphical clients do it: a temporary name, `stat` of both, times and mode set, renamed, `stat` again."""
    import paramiko

    known = paramiko.Ed25519Key.from_private_key_file(str(agency.feed_key()))
    with agency.network.entered():
        transport = paramiko.Transport((ADDRESS, PORT))
    try:
        transport.connect(username="drop-cad", pkey=known)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client
        part = f"{path.name}.filepart"
        client.put(str(path), part, confirm=True)
        assert client.stat(part).st_size == path.stat().st_size
        client.utime(part, (path.stat().st_atime, path.stat().st_mtime))
        client.chmod(part, 0o644)
        client.rename(part, path.name)
        assert client.stat(path.name).st_mtime == int(path.stat().st_mtime)
    finally:
        transport.close()
