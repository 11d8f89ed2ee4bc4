"""A log that was restored from a backup, as a browser sees it that knows what was lost: told, and no alarm.

Only when both custody groups signed it, after what was lost was seen, and once; else it is a rewritten log.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from appliance import clock
from appliance.crypto import notes, tiles
from appliance.crypto.canonical import canonical
from appliance.crypto.restore_statement import Restored
from appliance.crypto.sealing import info, key_pair, seal
from appliance.custody.keys import custody_signer
from appliance.ledger.keys import load
from appliance.ledger.models import Leaf
from tests.space.conftest import Call
from tests.space.live_site import CUSTODY_ROOT, LiveSite
from tests.space.walk import create, minutes_until, sign_in

ORIGIN = "wardwell/test"
HANDLE = "ab" * 16
SEEN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RESTORED = SEEN + timedelta(hours=1)
LOOKED = SEEN + timedelta(hours=2)
KEPT = 5  # leaves that the backup had; the vault had seen seven


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class World:
    """A ledger's keys, custody's, and one officer's mailbox key."""

    def __init__(self) -> None:
        self.ledger, self.custody = notes.Signer.generate(ORIGIN), notes.Signer.generate("wardwell-custody")
        self.mailbox = key_pair()
        self.site = {"ledger_vkey": str(self.ledger.verifier), "witness_vkey": ""}
        self.site["custody_vkey"] = str(self.custody.verifier)
        before = Log(self)
        before.leaves.append(
            canonical({"v": 1, "kind": "mailbox-key", "handle": HANDLE, "key": _b64(self.mailbox.public)})
        )
        before.add_others(3)
        before.add_entry("Jordan")
        self.kept = before.copy()
        before.add_entry("Riley")
        before.add_others(1)
        self.before = before

    def statement(
        self, *, by: notes.Signer | None = None, at: datetime = RESTORED, size: int = KEPT, root: bytes | None = None
    ) -> str:
        checkpoint = notes.Checkpoint(ORIGIN, size, self.kept.root() if root is None else root)
        return Restored(checkpoint, at).sign(by or self.custody)

    def restored(self, *notes_: str, size: int = KEPT) -> Log:
        """The log after the restore: the statements, then the entry of another look under the lost one's number."""
        log = self.kept.copy()
        for note in notes_:
            log.leaves.append(canonical({"v": 1, "kind": "restored", "at": "x", "size": size, "note": note}))
        log.add_others(1)
        log.add_entry("Sam")
        return log

    def look(self, call: Call, *logs: Log, site: dict[str, str] | None = None) -> Any:
        """The vault sees the log of before the restore, then each of `logs`."""
        looks = [
            {"now": (SEEN if log is self.before else LOOKED).isoformat(), "files": log.files(), "entries": log.answer()}
            for log in (self.before, *logs)
        ]
        mailbox = {"seed": _b64(self.mailbox.seed), "public": _b64(self.mailbox.public)}
        return call("looks", handle=HANDLE, mailbox=mailbox, site=site or self.site, looks=looks)


@dataclass
class Log:
    """Leaves, and what desk has of the officer's own entries."""

    world: World
    leaves: list[bytes] = field(default_factory=list)
    entries: list[dict[str, object]] = field(default_factory=list)
    last: str = "0" * 64

    def copy(self) -> Log:
        return Log(self.world, list(self.leaves), list(self.entries), self.last)

    def add_others(self, count: int) -> None:
        self.leaves += [canonical({"v": 1, "kind": "board", "n": len(self.leaves) + n}) for n in range(count)]

    def add_entry(self, actor: str) -> None:
        body = {"actor": actor, "actor_role": "coordinator", "category": "attendance", "purpose": "duty_of_care"}
        body |= {"outcome": "allowed", "incident": "", "note": ""}
        sequence = len(self.entries) + 1
        plain = canonical(
            {
                "v": 1,
                "handle": HANDLE,
                "sequence": sequence,
                "previous": self.last,
                "at": "2026-11-23T11:00:00Z",
                "salt": hashlib.sha256(actor.encode()).hexdigest(),
                "body": {**body, "everyone": False},
            }
        )
        self.last = hashlib.sha256(plain).hexdigest()
        sealed = seal(self.world.mailbox.public, plain, info=info("entry", HANDLE))
        entry = {"sequence": sequence, "leaf_index": len(self.leaves), "provisional": False, "sealed": _b64(sealed)}
        self.entries.append(entry)
        self.leaves.append(canonical({"v": 1, "kind": "about", "commit": self.last}))

    def _built(self) -> tiles.Builder:
        builder = tiles.Builder()
        for leaf in self.leaves:
            builder.add(leaf)
        return builder

    def root(self) -> bytes:
        return self._built().root()

    def files(self) -> dict[str, str]:
        builder = self._built()
        checkpoint = notes.Checkpoint(ORIGIN, builder.size, builder.root())
        files = {**builder.take_full(), **builder.take_partial()}
        files["checkpoint"] = self.world.ledger.sign(checkpoint.text())
        return {f"ledger/{name}": _b64(data) for name, data in files.items()}

    def answer(self) -> dict[str, object]:
        return {
            "entries": self.entries,
            "provisional_key": None,
            "head": None,
            "mailbox_leaf_index": 0,
            "versions": [],
        }


@pytest.fixture
def world() -> World:
    return World()


def test_a_restore_that_both_sides_signed_is_told_and_no_alarm(call: Call, world: World) -> None:
    after = world.restored(world.statement())
    told = world.look(call, after, after)
    for found in told["found"]:
        assert {k: found[k] for k in ("rewritten", "keySwapped", "missing", "broken", "waiting", "unopened")} == {
            "rewritten": False,
            "keySwapped": False,
            "missing": [],
            "broken": [],
            "waiting": [],
            "unopened": [],
        }
    assert told["restored"] == [{"at": RESTORED.isoformat(), "size": KEPT, "lost": 2}]
    # What was about the officer stays readable, beside the one that has its number now.
    looks = {(look["body"]["actor"], look["lost"]) for look in told["looks"]}
    assert looks == {("Jordan", False), ("Riley", True), ("Sam", False)}
    assert [entry["sequence"] for entry in told["entries"] if not entry.get("lost")] == [1, 2]


def test_every_other_restore_is_a_rewritten_log(call: Call, world: World) -> None:
    unfounded = {name: value for name, value in world.site.items() if name != "custody_vkey"}
    one_side = notes.Signer.generate("wardwell-custody")
    told = {
        "unsigned": world.look(call, world.restored()),
        "not a note": world.look(call, world.restored("restored\n\n")),
        "by one side's key": world.look(call, world.restored(world.statement(by=one_side))),
        "by the ledger": world.look(call, world.restored(world.statement(by=world.ledger))),
        "custody's key not named by the trustee": world.look(call, world.restored(world.statement()), site=unfounded),
        "signed before the lost entries were seen": world.look(
            call, world.restored(world.statement(at=SEEN - timedelta(hours=1)))
        ),
        "signed in the future": world.look(call, world.restored(world.statement(at=LOOKED + timedelta(days=1)))),
        "back to another log": world.look(call, world.restored(world.statement(root=bytes(32)))),
        "the leaf says another size": world.look(call, world.restored(world.statement(), size=4)),
    }
    for case, result in told.items():
        assert result["found"][-1]["rewritten"] is True, case
        assert result["restored"] == [], case
        assert not any(entry.get("lost") for entry in result["entries"]), case
    # Control: the same log with the statement of both.
    assert world.look(call, world.restored(world.statement()))["found"][-1]["rewritten"] is False


def test_a_statement_explains_one_history_only(call: Call, world: World) -> None:
    note = world.statement()
    second = world.restored(note)
    second.leaves[-2] = canonical({"v": 1, "kind": "board", "n": 99})
    told = world.look(call, world.restored(note), second)
    assert [found["rewritten"] for found in told["found"]] == [False, False, True]
    # Control: a later restore has its own statement.
    again = world.restored(note, world.statement(at=LOOKED + timedelta(minutes=1)))
    assert [found["rewritten"] for found in world.look(call, world.restored(note), again)["found"]] == [False] * 3


@pytest.mark.browser
@pytest.mark.system
@pytest.mark.timeout(240)
def test_the_page_says_it_in_plain_words(site: LiveSite, page: Page) -> None:
    member, slip = site.member("robin", "officer")
    other, _ = site.member("casey", "officer")
    sign_in(page, member, member.fresh_code())
    create(page, site, slip)
    site.look(member.handle)
    page.get_by_role("link", name="Who looked", exact=True).first.click()
    minutes_until(page, page.get_by_text("incident C-2041"))
    site.look(other.handle)
    with site.ledger.store.read() as session:
        leaves = list(session.scalars(select(Leaf.data).order_by(Leaf.position)))
    kept = leaves[:-1]  # a backup that was made before the last look
    site.await_checkpoint()
    for _ in range(2):  # the first may have begun before that
        # The last of a minute: none begins while one is busy, and then the next is a real one away.
        with page.expect_response("**/api/deliveries/taken", timeout=90_000):
            page.clock.run_for(60_000)

    signer, files = load(site.home), dict[str, bytes]()

    def publish(*added: bytes) -> notes.Checkpoint:
        builder = tiles.Builder()
        for leaf in [*kept, *added]:
            builder.add(leaf)
        checkpoint = notes.Checkpoint(signer.name, builder.size, builder.root())
        made = {**builder.take_full(), **builder.take_partial(), "checkpoint": signer.sign(checkpoint.text())}
        files.update({f"/ledger/{name}": data for name, data in made.items()})
        return checkpoint

    def serve(route: Route) -> None:
        found = files.get(urlparse(route.request.url).path)
        route.fulfill(status=404) if found is None else route.fulfill(body=found)

    page.route("**/ledger/**", serve)
    page.route("**/witness/**", lambda route: route.fulfill(status=404))
    # Control: without the statement it is an alarm.
    checkpoint = publish()
    minutes_until(page, page.get_by_text("it was rewritten"))
    # The page's clock is ahead by the minutes that passed here.
    note = Restored(checkpoint, clock.now() + timedelta(minutes=30)).sign(custody_signer(CUSTODY_ROOT))
    statement = canonical({"v": 1, "kind": "restored", "at": "x", "size": len(kept), "note": note})
    publish(statement)
    minutes_until(page, page.get_by_text("The appliance was restored from a backup on"))
    sentence = page.get_by_text("The appliance was restored from a backup on")
    expect(sentence).to_contain_text(f"after number {len(kept)}")
    expect(sentence).to_contain_text("lost; both custody groups signed the restore")
    expect(page.get_by_text("does not add up")).to_have_count(0)
