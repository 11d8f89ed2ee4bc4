"""What Ansible reports while it runs the playbook: one struct per event, one JSON object per line.

Owns: the form of the events, for both sides: `ansible/callback_plugins/wardwell_events.py` writes them, `playbook.py`
reads them. Must never see: what a task with `no_log` said; Ansible hands its result over censored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

Status = Literal["ok", "failed", "unreachable", "skipped"]
HIDDEN = "What it said is hidden, because it could hold a secret."
_SAID_MAXIMUM = 400


class PlayStarted(msgspec.Struct, tag="play", tag_field="event", frozen=True):
    """A play begins; its roles in the order in which they run."""

    name: str
    roles: list[str]


class TaskStarted(msgspec.Struct, tag="task", tag_field="event", frozen=True):
    """A task begins, or a handler. `role` is empty for a task of the play itself."""

    role: str
    task: str
    handler: bool = False


class TaskEnded(msgspec.Struct, tag="result", tag_field="event", frozen=True):
    """How a task ended on one host, all items of its loop together.

    `said` is for a failure: the end of what a person can use of it. `diff` is there in a run with `--diff`.
    """

    role: str
    task: str
    host: str
    status: Status
    changed: bool = False
    ignored: bool = False
    said: str = ""
    diff: str = ""


class Counts(msgspec.Struct, frozen=True):
    """How many tasks of one host ended in each way."""

    ok: int
    changed: int
    failures: int
    unreachable: int
    skipped: int
    rescued: int
    ignored: int


class RunEnded(msgspec.Struct, tag="stats", tag_field="event", frozen=True):
    """The last event of a run that Ansible brought to its end, whether or not tasks failed."""

    hosts: dict[str, Counts]


Event = PlayStarted | TaskStarted | TaskEnded | RunEnded


def writer(descriptor: int) -> Callable[[Event], None]:
    """A function that writes events to an open file descriptor, each at once."""
    # Programs that a task starts must not inherit it: the reader waits until every copy is closed.
    os.set_inheritable(descriptor, False)
    stream = os.fdopen(descriptor, "wb", buffering=0)
    # Ansible's strings are of a class of their own, which also knows where each was written.
    encoder = msgspec.json.Encoder(enc_hook=str)

    def write(event: Event) -> None:
        stream.write(encoder.encode(event) + b"\n")

    return write


def decode(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of those lines. Raises msgspec.DecodeError for a line that is no event."""
    decoder = msgspec.json.Decoder(Event)
    return (decoder.decode(line) for line in lines)


def counts(summary: Mapping[str, int]) -> Counts:
    """Those of Ansible's `stats.summarize(host)`."""
    return msgspec.convert(summary, Counts)


def said(result: Mapping[str, Any]) -> str:
    """What a failed task's result says, for a person; of a loop, what its last failed item says."""
    items = [item for item in result.get("results", []) if item.get("failed") or "censored" in item]
    content = items[-1] if items else result
    if "censored" in content:
        return HIDDEN
    # A module that dies says why on its standard error only.
    parts = (content.get(key) for key in ("module_stderr", "stderr", "msg", "stdout"))
    return str(next(filter(None, parts), "")).strip()[-_SAID_MAXIMUM:]
