"""The drop server as the role sets it up: a real sshd with the rendered settings, and OpenSSH's client against it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance.network import Network
from tests.appliance.rootfs import ADDRESS, ROOT, run

pytestmark = pytest.mark.appliance

ROLE = ROOT / "ansible" / "roles" / "ssh"
INTAKE, FEED, OTHER, DROP = 21_001, 21_002, 21_003, 21_010


@dataclass
class Drop:
    """The running server. `inbox` is where one feed's files arrive."""

    network: Network
    folder: Path
    inbox: Path

    def client(self, program: str, *words: str, user: str = "drop-cad", key: str = "cad") -> list[str]:
        options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        port = ["-P" if program == "sftp" else "-p", "2222"]
        return [
            *self.network.prefix(),
            *(program, "-q", "-F", "none", "-i", str(self.folder / key), *port),
            *(word for option in options for word in ("-o", option)),
            *(words if program == "sftp" else ()),
            f"{user}@{ADDRESS}",
            *(() if program == "sftp" else words),
        ]

    def sftp(self, commands: str, **who: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.client("sftp", "-b", "-", **who),
            input=commands,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )


def _render(folder: Path, feeds: list[dict[str, str]]) -> None:
    names = {"drop_sshd_config.j2": "sshd_config", "drop_prepare.sh.j2": "drop_prepare"}
    tasks = [
        {"ansible.builtin.template": {"src": str(ROLE / "templates" / name), "dest": str(folder / to), "mode": "0755"}}
        for name, to in names.items()
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults" / "main.yml")],
        "vars": {"wardwell_feeds": feeds},
        "tasks": tasks,
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    run(*command, "-e", f"ansible_python_interpreter={sys.executable}", folder / "play.yml")


@pytest.fixture
def drop(network: Network, tmp_path: Path) -> Iterator[Drop]:
    """sshd in a mount namespace where the accounts and /etc/wardwell are an appliance's."""
    folder = tmp_path
    for name in ("cad", "rms", "host_ed25519", "host_rsa"):
        kind = "rsa" if name == "host_rsa" else "ed25519"
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", folder / name)
    secret = run("openssl", "passwd", "-6", "correct horse").strip()
    feeds = [
        {"name": "cad", "profile": "p", "public_key": (folder / "cad.pub").read_text()},
        {"name": "rms", "profile": "p", "password_hash": secret},
    ]
    _render(folder, feeds)
    (folder / "feeds").write_text("cad\nrms\n")
    (folder / "keys").mkdir()
    (folder / "keys" / "drop-cad").write_text((folder / "cad.pub").read_text())
    users = (
        f"drop-cad:x:{FEED}:{DROP}::/nonexistent:/usr/sbin/nologin\ndrop-rms:x:{OTHER}:{DROP}::/:/usr/sbin/nologin\n"
    )
    users += f"wardwell-intake:x:{INTAKE}:{INTAKE}::/nonexistent:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + users)
    (folder / "group").write_text(Path("/etc/group").read_text() + f"drop:x:{DROP}:wardwell-intake\n")
    shadow = f"drop-cad:*:1:0:99999:7:::\ndrop-rms:{secret}:1:0:99999:7:::\n"
    (folder / "shadow").write_text(Path("/etc/shadow").read_text() + shadow)
    (folder / "shadow").chmod(0o600)
    (folder / "state").mkdir()
    # sshd asks of every folder above a feed's root that root alone can write to it.
    for above in (folder, *folder.parents):
        if above == Path("/tmp"):
            break
        above.chmod(0o755)
    for name in ("etc", "etc-work", "lib", "lib-work"):
        (folder / name).mkdir()
    script = f"""
        mount -t overlay none -o lowerdir=/etc,upperdir={folder}/etc,workdir={folder}/etc-work /etc
        mount -t overlay none -o lowerdir=/var/lib,upperdir={folder}/lib,workdir={folder}/lib-work /var/lib
        cp {folder}/passwd {folder}/group {folder}/shadow /etc/ && chmod 600 /etc/shadow
        mkdir -p /run/sshd /etc/wardwell/drop /var/lib/wardwell
        mount --bind {folder}/state /var/lib/wardwell
        cp -r {folder}/keys {folder}/feeds {folder}/sshd_config {folder}/host_* /etc/wardwell/drop/
        chmod 600 /etc/wardwell/drop/host_*
        sh {folder}/drop_prepare
        ulimit -f 2048
        exec ip netns exec {network.appliance} /usr/sbin/sshd -D -e -f /etc/wardwell/drop/sshd_config
    """
    log = folder / "sshd.log"
    with (
        open(log, "wb") as out,
        subprocess.Popen(["unshare", "--mount", "sh", "-ec", script], stdout=out, stderr=out) as server,
    ):
        try:
            for _ in range(100):
                assert server.poll() is None, log.read_text()
                if "listening" in log.read_text():
                    break
                time.sleep(0.1)
            yield Drop(network, folder, folder / "state" / "drop" / "cad" / "in")
        finally:
            server.terminate()


def test_an_export_job_writes_renames_compares_and_sets_the_time(drop: Drop) -> None:
    export = drop.folder / "calls.csv"
    export.write_text("call,unit\n1,E1\n")
    export.chmod(0o600)
    done = drop.sftp(
        "put -p calls.csv calls.csv.part\n"
        "rename calls.csv.part calls.csv\n"
        "chmod 640 calls.csv\n"
        "put calls.csv again.csv.filepart\n"
        "rename again.csv.filepart again.csv\n"
        "put -p calls.csv again.csv\n"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in drop.inbox.iterdir()) == ["again.csv", "calls.csv"]
    arrived = drop.inbox / "calls.csv"
    assert arrived.read_text() == export.read_text()
    assert (arrived.stat().st_uid, arrived.stat().st_gid) == (FEED, DROP)
    assert int(arrived.stat().st_mtime) == int(export.stat().st_mtime)


@pytest.mark.parametrize(
    "command",
    [
        "get calls.csv stolen",
        "ls",
        "ls /",
        "rm calls.csv",
        "mkdir folder",
        "rmdir /in",
        "symlink /etc/passwd link",
        "ln calls.csv hard",
        "put calls.csv /outside.csv",
        "chmod 777 /in",
    ],
)
def test_nothing_but_writing_is_possible(drop: Drop, command: str) -> None:
    (drop.folder / "calls.csv").write_text("call,unit\n1,E1\n")
    assert drop.sftp("put calls.csv").returncode == 0
    before = {path.name: path.read_bytes() for path in drop.inbox.iterdir()}
    done = drop.sftp(command + "\n")
    # The client calls a listing that was refused a success.
    assert done.returncode != 0 or (command == "ls" and "Permission denied" in done.stderr), done.stdout
    assert "calls.csv" not in done.stdout.replace(f"sftp> {command}", "")
    assert {path.name: path.read_bytes() for path in drop.inbox.iterdir()} == before
    assert oct(drop.inbox.stat().st_mode & 0o7777) == "0o2730"


def test_no_shell_no_command_no_forwarding(drop: Drop) -> None:
    def ssh(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(drop.client("ssh", *words), capture_output=True, text=True, timeout=60, check=False)

    assert "sftp connections only" in ssh("id").stdout
    forwarding = drop.client("ssh")
    forwarding[forwarding.index("-q") + 1 : 1] = []
    forwarding.insert(forwarding.index("-q"), "-W127.0.0.1:2222")
    done = subprocess.run(forwarding, capture_output=True, text=True, timeout=60, check=False, input="")
    assert done.returncode != 0
    assert "SSH-2.0" not in done.stdout


def test_a_feed_signs_in_as_itself_alone(drop: Drop) -> None:
    assert drop.sftp("pwd\n").returncode == 0
    assert drop.sftp("pwd\n", user="drop-rms").returncode != 0  # another feed, with this one's key
    assert drop.sftp("pwd\n", key="rms").returncode != 0  # this feed, with a stranger's key
    assert drop.sftp("pwd\n", user="root").returncode != 0


def test_a_feed_may_have_a_password_instead(drop: Drop) -> None:
    def signs_in(password: str, user: str) -> bool:
        words = drop.client("sftp", "-b", "-", user=user)
        words[words.index("BatchMode=yes")] = "PubkeyAuthentication=no"
        # -b switches password prompts off again.
        words[words.index("-b") : words.index("-b") + 2] = []
        done = subprocess.run(
            ["sshpass", "-p", password, *words], input="pwd\n", capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode == 0

    assert signs_in("correct horse", "drop-rms")
    assert not signs_in("wrong", "drop-rms")
    assert not signs_in("correct horse", "drop-cad")


def test_one_file_has_a_largest_size(drop: Drop) -> None:
    (drop.folder / "small.csv").write_bytes(b"x" * 900_000)
    (drop.folder / "large.csv").write_bytes(b"x" * 2_000_000)
    assert drop.sftp("put small.csv\n").returncode == 0
    assert drop.sftp("put large.csv\n").returncode != 0
    assert (drop.inbox / "large.csv").stat().st_size <= 2048 * 512
