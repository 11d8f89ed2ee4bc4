"""Who may touch what: the accounts of the appliance, its folders, and the group that each is shared with.

Owns: names, owners and modes of every folder of the data volume and of the sockets. Must never see: what lies in them.
Each path belongs to one account. It is shared with one group, and what a folder is shared for is its whole list of
readers. The installation makes the accounts; `lay_out` makes the folders.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import WardwellError
from appliance.settings import COMPARTMENTS, RUNTIME, Home

# Account -> what runs as it. `drop-<feed>` comes on top, one for each feed; and the witness's: it runs as that
# account where it is here, and signs in as it where it is with the trustee.
USERS = {
    **{f"wardwell-{name}": f"Wardwell, compartment {name}" for name in COMPARTMENTS},
    "wardwell-sealed": "Wardwell, the page shown while sealed",
}
WITNESS = "wardwell-witness"
FRONT = "www-data"
PUBLIC, APPEND, DROP = "wardwell-public", "wardwell-append", "drop"
# Group -> who is in it, beside each account's own. A unit asks for its groups by SupplementaryGroups=.
GROUPS = {
    # Readers of what anyone may read: files there are made for owner and group (umask 027).
    PUBLIC: (*(f"wardwell-{name}" for name in COMPARTMENTS), FRONT, WITNESS),
    # Who may append to the access log.
    APPEND: ("wardwell-desk", "wardwell-post", "wardwell-press"),
    # The feeds' own group; intake reads what they drop.
    DROP: ("wardwell-intake",),
}
# Sender and receiver of every message of `appliance.spool.messages`; all but desk itself tell desk how they are.
SPOOLS = (
    ("intake", "desk"),
    ("intake", "press"),
    ("desk", "intake"),
    ("desk", "press"),
    ("press", "desk"),
    ("ledger", "desk"),
    ("post", "ledger"),
    ("post", "desk"),
)
# Socket -> the one group that may ask there.
SOCKETS = {"desk": FRONT, "post": FRONT, "ledger": APPEND, "sealed": FRONT}
# Folder under `public/` -> the compartment that writes it. What lies in `public/` itself comes from the founding.
PUBLISHED = {"ledger": "ledger", "boards": "post", "releases": "press", "press": "press", "desk": "desk"}

Ids = Callable[[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Folder:
    """One folder: its account, the group that shares it, its mode; `link` when it is a link to another place."""

    path: Path
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    link: Path | None = None


def folders(home: Home) -> list[Folder]:
    """Every folder, parents first. Raises WardwellError when the settings cannot be read."""
    settings = home.settings()
    here = settings.witness == "here"
    made = [Folder(home.root)]
    made += [Folder(home.folder(name), _user(name), _user(name), 0o700) for name in COMPARTMENTS]
    made += [Folder(home.root / "spool")]
    # Set-group-id: a message carries the receiver's group, whoever wrote it.
    made += [Folder(home.spool(a, b), _user(a), _user(b), 0o2770) for a, b in SPOOLS]
    made += [Folder(home.public)]
    made += [Folder(home.public / name, _user(owner), PUBLIC, 0o2755) for name, owner in PUBLISHED.items()]
    made += [Folder(home.public / "witness", WITNESS, PUBLIC, 0o2755)]
    if home.site != home.public / "site":
        made += [Folder(home.site.parent), Folder(home.site, _user("press"), PUBLIC, 0o2755)]
        made += [Folder(home.public / "site", link=home.site)]
    else:
        made += [Folder(home.site, _user("press"), PUBLIC, 0o2755)]
    made += [Folder(home.log)]
    made += [Folder(home.log / name, _user(name), _user(name), 0o750) for name in COMPARTMENTS]
    if here:
        made += [Folder(home.witness, WITNESS, WITNESS, 0o700)]
    made += [Folder(home.root / "drop")]
    for feed in settings.feeds:
        # The feed's own root, which it cannot change; inside, it may write and enter, not list.
        made += [Folder(home.root / "drop" / feed.name)] if home.production else []
        made += [Folder(home.drop(feed.name), _user("intake"), DROP, 0o2730)]
    return made + runtime_folders(home)


def runtime_folders(home: Home) -> list[Folder]:
    """The folders in memory: where keys are handed over and where sockets are."""
    above = [Folder(RUNTIME), Folder(RUNTIME / "keys", mode=0o700)] if home.production else []
    return [
        *above,
        Folder(home.run),
        *(Folder(home.socket(name).parent, _user(name), group, 0o2750) for name, group in SOCKETS.items()),
    ]


def _user(compartment: str) -> str:
    return f"wardwell-{compartment}"


def ids(owner: str, group: str) -> tuple[int, int]:
    """The numbers of an account and a group of this machine. Raises WardwellError when one is missing."""
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        raise WardwellError(
            f"The account {owner} or the group {group} is missing on this machine.", "Run `wardwell apply` first."
        ) from None


def lay_out(home: Home, ids: Ids = ids) -> list[str]:
    """Make and repair every folder of `home`: owner, group, mode; what was changed, in words.

    Repeating it changes nothing. Files that root left in a folder of another account (a restored backup) go to that
    account. Raises WardwellError when an account is missing or something else lies where a folder belongs.
    """
    changed: list[str] = []
    wanted = folders(home)
    numbers = [ids(folder.owner, folder.group) for folder in wanted]  # before anything changes
    for folder, (uid, gid) in zip(wanted, numbers, strict=True):
        if folder.link is not None:
            changed += _link(folder.path, folder.link)
            continue
        changed += _folder(folder, uid, gid)
        if folder.owner != "root":
            changed += _adopt(folder.path, uid, gid)
    return changed


def _link(path: Path, target: Path) -> list[str]:
    if path.is_symlink() and path.readlink() == target:
        return []
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        raise _in_the_way(path)
    path.symlink_to(target)
    return [f"{path} leads to {target}"]


def _folder(folder: Folder, uid: int, gid: int) -> list[str]:
    path, changed = folder.path, []
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise _in_the_way(path)
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        changed.append(f"{path} made")
    state = path.stat()
    if (state.st_uid, state.st_gid) != (uid, gid):
        os.chown(path, uid, gid, follow_symlinks=False)
        changed.append(f"{path} belongs to {folder.owner}:{folder.group}")
    if stat.S_IMODE(path.stat().st_mode) != folder.mode:
        path.chmod(folder.mode)
        changed.append(f"{path} has mode {folder.mode:o}")
    return changed


def _adopt(path: Path, uid: int, gid: int) -> list[str]:
    """Give files of root below `path` to its account. By descriptor: no link laid there meanwhile leads elsewhere."""
    count = 0
    for _, names, files, parent in os.fwalk(path, follow_symlinks=False):
        for name in (*names, *files):
            state = os.stat(name, dir_fd=parent, follow_symlinks=False)
            mine = stat.S_ISDIR(state.st_mode) or (stat.S_ISREG(state.st_mode) and state.st_nlink == 1)
            if state.st_uid == 0 and uid != 0 and mine:
                os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)
                count += 1
    return [f"{path}: {count} files given to their account"] if count else []


def _in_the_way(path: Path) -> WardwellError:
    return WardwellError(f"{path} is not the folder that belongs there.", "Look at what it is and move it away.")
