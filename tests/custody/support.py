"""What custody's tests share: a machine made of files, people who hold cards, a ceremony that was held."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from appliance.custody import ceremony
from appliance.custody.machine import Machine
from appliance.custody.offers import Offers
from appliance.custody.public_record import Holder, Places
from appliance.custody.serve import Server
from appliance.custody.shares import GROUPS, Card, Scheme
from appliance.errors import WardwellError
from appliance.settings import Home

HOLDERS = {
    group: [
        Holder(f"{group.title()} {number}", f"desk {number}", f"555-010{number}", 1 if group == "agency" else number)
        for number in (1, 2, 3)
    ]
    for group in GROUPS
}


class Files(Machine):
    """A machine whose device is a file that says what is on it. `fail_at` names the one step that fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[str] = []
        self.fail_at = ""
        self.mounted = False
        self.running = False

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.fail_at:
            raise WardwellError(f"`{name}` failed.", "Mend it.")

    @property
    def volume(self) -> Path:
        return self.folder / "mapped"

    def contents(self, device: str) -> str:
        path = Path(device)
        text = path.read_text() if path.exists() else ""
        return "crypto_LUKS" if text.startswith("luks ") else text.split("\n")[0].removeprefix("open:")

    def format(self, device: str, key: str) -> None:
        Path(device).write_text(f"luks {key}\n")
        self._step("format")

    def fits(self, device: str, key: str) -> bool:
        return key in Path(device).read_text().removeprefix("luks ").split()

    def add_key(self, device: str, key: str, new: str) -> None:
        assert self.fits(device, key)
        path = Path(device)
        path.write_text(f"luks {path.read_text().removeprefix('luks ').strip()} {new}\n")
        self._step("add_key")

    def remove_key(self, device: str, key: str) -> None:
        path = Path(device)
        path.write_text(path.read_text().replace(key, "").replace("luks  ", "luks "))
        self._step("remove_key")

    def open(self, device: str, key: str) -> None:
        self._step("open")
        if not self.fits(device, key):
            raise WardwellError("`cryptsetup open` failed: no key available with this passphrase.")
        inside = self.folder / "inside"
        self.volume.write_text(inside.read_text() if inside.exists() else "")

    def close(self) -> None:
        (self.folder / "inside").write_text(self.volume.read_text())
        self.volume.unlink()
        self._step("close")

    def make_file_system(self) -> None:
        self.volume.write_text("ext4")
        self._step("make_file_system")

    def is_mounted(self, home: Home) -> bool:
        return self.mounted

    def mount(self, home: Home) -> None:
        self._step("mount")
        self.mounted = True

    def unmount(self, home: Home) -> None:
        self._step("unmount")
        self.mounted = False

    def lay_out(self, home: Home) -> list[str]:
        self._step("lay_out")
        return []

    def start(self) -> None:
        self._step("start")
        self.running = True

    def stop(self) -> None:
        self._step("stop")
        self.running = False


class People:
    """Those in the room: they write down the card that is shown, and type it when they are asked for it.

    `answers` are taken first. `stop_at` is the number of the question at which the power goes.
    """

    def __init__(self, answers: list[str] | None = None, stop_at: int = -1) -> None:
        self.answers = answers or []
        self.stop_at = stop_at
        self.asked: list[str] = []
        self.said: list[str] = []
        self.screen: list[str] = []
        self.cards: dict[str, str] = {}
        self.most_on_screen = 0

    def say(self, text: str) -> None:
        self.said.append(text)
        self.screen.append(text)
        if text.startswith("WARDWELL CUSTODY CARD"):
            holder = re.search(r"Holder: (.*)", text)
            assert holder is not None
            numbered = re.findall(r"(\d+)\. ([a-z]+)", text)
            self.cards[holder[1]] = " ".join(word for _, word in sorted(numbered, key=lambda item: int(item[0])))

    def ask(self, question: str) -> str:
        self.asked.append(question)
        self.most_on_screen = max(self.most_on_screen, sum(text.count("CUSTODY CARD") for text in self.screen))
        if len(self.asked) == self.stop_at:
            raise KeyboardInterrupt
        if question.endswith("are enough)"):
            return self.cards[question.split(":")[0]]
        return self.answers.pop(0) if self.answers else ""

    def clear(self) -> None:
        self.screen.clear()


def names() -> list[str]:
    """What the people answer when they are asked for holders: three of each group, no fourth copy."""
    lines: list[str] = []
    for group in GROUPS:
        for holder in HOLDERS[group]:
            lines += [holder.name, holder.place, holder.telephone]
        lines += [""] if group == "agency" else []
    return lines


def make_shares_home(home: Home, device: str = "") -> Places:
    """`home` with custody by shares."""
    home.settings_file.write_text(
        f'agency = "Test Agency"\ncustody = "shares"\n[disk]\ndevice = "{device}"\n', encoding="utf-8"
    )
    return Places.of(home)


def hold(places: Places, machine: Machine) -> dict[str, list[Card]]:
    """A ceremony held by program; its cards by group. The appliance is unsealed afterwards."""
    cards = ceremony.hold_by_program(places, machine, HOLDERS, Scheme())
    return {group: [card for card in cards if card.group == group] for group in GROUPS}


@contextlib.contextmanager
def serving(places: Places, machine: Machine, now: Callable[[], float] | None = None) -> Iterator[Server]:
    """Custody's process, in a thread."""
    with Server(places, machine, Offers(now) if now else None) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
