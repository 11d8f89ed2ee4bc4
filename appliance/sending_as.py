"""Asking hosts of the agency as the account that the firewall lets out; root itself is let out to none.

Owns: the moment in which a socket is made for another account. Must never see: what is asked.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sending_as(account: str) -> Iterator[None]:
    """Make sockets (and child processes) inside for `account`; nothing changes without root or such an account.

    nftables tells traffic apart by the account that made the socket (`meta skuid`). For a process with one thread.
    """
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        entry = None
    if entry is None or os.geteuid() != 0 or entry.pw_uid == 0:
        yield
        return
    group = os.getegid()
    # Its group as well: what it asks with, such as a password file, is shared with that group.
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
