"""A machine to update: real files and links under a scratch folder; systemd, apt and the two versions are made up."""

from __future__ import annotations

import shutil
from pathlib import Path

from appliance.operate import update
from appliance.operate.update_machine import COPIED, Machine
from appliance.settings import Home


class PowerCut(BaseException):
    """The machine stops here; nothing after this line happens."""


class Fake(Machine):
    """The real files under `tmp_path`; systemd, apt and the two versions are made up.

    A version is in order when its release holds no file `broken` and it knows the schema of every database.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(Home(root / "data"), root / "opt")
        self.running, self.held, self.is_unsealed, self.boots = True, False, True, 1
        self.acts: list[str] = []
        self.cut_at = 10**9
        self.grows = False

    def _act(self, name: str) -> None:
        self.acts.append(name)
        if len(self.acts) == self.cut_at:
            raise PowerCut

    def power_returns(self) -> None:
        """The machine starts: sealed, nothing held, what is in memory gone."""
        self.running, self.held, self.is_unsealed, self.boots = False, False, False, self.boots + 1
        self.cut_at = 10**9

    def unseal(self) -> None:
        self.is_unsealed = True
        update.resume_data(self, lambda _words: None)
        self.start()

    def fingerprint(self) -> str:
        return "SHA256:trusted"

    def debian(self) -> str:
        return "12"

    def boot(self) -> str:
        return str(self.boots)

    def unsealed(self) -> bool:
        return self.is_unsealed

    def backup(self) -> None:
        self._act("backup")

    def hold(self) -> None:
        self._act("hold")
        self.held, self.running = True, False

    def stop(self) -> None:
        self._act("stop")
        self.held, self.running = True, False

    def copy(self) -> None:
        self._act("copy")
        super().copy()
        self._act("copied")

    def put_back(self) -> None:
        self._act("put back")
        data = self.home.root / "before-update" / "data"
        for name in COPIED:  # as the real one, with a cut between any two steps
            if (data / name).is_dir():
                shutil.rmtree(self.home.root / name, ignore_errors=True)
                self._act(f"removed {name}")
                (data / name).rename(self.home.root / name)
                self._act(f"put {name}")

    def drop_copy(self) -> None:
        self._act("drop copy")
        super().drop_copy()

    def switch(self, version: str, previous: str) -> None:
        self._act("switch")
        super().switch(version, previous)
        self._act("switched")

    def configure(self, version: str) -> None:
        self._act("configure")

    def start(self) -> None:
        self._act("start")
        assert self.is_unsealed
        version = self.leads("current")
        for name in ("desk", "intake"):
            database = self.home.database(name)
            content = database.read_text()
            if (self.release(version) / "moves").exists() and "schema 2" not in content:
                database.write_text("schema 2\n" + content)
            self._act(f"migrated {name}")
        if self.grows:
            (self.home.public / "ledger" / "checkpoint").write_text("origin\n8\nroot8\n")
        self.running = True
        self._act("started")

    def wrong(self, version: str) -> set[str]:
        if (self.release(version) / "broken").exists():
            return {"process desk"}
        newest = "schema 2" in self.home.database("desk").read_text()
        return {"database desk"} if newest and not (self.release(version) / "moves").exists() else set()

    def wait_healthy(self, version: str, allowed: set[str], seconds: float = 0.0) -> set[str]:
        self._act("health")
        return self.wrong(version) - allowed

    def open(self) -> None:
        self._act("open")
        self.held = False

    def sound(self) -> str:
        """The version that serves, once all is settled; asserts that it serves whole."""
        assert self.running and not self.held and self.state() is None
        version = self.leads("current")
        assert not self.wrong(version)
        for name in COPIED:
            folder = self.home.root / name
            assert "row of before" in (folder / "database.db" if name != "spool" else folder / "1.json").read_text()
        assert not (self.home.root / "before-update").exists()
        return version


def moving(machine: Fake) -> None:
    """Version 1.1.0 brings another schema."""
    release = machine.release("1.1.0")
    (release / "src/appliance/storage/migrations/versions/desk/0002_more.py").touch()
    (release / "moves").touch()


def breaking(machine: Fake) -> None:
    (machine.release("1.1.0") / "broken").touch()


def quiet(_words: str) -> None:
    pass


def two_versions(root: Path) -> Fake:
    """Version 1.0.0 runs and 1.1.0 lies beside it."""
    fake = Fake(root)
    for name in COPIED:
        folder = fake.home.root / name
        folder.mkdir(parents=True)
        (folder / ("1.json" if name == "spool" else "database.db")).write_text("row of before\n")
    log = fake.home.public / "ledger"
    log.mkdir(parents=True)
    (log / "checkpoint").write_text("origin\n7\nroot7\n\nsignature\n")
    for version in ("1.0.0", "1.1.0"):
        (fake.release(version) / "src/appliance/storage/migrations/versions/desk").mkdir(parents=True)
        (fake.release(version) / "complete").touch()
    (fake.base / "current").symlink_to("releases/1.0.0")
    return fake
