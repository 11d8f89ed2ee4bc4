"""The kernel's own answer to who may read and write what: accounts of other numbers ask, root looks on."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import settings
from appliance.layout import lay_out
from appliance.settings import Home
from appliance.spool.delivery import write_messages
from tests.runtime.accounts import groups_of, ids, number

pytestmark = pytest.mark.appliance


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A laid out home that accounts other than root may reach."""
    scratch = Path(tempfile.mkdtemp(prefix="wardwell-layout-"))
    scratch.chmod(0o755)
    for name, place in (("PRODUCTION", "state"), ("CONFIGURATION", "etc"), ("RUNTIME", "run"), ("SITE", "site")):
        monkeypatch.setattr(settings, name, scratch / place)
    monkeypatch.setattr("appliance.layout.RUNTIME", scratch / "run")
    (scratch / "etc").mkdir()
    (scratch / "etc" / "wardwell.toml").write_text('[[feeds]]\nname = "cad"\nprofile = "san-luis-obispo"\n')
    try:
        lay_out(Home(scratch / "state"), ids)
        yield Home(scratch / "state")
    finally:
        shutil.rmtree(scratch)


def asks(user: str, command: str, *, umask: str = "027") -> bool:
    """Whether `command` succeeds as `user`, with its own group and the shared ones, and without a capability."""
    groups = ",".join(str(number(group)) for group in sorted(groups_of(user)))
    as_user = ["setpriv", f"--reuid={number(user)}", f"--regid={number(user)}", f"--groups={groups}"]
    # `cd /`: the tests' own folder need not be readable for that account.
    script = f"cd / && umask {umask} && {command}"
    return subprocess.run([*as_user, "sh", "-c", script], capture_output=True, check=False).returncode == 0


def test_no_compartment_reads_the_folder_of_another(home: Home) -> None:
    users = ("desk", "post", "intake", "ledger", "press")
    for owner in users:
        secret = home.folder(owner) / "database.db"
        assert asks(f"wardwell-{owner}", f"echo secret > {secret}")
        assert asks(f"wardwell-{owner}", f"cat {secret}")  # control
        for other in (*users, "sealed"):
            if other != owner:
                assert not asks(f"wardwell-{other}", f"cat {secret}"), (owner, other)
                assert not asks(f"wardwell-{other}", f"touch {home.logs(owner)}/x"), (owner, other)
        assert not asks("www-data", f"cat {secret}")


def test_a_message_reaches_its_receiver_and_nobody_else(home: Home) -> None:
    folder = home.spool("intake", "desk")
    assert asks("wardwell-intake", f"echo body > {folder}/1-a.json")
    for other in ("post", "press", "ledger"):
        assert not asks(f"wardwell-{other}", f"cat {folder}/1-a.json")
        assert not asks(f"wardwell-{other}", f"touch {folder}/2-b.json")
    assert asks("wardwell-desk", f"mkdir {folder}/.refused && cat {folder}/1-a.json && rm {folder}/1-a.json")
    # The intake may not read what desk sends to press.
    assert asks("wardwell-desk", f"echo counts > {home.spool('desk', 'press')}/1-c.json")
    assert not asks("wardwell-intake", f"cat {home.spool('desk', 'press')}/1-c.json")


def test_what_is_published_is_read_by_all_and_written_by_one(home: Home) -> None:
    tile = home.public / "ledger" / "tile" / "0" / "000"
    assert asks("wardwell-ledger", f"mkdir -p {tile.parent} && echo tile > {tile}")
    for reader in ("wardwell-desk", "wardwell-post", "wardwell-intake", "wardwell-press", "www-data"):
        assert asks(reader, f"cat {tile}"), reader
        assert not asks(reader, f"echo forged > {tile}"), reader
        assert not asks(reader, f"touch {home.public}/site.json"), reader
    assert asks("wardwell-press", f"mkdir {home.site}/crisis && echo 988 > {home.site}/crisis/index.html")
    assert asks("www-data", f"cat {home.public}/site/crisis/index.html")


def test_a_feed_drops_and_neither_lists_nor_reads_what_others_dropped(home: Home) -> None:
    folder = home.drop("cad")

    def feed(command: str) -> bool:
        as_feed = ["setpriv", f"--reuid={number('drop-cad')}", f"--regid={number('drop')}", "--clear-groups"]
        return (
            subprocess.run([*as_feed, "sh", "-c", command], capture_output=True, check=False, cwd="/").returncode == 0
        )

    assert feed(f"umask 027; echo rows > {folder}/a.part && mv {folder}/a.part {folder}/a.csv")
    assert not feed(f"ls {folder}")
    assert not feed(f"touch {folder.parent}/beside")
    assert asks("wardwell-intake", f"cat {folder}/a.csv && rm {folder}/a.csv")
    assert not asks("wardwell-desk", f"ls {folder}")


def test_files_that_root_restored_go_to_their_accounts(home: Home) -> None:
    database = home.folder("desk") / "database.db"
    database.write_bytes(b"restored")
    database.chmod(0o600)
    write_messages(home.spool("ledger", "desk"), [("000000000001-00", b"{}")])
    assert not asks("wardwell-desk", f"cat {database}")
    assert lay_out(home, ids)
    assert asks("wardwell-desk", f"cat {database} && rm {home.spool('ledger', 'desk')}/000000000001-00.json")
    assert lay_out(home, ids) == []
