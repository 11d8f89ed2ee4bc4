"""One appliance from the installation to its first sign-ins, in a container or a machine; each step takes its time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.appliance import custody, exports
from tests.appliance.agency import Agency
from tests.appliance.custody import Cards
from tests.appliance.founding import Founded, found
from tests.appliance.probes import COMPARTMENTS
from tests.appliance.release import WARDWELL
from tests.appliance.rootfs import run
from tests.appliance.ssh import Shell
from tests.appliance.workstations import Workstations
from tests.support.waiting import pause, until


@dataclass
class Story:
    """Who takes part, and how long each step took (seconds by its name)."""

    shell: Shell
    agency: Agency
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)
    cards: Cards = field(default_factory=Cards)
    founded: Founded | None = None
    people: Workstations | None = None

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - begun

    def hold_ceremony(self) -> None:
        with self.timed("ceremony"):
            self.cards = custody.hold_ceremony(self.shell)
            self.wait_until_serving()

    def found(self) -> None:
        with self.timed("founding"):
            self.founded = found(self.shell, self.agency, self.folder)
            self.people = Workstations(self.agency, self.shell, self.folder / "desks", self.founded.slips)
            self.wait_until_serving()

    def first_sign_in(self, name: str) -> None:
        with self.timed("first sign-in"):
            self.workstations.first_sign_in(name)

    @property
    def workstations(self) -> Workstations:
        assert self.people, "nobody was founded yet"
        return self.people

    def trustee_fingerprint(self) -> str:
        said = run("ssh-keygen", "-lf", self.agency.signer("trustee"))
        match = re.search(r"SHA256:\S+", said)
        assert match
        return match.group()

    def witness(self) -> None:
        """The trustee's own machine looks at the public log and brings its cosigned note back."""
        assert self.founded
        log, out = self.folder / "log", self.folder / "note"
        log.mkdir(exist_ok=True)
        out.mkdir(exist_ok=True)
        self._as_witness(f"get -R ledger {log}\n")
        run(
            *(WARDWELL, "kit", "witness", "--once", "--state", self.founded.witness),
            *("--log", log / "ledger", "--out", out),
        )
        self._as_witness(
            "".join(
                f"put {out}/{name} witness/{name}.part\nrename witness/{name}.part witness/{name}\n"
                for name in ("checkpoint", "vkey")
            )
        )

    def _as_witness(self, commands: str) -> None:
        done = exports.sftp(self.agency, commands, user="wardwell-witness", key=self.agency.witness_key())
        assert done.returncode == 0, done.stderr

    def wait_until_serving(self, seconds: float = 600) -> float:
        """Until every compartment is up and desk answers a browser; how long it took."""
        people = self.people or Workstations(self.agency, self.shell, self.folder / "desks", {})
        begun = time.monotonic()

        def serves() -> bool:
            if time.monotonic() - begun > 15:
                pause(3, "each look is a TLS handshake, and an emulated machine that starts everything manages few")
            return people.status("desk", "/sign-in") == 200 and people.status("post", "/state") == 200

        until(serves, seconds, 0.2, not_yet=OSError, explain=self.units)
        # Those that no browser speaks to come up in their own time.
        units = " ".join(["wardwell-drop-sshd.service", *(f"wardwell@{name}.service" for name in COMPARTMENTS)])
        left = max(1, int(seconds - (time.monotonic() - begun)))
        every = f"for unit in {units}; do until systemctl -q is-active $unit; do sleep 0.2; done; done"
        done = self.shell.run(f"timeout {left} sh -c '{every}'", check=False)
        assert done.returncode == 0, self.units()
        return time.monotonic() - begun

    def units(self) -> str:
        """How the units are, and the last lines of each, for a failure's message."""
        return self.shell.run(
            "systemctl --no-pager --no-legend list-units 'wardwell*'; "
            "for unit in custody sealed front; do journalctl -n 15 --no-pager -u wardwell-$unit; done; "
            "for c in ledger desk post intake press; do journalctl -n 15 --no-pager -u wardwell@$c;"
            " tail -n 5 /var/lib/wardwell/log/$c/*.log; done",
            check=False,
        ).stdout[-12000:]

    def summary(self) -> str:
        return ", ".join(f"{step} {seconds:.0f} s" for step, seconds in self.seconds.items())
