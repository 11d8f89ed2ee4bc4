"""The drop server as the role sets it up: a real sshd with the rendered settings, and OpenSSH's client against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance.network import Network
from tests.appliance.rootfs import ADDRESS, ROOT, run
from tests.appliance.ssh import listens
from tests.support.waiting import until

pytestmark = pytest.mark.appliance

ROLE = ROOT / "ansible" / "roles" / "ssh"
INTAKE, FEED, OTHER, WITNESS, DROP, PUBLIC = 21_001, 21_002, 21_003, 21_004, 21_010, 21_011


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


SERVER = {"drop_sshd_config.j2": "sshd_config", "drop_prepare.sh.j2": "drop_prepare"}


def render(folder: Path, names: dict[str, str], **variables: object) -> None:
    tasks = [
        {"ansible.builtin.template": {"src": str(ROLE / "templates" / name), "dest": str(folder / to), "mode": "0755"}}
        for name, to in names.items()
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults" / "main.yml")],
        "vars": variables,
        "tasks": tasks,
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    run(*command, "-e", f"ansible_python_interpreter={sys.executable}", folder / "play.yml")


def _publish(state: Path) -> None:
    """What the witness may see, with the owners and modes of appliance/layout.py, and beside it what it may not."""
    for name, owner in (("public", 0), ("public/ledger", INTAKE), ("public/witness", WITNESS), ("ledger", INTAKE)):
        (state / name).mkdir()
        os.chown(state / name, owner, PUBLIC if owner and name != "ledger" else owner)
        (state / name).chmod({"public": 0o755, "ledger": 0o700}.get(name, 0o2755))
    for name in ("public/ledger/checkpoint", "ledger/database.db"):
        (state / name).write_text("signed\n")
        os.chown(state / name, INTAKE, PUBLIC)
        (state / name).chmod(0o640)


@pytest.fixture
def drop(network: Network, tmp_path: Path) -> Iterator[Drop]:
    """sshd in a mount namespace where the accounts and /etc/wardwell are an appliance's."""
    folder = tmp_path
    for name in ("cad", "rms", "witness", "host_ed25519", "host_rsa"):
        kind = "rsa" if name == "host_rsa" else "ed25519"
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", folder / name)
    secret = run("openssl", "passwd", "-6", "correct horse").strip()
    feeds = [
        {"name": "cad", "profile": "p", "public_key": (folder / "cad.pub").read_text()},
        {"name": "rms", "profile": "p", "password_hash": secret},
    ]
    render(folder, SERVER, wardwell_feeds=feeds, wardwell_witness_key="ssh-ed25519 AAAA witness")
    (folder / "feeds").write_text("cad\nrms\n")
    (folder / "keys").mkdir()
    (folder / "keys" / "drop-cad").write_text((folder / "cad.pub").read_text())
    (folder / "keys" / "wardwell-witness").write_text((folder / "witness.pub").read_text())
    users = (
        f"drop-cad:x:{FEED}:{DROP}::/nonexistent:/usr/sbin/nologin\ndrop-rms:x:{OTHER}:{DROP}::/:/usr/sbin/nologin\n"
    )
    users += f"wardwell-intake:x:{INTAKE}:{INTAKE}::/nonexistent:/usr/sbin/nologin\n"
    users += f"wardwell-witness:x:{WITNESS}:{WITNESS}::/nonexistent:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + users)
    (folder / "group").write_text(
        Path("/etc/group").read_text() + f"drop:x:{DROP}:wardwell-intake\nwardwell-public:x:{PUBLIC}:wardwell-witness\n"
    )
    shadow = f"wardwell-witness:*:1:0:99999:7:::\ndrop-cad:*:1:0:99999:7:::\ndrop-rms:{secret}:1:0:99999:7:::\n"
    (folder / "shadow").write_text(Path("/etc/shadow").read_text() + shadow)
    (folder / "shadow").chmod(0o600)
    (folder / "state").mkdir()
    _publish(folder / "state")
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
            until(lambda: listens(server, log), 10, 0.1, explain=log.read_text)
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


def _as_witness(drop: Drop, commands: str, **who: str) -> subprocess.CompletedProcess[str]:
    return drop.sftp(commands, **{"user": "wardwell-witness", "key": "witness", **who})


def test_the_witness_fetches_the_log_and_leaves_its_note(drop: Drop) -> None:
    (drop.folder / "note").write_text("cosigned\n")
    (drop.folder / "note").chmod(0o644)
    done = _as_witness(
        drop,
        "get -R ledger fetched\nput note witness/checkpoint.part\nrename witness/checkpoint.part witness/checkpoint\n",
    )
    assert done.returncode == 0, done.stderr
    assert (drop.folder / "fetched" / "checkpoint").read_text() == "signed\n"
    left = drop.folder / "state" / "public" / "witness" / "checkpoint"
    assert left.read_text() == "cosigned\n"
    # Readable by those who read what is public, through the folder's group.
    assert (left.stat().st_uid, left.stat().st_gid, left.stat().st_mode & 0o777) == (WITNESS, PUBLIC, 0o640)
    assert _as_witness(drop, "put note witness/alarm.json\nrm witness/alarm.json\n").returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "get /ledger/../../ledger/database.db stolen",
        "get /etc/passwd stolen",
        "ls /etc",
        "put note ledger/checkpoint",
        "put note ledger/fresh",
        "put note outside",
        "rm ledger/checkpoint",
        "rename ledger/checkpoint witness/checkpoint",
        "rename witness/mine ledger/mine",
        "mkdir witness/folder",
        "symlink ../ledger witness/link",
        "ln ledger/checkpoint witness/hard",
        "chmod 777 witness",
        "chmod 777 witness/mine",
    ],
)
def test_the_witness_reads_nothing_else_and_writes_nowhere_else(drop: Drop, command: str) -> None:
    (drop.folder / "note").write_text("forged\n")
    assert _as_witness(drop, "put note witness/mine\n").returncode == 0  # the control
    state = drop.folder / "state"

    def seen() -> dict[str, tuple[int, str]]:
        return {
            str(path.relative_to(state)): (path.lstat().st_mode, path.read_text() if path.is_file() else "")
            for path in state.rglob("*")
        }

    before = seen()
    assert _as_witness(drop, command + "\n").returncode != 0
    assert not (drop.folder / "stolen").exists()
    assert seen() == before


def test_the_witness_has_no_shell_and_signs_in_as_itself_alone(drop: Drop) -> None:
    words = drop.client("ssh", "id", user="wardwell-witness", key="witness")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "sftp connections only" in done.stdout
    words = drop.client("ssh", user="wardwell-witness", key="witness")
    words.insert(words.index("-q"), "-W127.0.0.1:2222")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, input="")
    assert done.returncode != 0
    assert "SSH-2.0" not in done.stdout
    assert _as_witness(drop, "pwd\n").returncode == 0  # the control
    assert _as_witness(drop, "pwd\n", key="cad").returncode != 0
    assert _as_witness(drop, "pwd\n", user="drop-cad").returncode != 0


def test_the_witness_carries_with_one_command(drop: Drop, tmp_path: Path) -> None:
    folder = tmp_path / "trustee"
    (folder / "bin").mkdir(parents=True)
    # Stands for the witness's own program, which tests/ledger proves: it reads the log and leaves a note or an alarm.
    kit = "mkdir -p out; cat ledger/checkpoint > out/checkpoint; echo key > out/vkey; [ ! -f forked ] || {"
    kit += " echo {} > out/alarm.json; exit 1; }\nrm -f out/alarm.json"
    (folder / "bin" / "wardwell").write_text(f"#!/bin/sh\n{kit}\n")
    real = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    (folder / "bin" / "sftp").write_text(f'#!/bin/sh\nexec /usr/bin/sftp {real} "$@"\n')
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)
    script = ROOT / "provisioning" / "witness" / "carry.sh"
    left = drop.folder / "state" / "public" / "witness"

    def carry(key: str = "witness") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*drop.network.prefix(), "sh", str(script), ADDRESS, str(drop.folder / key)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=folder,
            env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin"},
        )

    done = carry()
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text() for path in left.iterdir()} == {"checkpoint": "signed\n", "vkey": "key\n"}
    (folder / "forked").touch()
    assert carry().returncode == 1
    assert (left / "alarm.json").exists()
    (folder / "forked").unlink()
    assert carry().returncode == 0
    assert not (left / "alarm.json").exists()
    refused = carry(key="cad")
    assert refused.returncode == 1
    assert "could not be fetched" in refused.stderr


def test_without_a_witness_or_a_fetching_machine_nothing_lets_one_in(tmp_path: Path) -> None:
    names = {**SERVER, "wardwell-drop-sshd.service.j2": "unit", "sshd_config.j2": "administration"}
    given = {
        "wardwell_witness_key": "ssh-ed25519 AAAA witness",
        "wardwell_admin_networks": ["10.1.9.0/24", "fd00::/8"],
        "wardwell_pull_networks": ["10.1.7.3/32"],
    }
    for folder, variables in (("none", {"wardwell_admin_networks": ["10.1.9.0/24"]}), ("both", given)):
        (tmp_path / folder).mkdir()
        render(tmp_path / folder, names, **variables)
    for name in names.values():
        assert "witness" not in (tmp_path / "none" / name).read_text().replace("the officers' witness", ""), name
    assert "AllowUsers nobody-at-all" in (tmp_path / "none" / "sshd_config").read_text()
    assert "AllowUsers" not in (tmp_path / "none" / "administration").read_text()
    # The controls: with them it does, and whoever comes from where backups are fetched is that account alone.
    assert "AllowUsers wardwell-witness\n" in (tmp_path / "both" / "sshd_config").read_text()
    assert " -/var/lib/wardwell/public/witness\n" in (tmp_path / "both" / "unit").read_text()
    allowed = "AllowUsers *@10.1.9.0/24 *@fd00::/8 backup-pull@10.1.7.3/32\n"
    assert allowed in (tmp_path / "both" / "administration").read_text()
    for folder in ("none", "both"):
        settings = tmp_path / folder / "administration"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / folder / "host")
        settings.write_text(settings.read_text().replace("/etc/ssh/ssh_host_ed25519_key", f"{tmp_path / folder}/host"))
        Path("/run/sshd").mkdir(exist_ok=True)
        run("/usr/sbin/sshd", "-t", "-f", settings)
