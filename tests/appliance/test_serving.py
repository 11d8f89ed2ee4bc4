"""From the installation to everyday life, in a container: founding, sign-in, sealing, backup, doctor.

The tests of this file tell one story in order, on one machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.layout import GROUPS, USERS, WITNESS
from provisioning.install.answers import QUESTIONS
from provisioning.render import unit_files
from tests.appliance import custody, journey, probes
from tests.appliance.agency import STICK
from tests.appliance.container import Container
from tests.appliance.installation import Installed, contents, install_command
from tests.appliance.rootfs import ROOT
from tests.appliance.ssh import Shell
from tests.appliance.story import Story
from tests.appliance.workstations import Workstations

pytestmark = pytest.mark.appliance


@pytest.fixture(scope="module")
def container(installed: Installed) -> Container:
    return installed.container()


@pytest.fixture(scope="module")
def story(installed: Installed, container: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    story = Story(container.shell, installed.agency, tmp_path_factory.mktemp("people"))
    story.seconds["installation"] = installed.seconds
    yield story
    print(f"\n{story.summary()}")


@pytest.fixture(scope="module")
def shell(container: Container) -> Shell:
    return container.shell


def _changed(output: str) -> int:
    """What `wardwell apply` says at its end."""
    if "Nothing had to be changed." in output:
        return 0
    counts = re.findall(r"^(\d+) changes\.$", output, re.MULTILINE)
    assert counts, f"it was not said what changed: {output[-2000:]}"
    return int(counts[-1])


def test_few_answers_are_enough(installed: Installed) -> None:
    """What setup asks of a person; the file may hold more, such as feeds."""
    assert len(QUESTIONS) <= 12
    assert _changed(installed.output) > 0


def test_installing_again_changes_nothing(installed: Installed, shell: Shell) -> None:
    before = contents(shell)
    done = shell.run(install_command(installed.release, f"{STICK}/answers.toml"), timeout=600)
    assert _changed(done.stdout) == 0, done.stdout[-4000:]
    quiet = shell.run("wardwell config diff", check=False, timeout=600)
    assert quiet.returncode == 0, quiet.stdout
    assert contents(shell) == before
    changed = (
        "nftables.conf",
        "systemd/system/wardwell@.service",
        "wardwell/supervisor/desk.conf",
        "wardwell/nginx/nginx.conf",
    )
    shell.run(" && ".join(f"echo '# by hand' >> /etc/{name}" for name in changed))
    assert contents(shell) != before
    # Its lines come back where they were: an account that is made again stands at the end.
    shell.run("cd /etc && tar cf /run/accounts.tar passwd group shadow gshadow && userdel wardwell-relay")
    shown = shell.run("wardwell config diff", check=False, timeout=600).stdout
    shell.run("cd /etc && tar xf /run/accounts.tar")
    for task in (
        "Write the rules",
        "Make missing accounts and groups",
        "Render the units",
        "Render the supervisor",
        "Render the front",
    ):
        assert task in shown, shown
    assert _changed(shell.run("wardwell apply", timeout=600).stdout) > 0
    assert contents(shell) == before


def test_accounts_are_locked_but_for_those_that_a_key_opens(shell: Shell) -> None:
    fields = dict(line.split(":")[:2] for line in shell.output("getent shadow").splitlines())
    ours = {name: field for name, field in fields.items() if name.startswith(("wardwell-", "drop-"))}
    assert set(USERS) < set(ours)
    assert {name for name, field in ours.items() if field == "*"} == {WITNESS, "drop-cad"}
    assert {name for name, field in ours.items() if not field.startswith(("*", "!"))} == {"wardwell-admin"}
    for group, members in GROUPS.items():
        assert set(shell.output(f"getent group {group}").split(":")[3].split(",")) == set(members), group


def test_nothing_here_installs_packages_for_python(shell: Shell) -> None:
    """A control is part of it: what the appliance does run on is found in the same way."""
    look = "import importlib.util as i; print(*(i.find_spec(one) is not None for one in ('flask', 'pip', 'ensurepip')))"
    assert shell.output(f'/opt/wardwell/current/venv/bin/python -c "{look}"').split() == ["True", "False", "False"]


def test_what_must_never_run_is_masked(shell: Shell) -> None:
    names = [name for name, text in unit_files(ROOT / "systemd").items() if text is None]
    states = shell.run(f"systemctl is-enabled {' '.join(names)} nftables.service", check=False).stdout.split()
    assert states == [*["masked"] * len(names), "enabled"]


def test_answers_with_an_unknown_key_are_refused(installed: Installed, shell: Shell) -> None:
    before = contents(shell)
    answers = installed.agency.answers("wrong.toml", direktory="ldaps://directory.example")
    done = shell.run(f"wardwell setup --answers {answers}", check=False)
    assert done.returncode == 3
    assert "direktory" in done.stderr
    assert contents(shell) == before


def test_preflight_has_no_side_effects(shell: Shell) -> None:
    before = contents(shell)
    done = shell.run("wardwell preflight", check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^PASS", done.stdout, re.MULTILINE)
    assert contents(shell) == before


def test_before_the_ceremony_nothing_is_served(story: Story, shell: Shell) -> None:
    assert shell.run("systemctl is-active wardwell@desk.service", check=False).stdout.strip() == "inactive"
    assert shell.output("systemctl is-active wardwell-custody.service wardwell-front.service").split() == ["active"] * 2


def test_ceremony_founding_and_first_sign_ins(story: Story) -> None:
    story.hold_ceremony()
    story.found()
    story.first_sign_in("coordinator")
    people = story.workstations
    people.first_sign_in("trustee")
    session = people.sign_in("coordinator")
    assert session["state"] == "ready"
    assert sum(story.seconds.values()) < 360, story.summary()


def test_a_wrong_password_is_not_a_sign_in(story: Story) -> None:
    people = story.workstations
    person = people.person("coordinator")
    with people.agency.network.entered():
        answer = people.client("desk").post_json(
            "/api/sign-in", {"name": person.name, "password": "wrong", "code": person.fresh_code()}
        )
    assert answer.status == 401


def test_every_instance_is_sandboxed(shell: Shell, story: Story) -> None:
    levels = {name: probes.exposure(shell, f"wardwell@{name}.service") for name in probes.COMPARTMENTS}
    assert max(levels.values()) <= 2.0, levels
    assert probes.exposure(shell, "ssh.service") > 2.0  # the control: not everything is called safe
    users = {
        name: shell.output(f"ps -o user:32= -p $(systemctl show -P MainPID wardwell@{name})")
        for name in probes.COMPARTMENTS
    }
    assert users == {name: f"wardwell-{name}" for name in probes.COMPARTMENTS}


def test_doctor_finds_nothing_and_would_find_something(shell: Shell, story: Story) -> None:
    story.witness()
    done = shell.run("wardwell doctor", check=False)
    assert (done.returncode, "Nothing is wrong" in done.stdout) == (0, True), done.stdout
    shell.run("systemctl stop wardwell@press.service")
    wrong = shell.run("wardwell doctor", check=False)
    assert (wrong.returncode, "wardwell@press" in wrong.stdout) == (1, True), wrong.stdout
    shell.run("systemctl start wardwell@press.service")


def test_memory_at_rest(shell: Shell, story: Story) -> None:
    megabytes = probes.resident_megabytes(shell)
    assert megabytes <= 700, f"{megabytes:.0f} MiB"


def test_after_a_restart_it_is_sealed_and_says_whom_to_call(story: Story, container: Container) -> None:
    people = story.workstations
    container.restart()
    assert container.shell.run("systemctl is-active wardwell@desk.service", check=False).stdout.strip() == "inactive"
    with people.agency.network.entered():
        sealed = people.client("desk").get("/")
        crisis = people.client("space").get("/crisis/")
    assert custody.HOLDERS["trustee"][0] in sealed.body.decode()
    assert (crisis.status, b"988" in crisis.body) == (200, True)


def test_one_side_alone_does_not_open_it(story: Story, shell: Shell) -> None:
    cards = [story.cards.words[name] for name in custody.HOLDERS["trustee"]]
    done = shell.run("wardwell custody unseal --stdin", input="\n".join(cards) + "\n", check=False)
    assert done.returncode != 0
    assert shell.run("test -e /run/wardwell/unsealed", check=False).returncode == 1


def test_both_sides_open_it_and_it_serves_within_a_minute(story: Story, shell: Shell) -> None:
    with story.timed("unsealing"):
        custody.unseal(shell, story.cards.enough())
    with story.timed("serving after unsealing"):
        story.wait_until_serving(60)
    assert story.seconds["unsealing"] + story.seconds["serving after unsealing"] <= 60
    assert story.workstations.sign_in("coordinator")["state"] == "ready"


@pytest.mark.timeout(600)
def test_an_export_arrives_and_an_officer_reads_the_exposure(
    story: Story, installed: Installed, tmp_path: Path
) -> None:
    journey.exports_arrive(installed.agency, tmp_path)
    journey.an_officer_reads_the_exposure(story, patience=30)


@pytest.mark.timeout(900)
def test_a_backup_lives_on_in_a_second_machine(
    story: Story, shell: Shell, installed: Installed, tmp_path: Path
) -> None:
    made = json.loads(
        shell.output("mkdir -p /root/backup; wardwell backup create --to /root/backup --json", timeout=600)
    )
    assert made["files"] > 0
    shell.run("tar -C /root -cf /root/backup.tar backup")
    archive = tmp_path / "backup.tar"
    archive.write_bytes(shell.get("/root/backup.tar"))
    size = _log_size(shell)

    other = installed.container().shell
    other.put(archive, "/root/backup.tar")
    other.run("tar -C /root -xf /root/backup.tar --no-same-owner")
    cards = custody.hold_ceremony(other, present=story.cards)
    other.run("systemctl stop wardwell.target wardwell-backup.timer")
    typed = "\n".join(cards.enough()) + "\n"
    wrong = other.run("wardwell backup restore /root/backup --set-aside --stdin", input=typed[:-9] + "\n", check=False)
    assert wrong.returncode in (1, 3)
    other.run("wardwell backup restore /root/backup --set-aside --stdin", input=typed, timeout=600)
    other.run("systemctl start wardwell.target", timeout=120)
    again = Story(other, installed.agency, tmp_path)
    again.people = Workstations(installed.agency, other, tmp_path / "desks", {})
    again.people.people = story.workstations.people
    again.wait_until_serving()
    # Who signs in with the same phone is known there, and the log went on from where it was.
    assert again.people.sign_in("coordinator")["state"] == "ready"
    assert _log_size(other) > size


def _log_size(shell: Shell) -> int:
    return int(shell.output("sed -n 2p /var/lib/wardwell/public/ledger/checkpoint"))
