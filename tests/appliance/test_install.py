"""Installation on a fresh Debian 12 without a network, from the bundle on a stick; and what must be refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.appliance.agency import STICK, Agency
from tests.appliance.container import Container
from tests.appliance.installation import install_command, put_on_stick
from tests.appliance.network import Network
from tests.appliance.release import Release
from tests.appliance.rootfs import Layer, run
from tests.appliance.ssh import Shell

pytestmark = pytest.mark.appliance


@pytest.fixture(scope="module")
def fresh(stock_root: Path, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    network = Network.make()
    agency = Agency(tmp_path_factory.mktemp("agency"), network)
    put_on_stick(release, agency)
    agency.start()
    container = Container(Layer.over(stock_root), network, media=agency.stick)
    container.start()
    yield Fresh(agency, container, release)
    container.close()
    agency.stop()
    network.close()


class Fresh:
    """A stock machine with the stick in it. Everything that is tried on it has to leave it as it was."""

    def __init__(self, agency: Agency, container: Container, release: Release) -> None:
        self.agency, self.shell, self.release = agency, container.shell, release
        self.before = untouched(self.shell)

    def refused(self, command: str, *, code: int = 3) -> str:
        """What was said; fails when the command did not refuse, or when the machine is not as it was."""
        done = self.shell.run(command, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "what to do:" in done.stderr
        assert untouched(self.shell) == self.before
        return done.stderr

    def with_bundle(self, change: Callable[[Path], object]) -> str:
        """The command that installs from a copy of the bundle that was changed."""
        copy = self.agency.stick / "changed"
        shutil.rmtree(copy, ignore_errors=True)
        # Links: most of it stays the same, and what is changed is first replaced by a copy.
        run("cp", "-al", self.agency.stick / "bundle", copy)
        change(copy)
        return install_command(self.release, self.agency.answers()).replace("/bundle/", "/changed/")


def untouched(shell: Shell) -> str:
    """Everything that an installation could change, as one text."""
    return shell.output(
        "find /etc /opt /usr /srv /root /var/lib /boot -xdev \\( -path /var/lib/systemd -o -name '*.pyc'"
        " -o -path /etc/.pwd.lock \\) -prune -o ! -type d -printf '%p %m %u %T@ %s\\n' | sort; dpkg -l; getent passwd"
    )


def _own(path: Path) -> Path:
    """The file with bytes of its own instead of a link to the bundle's."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def _flip(path: Path) -> None:
    content = bytearray(_own(path).read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _replace(path: Path, old: str, new: str) -> None:
    text = _own(path).read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: _flip(next(folder.glob("apt/nginx-light_*.deb"))), "not what was signed"),
        (lambda folder: _flip(folder / "source.tar"), "not what was signed"),
        (lambda folder: next(folder.glob("wheels/*.whl")).unlink(), "is missing"),
        (lambda folder: _own(folder / "source.tar").write_bytes(b"short"), "not what was signed"),
        (lambda folder: _replace(folder / "SHA256SUMS", "  source.tar", "  source2.tar"), "signature does not match"),
        (lambda folder: (folder / "SHA256SUMS.sig").unlink(), "SHA256SUMS.sig is missing"),
        (lambda folder: _replace(folder / "release.pub", "AAAAI", "AAAAJ"), ""),
    ],
    ids=["package", "source", "wheel-gone", "cut-short", "list", "no-signature", "key"],
)
def test_a_changed_bundle_is_refused_before_anything_changes(
    fresh: Fresh, change: Callable[[Path], object], said: str
) -> None:
    assert said in fresh.refused(fresh.with_bundle(change))


def test_a_bundle_of_another_key_is_refused(fresh: Fresh) -> None:
    command = install_command(fresh.release, fresh.agency.answers())
    other = command.replace(fresh.release.fingerprint, "SHA256:" + "A" * 43)
    assert "not by SHA256:AAAA" in fresh.refused(other)


def test_another_system_is_refused(fresh: Fresh) -> None:
    command = install_command(fresh.release, fresh.agency.answers())
    # Only this command sees another /etc/os-release.
    inner = f"printf 'ID=ubuntu\\nVERSION_ID=24.04\\n' > /run/other; mount --bind /run/other /etc/os-release; {command}"
    assert "not Debian 12" in fresh.refused(f'unshare --mount sh -c "{inner}"')


def test_the_wrong_use_is_said_and_changes_nothing(fresh: Fresh) -> None:
    done = fresh.shell.run(f"sh {STICK}/bundle/install.sh --frobnicate", check=False)
    assert (done.returncode, done.stderr.startswith("usage:")) == (2, True)
    assert untouched(fresh.shell) == fresh.before


def test_the_comparison_would_notice_a_change(fresh: Fresh) -> None:
    fresh.shell.run("touch /etc/changed")
    assert untouched(fresh.shell) != fresh.before
    fresh.shell.run("rm /etc/changed")
    assert untouched(fresh.shell) == fresh.before
