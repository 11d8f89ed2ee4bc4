"""The installed root as a real machine, opened and founded: what a container cannot prove of its kernel.

The tests of this file tell one story in order, on one emulated machine. What holds before it is opened is in
`test_booted.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.health.compartments import SILENT
from tests.appliance import custody, probes
from tests.appliance.installation import Installed
from tests.appliance.machine import Machine
from tests.appliance.probes import COMPARTMENTS
from tests.appliance.ssh import Shell
from tests.appliance.story import Story
from tests.support.waiting import until

pytestmark = pytest.mark.vm


@pytest.fixture(scope="module")
def story(machine: Machine, installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    story = Story(machine.shell, installed.agency, tmp_path_factory.mktemp("people"))
    yield story
    print(f"\n{story.summary()}")


def test_shares_open_the_encrypted_volume(machine: Machine, story: Story, shell: Shell) -> None:
    story.hold_ceremony()
    # /var is bound onto itself, so the mount is listed for both.
    assert set(shell.output("findmnt -no SOURCE /var/lib/wardwell").split()) == {"/dev/mapper/wardwell-data"}
    assert "LUKS2" in shell.output("cryptsetup status wardwell-data")
    shell.run("echo 'lies on the volume' > /var/lib/wardwell/log/marker; sync")
    shell.run("wardwell custody seal")
    assert shell.run("findmnt /var/lib/wardwell", check=False).returncode == 1
    assert shell.run("test -e /dev/mapper/wardwell-data", check=False).returncode == 1
    # Of what was written nothing can be read on the disk; the control is the volume's own header.
    shell.run("sync")
    disk = machine.file("data").read_bytes()
    assert b"lies on the volume" not in disk
    assert b"LUKS\xba\xbe\x00\x02" in disk
    del disk
    custody.unseal(shell, story.cards.enough())
    assert shell.output("cat /var/lib/wardwell/log/marker") == "lies on the volume"
    shell.run("rm /var/lib/wardwell/log/marker")
    story.wait_until_serving()


def test_every_service_is_up_as_its_own_user(story: Story, shell: Shell) -> None:
    for name in COMPARTMENTS:
        unit = f"wardwell@{name}.service"
        shell.run(f"timeout 120 sh -c 'until systemctl -q is-active {unit}; do sleep 1; done'")
        assert shell.output(f"ps -o user:32= -p $(systemctl show -P MainPID {unit})") == f"wardwell-{name}"
    assert shell.output("systemctl is-active auditd nftables chrony apparmor").split() == ["active"] * 4


def test_the_audit_writes_its_own_log_and_no_other(shell: Shell) -> None:
    shell.run("touch /etc/sudoers.d && sync")
    shell.run("timeout 30 sh -c 'until grep -q accounts /var/log/audit/audit.log; do sleep 1; done'")
    assert shell.output("journalctl -b -q -o cat _TRANSPORT=audit | wc -l") == "0"


def test_founding_and_sign_in(story: Story) -> None:
    story.found()
    for name in ("coordinator", "trustee"):
        story.workstations.first_sign_in(name)


def test_root_reaches_the_worker_of_every_compartment(story: Story, shell: Shell) -> None:
    lines = shell.output("wardwell upkeep --wait 200").splitlines()
    assert sorted(lines) == sorted(f"{name}: done" for name in COMPARTMENTS)


def test_every_process_is_confined_and_no_route_is_denied(story: Story, shell: Shell) -> None:
    for name in COMPARTMENTS:
        labels = probes.confinement(shell, f"wardwell@{name}.service")
        assert labels
        assert all("(enforce)" in label for label in labels.values()), labels
    for host, path in ROUTES:
        assert story.workstations.status(host, path) < 500, (host, path)
    assert probes.denials(shell) == []
    # The control: what is outside a profile is denied, and the denial is seen.
    label = next(iter(probes.confinement(shell, "wardwell@post.service").values())).split(" ")[0]
    assert shell.run(f"aa-exec -p {label} cat /etc/shadow", check=False).returncode != 0
    assert any("shadow" in line for line in probes.denials(shell))


def test_memory_limits_are_enforced(story: Story, shell: Shell) -> None:
    for name in COMPARTMENTS:
        assert probes.memory_limit(shell, f"wardwell@{name}.service") <= 1024 * 1024 * 1024
    megabytes = probes.memory_limit(shell, "wardwell@press.service") // 1024 // 1024 + 64
    assert probes.survives(shell, megabytes)
    assert not probes.survives(shell, megabytes, "wardwell@press.service")
    story.wait_until_serving()


def test_doctor_finds_nothing(story: Story, shell: Shell) -> None:
    story.witness()

    # A part was killed just now, for its memory: emulated, it takes longer than a real machine to be heard of again.
    def well() -> bool:
        done = shell.run("wardwell doctor", check=False, timeout=600)
        assert not done.returncode or SILENT in done.stdout, done.stdout
        return not done.returncode

    until(well, 300, 5)
    # The witness came and went by SFTP, in its own sandbox and with its quota.
    assert [line for line in probes.denials(shell) if "shadow" not in line] == []
    assert "wardwell-witness" in shell.output("repquota -u /var/lib/wardwell")
    assert shell.output("systemctl list-units --failed --no-legend --plain") == ""


# Of each blueprint and folder one address. Without a session most answer with a refusal, which takes the same code.
DESK = ["/", "/sign-in", "/charter", "/roles/", "/trustee/", "/reports/", "/status/", "/coordinator/", "/receipts/"]
ROUTES = [
    *(("desk", path) for path in DESK),
    *(("space", path) for path in ("/", "/site.json", "/crisis/", "/charter/", "/ledger/checkpoint")),
    *(("post", path) for path in ("/state", "/boards/index.json")),
]
