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
        number = pwd.getpwnam(account).pw_uid
    except KeyError:
        number = 0
    if os.geteuid() != 0 or number == 0:
        yield
        return
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)
