"""Who may touch what, as a table: what stands in it is allowed, everything else is not."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from appliance import settings
from appliance.errors import WardwellError
from appliance.layout import APPEND, FRONT, GROUPS, SPOOLS, USERS, WITNESS, Folder, folders, lay_out
from appliance.settings import COMPARTMENTS, Home
from appliance.spool import messages
from tests.runtime.accounts import ids, number, reaches

DESK, POST, INTAKE, LEDGER, PRESS = (f"wardwell-{name}" for name in ("desk", "post", "intake", "ledger", "press"))
EVERYONE = (*USERS, WITNESS, FRONT, "drop-cad")
PUBLIC = {f"public/{name}" for name in ("ledger", "boards", "releases", "press", "desk", "witness")}

# Where each account may make and remove files. Nothing else.
WRITES = {
    DESK: {"desk", "log/desk", "public/desk", "run/desk"}
    | {"spool/desk-to-intake", "spool/desk-to-press"}  # as sender
    | {"spool/intake-to-desk", "spool/press-to-desk", "spool/ledger-to-desk", "spool/post-to-desk"},  # as receiver
    POST: {"post", "log/post", "public/boards", "run/post", "spool/post-to-ledger", "spool/post-to-desk"},
    INTAKE: {"intake", "log/intake", "drop/cad/in"}
    | {"spool/intake-to-desk", "spool/intake-to-press", "spool/desk-to-intake"},
    LEDGER: {"ledger", "log/ledger", "public/ledger", "run/ledger", "spool/ledger-to-desk", "spool/post-to-ledger"},
    PRESS: {"press", "log/press", "public/releases", "public/press", "SITE"}
    | {"spool/press-to-desk", "spool/intake-to-press", "spool/desk-to-press"},
    "wardwell-sealed": {"run/sealed"},
    WITNESS: {"witness", "public/witness"},
    FRONT: set(),
    "drop-cad": {"drop/cad/in"},
}
# What each may enter besides: the sockets at which it may ask.
ASKS = {FRONT: {"run/desk", "run/post", "run/sealed"}, **{user: {"run/ledger"} for user in (DESK, POST, PRESS)}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Production in a scratch folder, with one feed and the witness here."""
    for name, place in (("PRODUCTION", "state"), ("CONFIGURATION", "etc"), ("RUNTIME", "run"), ("SITE", "site")):
        monkeypatch.setattr(settings, name, tmp_path / place)
        if hasattr(__import__("appliance.layout").layout, name):
            monkeypatch.setattr(f"appliance.layout.{name}", tmp_path / place)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "wardwell.toml").write_text(
        'witness = "here"\n[[feeds]]\nname = "cad"\nprofile = "san-luis-obispo"\n'
    )
    home = Home(tmp_path / "state")
    assert home.production
    return home


def short(home: Home, path: Path) -> str:
    """A folder's name in the tables above."""
    if path == home.site:
        return "SITE"
    if home.run in path.parents:
        return f"run/{path.name}"
    return str(path.relative_to(home.root)) if home.root in path.parents else path.name


@pytest.mark.parametrize("user", EVERYONE)
def test_each_account_writes_only_where_the_table_says(home: Home, user: str) -> None:
    listed = [folder for folder in folders(home) if folder.link is None]
    # A feed's account is in the group of feeds; no folder but its drop names that group.
    writable = {short(home, one.path) for one in listed if "w" in _reaches(user, one.path, listed)}
    assert writable == WRITES[user]


@pytest.mark.parametrize("user", EVERYONE)
def test_each_account_reads_only_its_own_its_mail_and_what_is_public(home: Home, user: str) -> None:
    listed = [folder for folder in folders(home) if folder.link is None]
    open_to_all = {short(home, one.path) for one in listed if one.owner == "root" and one.mode == 0o755}
    entered = {short(home, one.path) for one in listed if "x" in _reaches(user, one.path, listed)}
    assert entered - open_to_all == WRITES[user] | ASKS.get(user, set()) | PUBLIC | {"SITE"}


def _reaches(user: str, path: Path, listed: list[Folder]) -> str:
    return reaches(user, path, listed) if user != "drop-cad" else reaches("drop", path, listed)


def test_nobody_but_root_sees_the_keys(home: Home) -> None:
    listed = folders(home)
    keys = home.run.parent / "keys"
    assert next(one for one in listed if one.path == keys) == Folder(keys, "root", "root", 0o700)
    assert [user for user in EVERYONE if reaches(user, keys, listed)] == []
    # Control: the same question finds who may enter a folder next to it.
    assert [user for user in USERS if reaches(user, home.socket("ledger").parent, listed)] == [
        DESK,
        POST,
        LEDGER,
        PRESS,
    ]


def test_a_folder_for_each_way_that_a_message_may_cross() -> None:
    every = list(msgspec.inspect.type_info(messages.AnyMessage).types)  # type: ignore[attr-defined]
    wanted = set()
    for one in every:
        sender, receiver = one.cls.crosses
        if "ledger" in (sender, receiver) and "any" in (sender, receiver):
            continue  # on the ledger's socket
        senders = [name for name in COMPARTMENTS if name != "desk"] if sender == "any" else [sender]
        wanted |= {(name, receiver) for name in senders}
    assert set(SPOOLS) == wanted
    assert max(Counter(SPOOLS).values()) == 1


def test_laid_out_once_nothing_is_left_to_change(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    owners: dict[str, tuple[int, int]] = {}
    real = os.stat

    def chown(path: Path, uid: int, gid: int, **_: object) -> None:
        owners[str(path)] = (uid, gid)

    monkeypatch.setattr("appliance.layout.os.chown", chown)
    assert lay_out(home, ids)
    assert owners[str(home.spool("intake", "desk"))] == (number(INTAKE), number(DESK))
    assert (home.public / "site").readlink() == home.site
    assert real(home.spool("intake", "desk")).st_mode & 0o7777 == 0o2770
    # Modes and folders are there; only owners, which nobody but root may give, are asked for again.
    assert all("belongs to" in line for line in lay_out(home, ids))


def test_something_else_in_the_way_is_refused_and_missing_accounts_change_nothing(home: Home) -> None:
    with pytest.raises(WardwellError, match="account"):
        lay_out(home, lambda owner, group: _missing(owner))
    assert not home.root.exists()
    home.root.mkdir()
    (home.root / "spool").symlink_to("/etc")
    with pytest.raises(WardwellError, match="is not the folder"):
        lay_out(home, lambda owner, group: (os.getuid(), os.getgid()))


def _missing(owner: str) -> tuple[int, int]:
    raise WardwellError(f"The account {owner} is missing.")


def test_the_ledger_is_asked_by_those_that_append() -> None:
    # Whoever imports the appending function, and the process that serves; `charter enter` is a command of root's.
    root = Path(__file__).parents[2]
    asking = {
        path.relative_to(root / "appliance").parts[0]
        for path in (root / "appliance").rglob("*.py")
        if "spool.append import append" in path.read_text()
    }
    assert {f"wardwell-{name}" for name in asking & set(COMPARTMENTS)} == set(GROUPS[APPEND])
