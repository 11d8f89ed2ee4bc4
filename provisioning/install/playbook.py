"""A run of Ansible on this machine: progress while it lasts, and what it did.

Owns: the pipe that events come by, and the log for people. Must never see: an appliance's data.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from provisioning.install import events
from provisioning.install.events import Event, PlayStarted, RunEnded, TaskEnded, TaskStarted

Say = Callable[[str], None]
# Ansible would go on after an event that the callback could not write, and what changed would be missing here.
STOP_IF_UNREPORTED = {"_ANSIBLE_CALLBACK_DISPATCH_ERROR_BEHAVIOR": "error"}


@dataclass(frozen=True)
class Change:
    """A task that changed something, and the difference in a run with `--diff`."""

    task: str
    diff: str = ""


@dataclass
class Outcome:
    """What a run did: what was changed, and the task that failed with what it said."""

    changes: list[Change] = field(default_factory=list)
    failed: str = ""
    said: str = ""

    @property
    def tasks(self) -> list[str]:
        return [change.task for change in self.changes]


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], log: Path, say: Say) -> Outcome:
    """Run `command` (an ansible-playbook) in `folder`; `say` is told each role that begins.

    What Ansible prints for people replaces `log`, which only its owner can read.
    """
    reading, writing = os.pipe()
    try:
        with log.open("wb") as file:
            log.chmod(0o600)
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, **STOP_IF_UNREPORTED, "WARDWELL_EVENTS": str(writing)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=[writing],
            )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    # The pipe is closed before the process is waited for, so that it cannot wait for a reader that failed.
    with process, os.fdopen(reading, "rb") as lines:
        try:
            outcome, ended = follow(events.decode(lines), say)
        except msgspec.DecodeError as error:
            outcome, ended = Outcome(said=f"It reported what cannot be read ({error}); read {log}."), False
    if not ended or (process.returncode and not outcome.failed):
        outcome.failed = outcome.failed or "running Ansible"
        outcome.said = outcome.said or f"It ended with exit code {process.returncode}; read {log}."
    return outcome


def follow(reported: Iterable[Event], say: Say) -> tuple[Outcome, bool]:
    """What the events add up to, and whether the run came to its end."""
    begun = time.monotonic()
    outcome = Outcome()
    roles: list[str] = []
    current = ""
    failure = ("", "")
    for event in reported:
        match event:
            case PlayStarted():
                roles = event.roles
            # Handlers run at the end, for roles that were named before.
            case TaskStarted(handler=False) if event.role and event.role != current:
                current = event.role
                say(f"{current}{_progress(current, roles, time.monotonic() - begun)}")
            case TaskEnded():
                name = f"{event.role}: {event.task}" if event.role else event.task
                if event.changed:
                    outcome.changes.append(Change(name, event.diff))
                if event.status in ("failed", "unreachable") and not event.ignored:
                    failure = (name, event.said)
            case RunEnded():
                # A failure that the playbook itself rescued is not counted there.
                if any(host.failures or host.unreachable for host in event.hosts.values()):
                    outcome.failed, outcome.said = failure
                return outcome, True
    outcome.failed, outcome.said = failure
    return outcome, False


def _progress(role: str, roles: list[str], seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f" (step {roles.index(role) + 1} of {len(roles)}, {minutes}:{rest:02d} min)" if role in roles else ""
