"""`wardwell apply`: the one place that writes the settings from the answers and runs the playbook on this machine.

Owns: `/etc/wardwell/{wardwell.toml,relay.toml,variables.json}`, when certificates are first made, and the log of the
last run. Must never see: an appliance's data. Running it again changes nothing; after a failure it continues.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from appliance import durable
from appliance.errors import Refused, WardwellError
from appliance.operate import cert
from appliance.settings import CONFIGURATION
from provisioning.install import playbook
from provisioning.install.answers import (
    SOURCE,
    Answers,
    answers_file,
    decode,
    relay_settings,
    settings,
    toml,
    variables,
)
from provisioning.install.playbook import Outcome, Say

ANSIBLE = Path(SOURCE) / "ansible"
LOG = Path("/var/log/wardwell-apply.log")
# Not /tmp: starting the first unit with a private /tmp mounts it anew while the module that starts it still uses it.
TEMPORARY = Path("/root/.ansible/tmp")


def stored_answers() -> Answers:
    """The answers of this machine. Raises WardwellError when setup was not done."""
    path = answers_file()
    try:
        return decode(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise WardwellError("This machine has no answers yet.", "Run `wardwell setup` first.") from None


def render(answers: Answers, folder: Path = CONFIGURATION) -> list[str]:
    """Write the settings files; returns the names of those that changed."""
    key = Path(answers.admin_key_file).read_text()
    relay = relay_settings(answers)
    files = {
        "wardwell.toml": toml(settings(answers)),
        "variables.json": json.dumps(variables(answers, key), indent=1, sort_keys=True) + "\n",
        **({"relay.toml": toml(relay)} if relay else {}),
    }
    changed = [name for name, text in files.items() if put(folder / name, text)]
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
    """Configure this machine as answered; returns what changed, each a file, a certificate or a task.

    Raises Refused when the caller is not root or another run is under way, WardwellError when a task failed.
    """
    if os.geteuid() != 0:
        raise Refused("Only root configures this machine.", "Run `sudo wardwell apply`.")
    answers = stored_answers()
    busy = Refused("`wardwell apply` is running already.", "Wait until it is done.")
    with durable.locked(Path("/run/wardwell-apply.lock"), refusal=busy):
        changed = render(answers)
        certificates = cert.ensure_certificates(answers.three_hosts, CONFIGURATION / "tls")
        if certificates:
            say("certificates of the appliance's own CA")
        outcome = play([], say)
    if outcome.failed:
        raise WardwellError(
            f"This step failed: {outcome.failed}. {outcome.said}".strip(),
            f"Fix what it names (the whole log is {LOG}) and run `wardwell apply` again; it continues.",
        )
    return [*changed, *(f"certificate for {role}" for role in certificates), *outcome.tasks]


def preview() -> Outcome:
    """What `apply` would change, without changing it."""
    return play(["--check"], lambda _words: None)


def play(options: list[str], say: Say) -> Outcome:
    """Run the playbook; `say` is told each role that begins."""
    command: list[str | Path] = [
        ANSIBLE.parents[1] / "venv" / "bin" / "ansible-playbook",
        *("--inventory", "localhost,", "--connection", "local", "--extra-vars", f"@{CONFIGURATION / 'variables.json'}"),
        *options,
        ANSIBLE / "site.yml",
    ]
    TEMPORARY.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        **{"HOME": "/root", "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8"},
        "TMPDIR": str(TEMPORARY),
    }
    return playbook.run(command, ANSIBLE, environment, LOG, say)
