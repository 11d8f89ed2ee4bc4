"""The machine that fetches backups: a real sshd with the administration's rendered settings, and OpenSSH's client."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance.network import Network
from tests.appliance.rootfs import ADDRESS, run
from tests.appliance.ssh import listens
from tests.appliance.test_hardening_drop import render
from tests.support.waiting import until

pytestmark = pytest.mark.appliance

ACCOUNT = 21_021


@dataclass
class Fetch:
    """The running server; `backups` is what lies in /var/backups/wardwell."""

    network: Network
    folder: Path
    backups: Path

    def call(self, program: str, *words: str, given: str = "", key: str = "fetch") -> subprocess.CompletedProcess[str]:
        options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        return subprocess.run(
            [
                *self.network.prefix(),
                *(program, "-q", "-F", "none", "-i", str(self.folder / key)),
                *(word for option in options for word in ("-o", option)),
                *(["-b", "-"] if program == "sftp" else []),
                f"backup-pull@{ADDRESS}",
                *words,
            ],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )

    def sftp(self, commands: str, key: str = "fetch") -> subprocess.CompletedProcess[str]:
        return self.call("sftp", given=commands, key=key)


@pytest.fixture(scope="module")
def fetch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetch]:
    """sshd in a mount namespace where account and folder of backups are an appliance's (role ssh, fetch.yml)."""
    folder, network = tmp_path_factory.mktemp("fetch"), Network.make()
    for name in ("fetch", "other", "host"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    render(folder, {"sshd_config.j2": "sshd_config"})
    user = f"backup-pull:x:{ACCOUNT}:{ACCOUNT}::/nonexistent:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + user)
    (folder / "group").write_text(Path("/etc/group").read_text() + f"backup-pull:x:{ACCOUNT}:\n")
    (folder / "shadow").write_text(Path("/etc/shadow").read_text() + "backup-pull:*:1:0:99999:7:::\n")
    backups = folder / "backups-of-the-appliance"
    for name, mode in (("", 0o2750), ("fetched", 0o2770), ("backups", 0o2750), ("backups/000001", 0o2750)):
        (backups / name).mkdir()
        os.chown(backups / name, 0, ACCOUNT)
        (backups / name).chmod(mode)
    manifest = backups / "backups" / "000001" / "manifest.json"
    manifest.write_text("{}")
    manifest.chmod(0o640)
    for above in (folder, *folder.parents):
        if above == Path("/tmp"):
            break
        above.chmod(0o755)
    for name in ("etc", "work"):
        (folder / name).mkdir()
    script = f"""
        mount -t overlay none -o lowerdir=/etc,upperdir={folder}/etc,workdir={folder}/work /etc
        cp {folder}/passwd {folder}/group {folder}/shadow /etc/ && chmod 600 /etc/shadow
        mkdir -p /run/sshd /etc/ssh/authorized_keys /var/backups
        mount -t tmpfs -o mode=755 none /var/backups && mkdir /var/backups/wardwell
        mount --bind {backups} /var/backups/wardwell
        cp {folder}/fetch.pub /etc/ssh/authorized_keys/backup-pull
        cp {folder}/host /etc/ssh/ssh_host_ed25519_key && chmod 600 /etc/ssh/ssh_host_ed25519_key
        exec ip netns exec {network.appliance} /usr/sbin/sshd -D -e -f {folder}/sshd_config
    """
    log = folder / "sshd.log"
    with (
        open(log, "wb") as out,
        subprocess.Popen(["unshare", "--mount", "sh", "-ec", script], stdout=out, stderr=out) as server,
    ):
        try:
            until(lambda: listens(server, log), 60, 0.1, explain=log.read_text)
            yield Fetch(network, folder, backups)
        finally:
            server.terminate()
            server.wait(10)
            network.close()


def test_it_fetches_backups_and_leaves_its_receipt(fetch: Fetch) -> None:
    (fetch.folder / "receipt").touch()
    done = fetch.sftp("get -R backups fetched-copy\nput receipt fetched/000001\n")
    assert done.returncode == 0, done.stderr
    assert (fetch.folder / "fetched-copy" / "000001" / "manifest.json").read_text() == "{}"
    assert (fetch.backups / "fetched" / "000001").exists()
    assert fetch.sftp("pwd\n", key="other").returncode != 0


@pytest.mark.parametrize(
    "command",
    [
        "get /../../etc/passwd stolen",
        "get /etc/passwd stolen",
        "put receipt backups/forged",
        "put receipt backups/000001/manifest.json",
        "rm backups/000001/manifest.json",
        "rename backups/000001 backups/000002",
        "symlink /etc fetched/../link",
    ],
)
def test_it_changes_no_backup_and_sees_nothing_else(fetch: Fetch, command: str) -> None:
    (fetch.folder / "receipt").touch()
    assert fetch.sftp("put receipt fetched/mine\n").returncode == 0  # the control
    before = sorted(str(path) for path in fetch.backups.rglob("*"))
    assert fetch.sftp(f"{command}\n").returncode != 0
    assert not (fetch.folder / "stolen").exists()
    assert sorted(str(path) for path in fetch.backups.rglob("*")) == before
    assert (fetch.backups / "backups" / "000001" / "manifest.json").read_text() == "{}"


def test_it_has_no_shell_and_no_way_on(fetch: Fetch) -> None:
    assert "sftp connections only" in fetch.call("ssh", "id").stdout
    assert "SSH-2.0" not in fetch.call("ssh", "-W", "127.0.0.1:22").stdout
    assert fetch.sftp("pwd\n").returncode == 0  # the control
