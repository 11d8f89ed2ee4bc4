"""`wardwell apply`: renders what was answered and runs the playbook on this machine, and nothing else does.

Owns: `/etc/wardwell/{wardwell.toml,relay.toml,variables.json}`, the certificates' first making, and the log of the last
run. Must never see: an appliance's data. Running it again changes nothing; after a failure it goes on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.errors import Refused, WardwellError
from appliance.operate import cert
from appliance.settings import CONFIGURATION
from provisioning.install import answers as answering
from provisioning.install.answers import Answers

ANSIBLE = Path(answering.SOURCE) / "ansible"
LOG = Path("/var/log/wardwell-apply.log")
# Not /tmp: the first unit that wants a private one mounts it anew, under the module that is starting that unit.
TEMPORARY = Path("/root/.ansible/tmp")
_TASK = re.compile(r"^(?P<kind>TASK|RUNNING HANDLER) \[(?:(?P<role>[a-z_]+) : )?(?P<task>.*?)\] \*+")
_RECAP = re.compile(r"^localhost\s+: .*\bfailed=(?P<failed>\d+)")
_CHANGED = re.compile(r"^changed: \[localhost\]")
_FAILED = re.compile(r"^(?:fatal: \[localhost\]: FAILED!|failed: \[localhost\] \(item=.*?\)) => (?P<said>.*)")
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run did: the tasks that changed something, and the one that failed with what it said."""

    tasks: list[str] = field(default_factory=list)
    failed: str = ""
    said: str = ""


def stored_answers() -> Answers:
    """The answers of this machine. Raises WardwellError when setup was not done."""
    path = answering.stored()
    try:
        return answering.decode(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise WardwellError("This machine has no answers yet.", "Run `wardwell setup` first.") from None


def render(answers: Answers, folder: Path = CONFIGURATION) -> list[str]:
    """Write the settings files; the names of those that changed."""
    key = Path(answers.admin_key_file).read_text()
    relay = answering.relay_settings(answers)
    wanted = {
        "wardwell.toml": answering.toml(answering.settings(answers)),
        "variables.json": json.dumps(answering.variables(answers, key), indent=1, sort_keys=True) + "\n",
        **({"relay.toml": answering.toml(relay)} if relay else {}),
    }
    changed = [name for name, text in wanted.items() if put(folder / name, text)]
    if not relay and (folder / "relay.toml").exists():
        (folder / "relay.toml").unlink()
        changed.append("relay.toml")
    return changed


def put(path: Path, text: str) -> bool:
    """Write by rename unless it holds just that; whether it was written."""
    if path.exists() and path.read_text() == text:
        return False
    durable.replace(path, text.encode(), mode=0o600 if path.name == "variables.json" else 0o644)
    return True


def apply(say: Say) -> list[str]:
    """Bring this machine to what was answered; what changed, a file or a task each.

    Raises Refused when it is not root or another run is going on, WardwellError when a task failed.
    """
    if os.geteuid() != 0:
        raise Refused("Only root configures this machine.", "Run `sudo wardwell apply`.")
    answers = stored_answers()
    busy = Refused("`wardwell apply` is running already.", "Wait until it is done.")
    with durable.locked(Path("/run/wardwell-apply.lock"), refusal=busy):
        changed = render(answers)
        made = cert.ensure_certificates(answers.three_hosts, CONFIGURATION / "tls")
        if made:
            say("certificates of the appliance's own CA")
        outcome = play([], say)
    if outcome.failed:
        raise WardwellError(
            f"This step failed: {outcome.failed}. {outcome.said}".strip(),
            f"Mend what it names (all of it is in {LOG}) and run `wardwell apply` again; it goes on.",
        )
    return [*changed, *(f"certificate for {role}" for role in made), *outcome.tasks]


def preview() -> Outcome:
    """What `apply` would change, without changing it."""
    return play(["--check"], lambda _words: None)


def play(options: list[str], say: Say) -> Outcome:
    """Run the playbook; `say` is told each role that begins."""
    command = [
        str(ANSIBLE.parents[1] / "venv" / "bin" / "ansible-playbook"),
        *("--inventory", "localhost,", "--connection", "local", "--extra-vars", f"@{CONFIGURATION / 'variables.json'}"),
        *options,
        str(ANSIBLE / "site.yml"),
    ]
    TEMPORARY.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
        **{"HOME": "/root", "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8"},
        "TMPDIR": str(TEMPORARY),
    }
    with LOG.open("w") as log:
        LOG.chmod(0o600)
        running = subprocess.Popen(
            command,
            cwd=ANSIBLE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert running.stdout is not None
        outcome = read(_copied(running.stdout, log), say)
    if running.wait() and not outcome.failed:
        outcome.failed, outcome.said = "starting Ansible", f"Read {LOG}."
    return outcome


def _copied(lines: Iterator[str], log: Any) -> Iterator[str]:
    for line in lines:
        log.write(line)
        log.flush()
        yield line


def read(lines: Iterator[str], say: Say) -> Outcome:
    """Follow Ansible's own words."""
    outcome, role, task, ignored = Outcome(), "", "", None
    for line in lines:
        if found := _TASK.match(line):
            # What handlers do at the end belongs to roles that were said already.
            if found["role"] and found["role"] != role and found["kind"] == "TASK":
                say(found["role"])
            role = found["role"] or role
            task = f"{role}: {found['task']}" if found["role"] else found["task"]
        elif _CHANGED.match(line):
            outcome.tasks += [task] if outcome.tasks[-1:] != [task] else []
        elif found := _FAILED.match(line):
            ignored = task, _message(found["said"])
        elif line.startswith("...ignoring"):
            ignored = None
        elif (found := _RECAP.match(line)) and int(found["failed"]) and ignored:
            outcome.failed, outcome.said = ignored
    return outcome


def _message(said: str) -> str:
    """The one line of a failed task that a person can use."""
    try:
        content = json.loads(said)
    except json.JSONDecodeError:
        return said[:300]
    # A module that dies says why on its standard error only.
    parts = (content.get(key) for key in ("module_stderr", "stderr", "msg", "stdout"))
    text = str(next(filter(None, parts), ""))
    return text.strip()[-400:]
