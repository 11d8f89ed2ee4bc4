"""Updates from signed files: to a version that is in order, and back from one that is not. In a container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.installation import Installed
from tests.appliance.release import later
from tests.appliance.ssh import Shell
from tests.appliance.story import Story

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def story(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A founded appliance that somebody uses."""
    container = installed.container()
    story = Story(container.shell, installed.agency, tmp_path_factory.mktemp("people"))
    story.hold_ceremony()
    story.found()
    story.first_sign_in("coordinator")
    yield story
    print(f"\n{story.summary()}")


def _version(shell: Shell) -> str:
    return shell.output("basename $(readlink /opt/wardwell/current)")


def test_an_update_that_is_not_signed_is_refused(story: Story, tmp_path: Path, installed: Installed) -> None:
    changed = bytearray(installed.release.file.read_bytes())
    changed[len(changed) // 2] ^= 1
    file = tmp_path / "changed.bundle"
    file.write_bytes(changed)
    story.shell.put(file, "/root/changed.bundle")
    before = _version(story.shell)
    assert story.shell.run("wardwell update stage /root/changed.bundle", check=False).returncode == 3
    assert _version(story.shell) == before


def test_a_version_in_order_takes_over(story: Story, tmp_path: Path) -> None:
    shell = story.shell
    shell.put(later("0.2.0", tmp_path), "/root/next.bundle")
    shell.run("wardwell update check /root/next.bundle")
    with story.timed("staging"):
        shell.run("wardwell update stage /root/next.bundle", timeout=900)
    assert _version(shell) == "0.1.0"
    with story.timed("update"):
        shell.run("wardwell update apply 0.2.0", timeout=1200)
    assert _version(shell) == "0.2.0"
    story.wait_until_serving()
    assert story.workstations.sign_in("coordinator")["state"] == "ready"


def test_a_version_that_is_not_in_order_gives_way_to_the_one_before(story: Story, tmp_path: Path) -> None:
    shell = story.shell
    # A program that does not even compile is noticed before, when it is put in its place.
    broken = {"provisioning/supervisor/desk.conf.in": "this version of desk does not start"}
    shell.put(later("0.3.0", tmp_path, broken), "/root/broken.bundle")
    shell.run("wardwell update stage /root/broken.bundle", timeout=900)
    with story.timed("update and back"):
        done = shell.run("wardwell update apply 0.3.0", check=False, timeout=1800)
    assert done.returncode == 1, done.stdout
    assert "runs again" in done.stderr
    assert _version(shell) == "0.2.0"
    story.wait_until_serving()
    assert story.workstations.sign_in("coordinator")["state"] == "ready"


def test_an_older_version_is_refused(story: Story, installed: Installed) -> None:
    story.shell.put(installed.release.file, "/root/older.bundle")
    done = story.shell.run("wardwell update stage /root/older.bundle", check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert _version(story.shell) == "0.2.0"
