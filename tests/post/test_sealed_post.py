"""The sealed post through real servers: what arrives, and that nobody can see whether anything was written."""

from __future__ import annotations

import base64
import http.client
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from appliance.kit import cells
from appliance.post import boards
from appliance.storage import Store
from tests.post.post_site import cell
from tests.post.town import Town

pytestmark = pytest.mark.system


def seen(trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the wire shows of a session, apart from where ledger tiles and boards happened to end."""
    return [
        {**one, "received": 0 if one["url"].startswith(("space", "post/boards/index")) else one["received"]}
        for one in trace
        if "/ledger/tile/" not in one["url"]
    ]


def posts(trace: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(one["url"], one["sent"], one["status"]) for one in trace if "/cells/" in one["url"]]


def messages(done: dict[str, Any], at: int = 0) -> list[tuple[bool, str, str]]:
    return [(m["mine"], m["text"], m["state"]) for m in done["threads"][at]["messages"]]


def test_an_officer_writes_and_reads_the_reply(town: Town) -> None:
    town.person("officer", "officer")
    town.person("clinician", "clinician")
    town.list_supporter("clinician", 7)
    long = "I have not slept since the fire. " * 300  # two cells
    done = town.session("officer", {"do": "start", "to": 7, "text": long})
    assert done["problem"] is None
    assert messages(done) == [(True, long, "waiting")]
    thread = done["threads"][0]["thread"]
    town.next_day()
    assert messages(town.session("officer")) == [(True, long, "waiting")]  # the second half is on its way
    assert town.session("clinician")["threads"] == []  # not whole yet
    town.next_day()
    assert messages(town.session("officer")) == [(True, long, "board")]
    read = town.session("clinician", {"do": "write", "text": "Thank you for writing. Call me at 555-0100."})
    assert read["problem"] is None
    assert messages(read)[0] == (False, long, "received")
    assert read["threads"][0]["alias"] == "Blue Heron"
    town.next_day()
    done = town.session("officer", {"do": "write", "text": "I will."})
    assert messages(done) == [
        (True, long, "board"),
        (False, "Thank you for writing. Call me at 555-0100.", "received"),
        (True, "I will.", "waiting"),
    ]
    town.next_day()
    assert messages(town.session("clinician"))[2] == (False, "I will.", "received")
    ended = town.session("officer", {"do": "end", "thread": thread})
    assert ended["threads"] == []
    assert not any(thread in json.dumps(record) for record in ended["records"])


def test_rows_sizes_and_requests_are_the_same_whoever_wrote(town: Town) -> None:
    for name in ("writer", "silent", "thrifty"):
        town.person(name, "officer")
    town.person("clinician", "clinician")
    town.list_supporter("clinician", 7)
    start = {"do": "start", "to": 7, "text": "Word for word. " * 400}
    options: dict[str, dict[str, Any]] = {"writer": {}, "silent": {}, "thrifty": {"skipDummy": True}}
    traces: dict[str, list[Any]] = {name: [] for name in options}
    rows: dict[str, list[Any]] = {name: [] for name in options}
    for day in range(4):
        for name, extra in options.items():
            before = _stored(town)
            actions = [start] if name == "writer" and day == 0 else []
            done = town.session(name, *actions, **extra)
            assert done["problem"] is None
            traces[name].append(seen(done["trace"]))
            rows[name].append(_grown(before, _stored(town)))
        if day == 2:
            town.session("clinician", {"do": "write", "text": "A reply."})
        town.next_day()
    last = town.session("writer")
    assert (False, "A reply.", "received") in messages(last)  # there was something to see
    assert traces["writer"] == traces["silent"]
    assert rows["writer"] == rows["silent"]
    assert [len(posts(trace)) for trace in traces["writer"]] == [2] * 4
    assert {size for trace in traces["writer"] for _, size, _ in posts(trace)} == {8192 + 324}
    # Control: a browser that saves itself the dummies is told apart at once.
    assert traces["thrifty"] != traces["silent"] and rows["thrifty"] != rows["silent"]


def _stored(town: Town) -> dict[str, int]:
    """Counts of everything that desk and post hold, in databases and in memory."""
    counts: dict[str, int] = {}
    for store in (town.desk.store, town.post):
        with store.read() as session:
            names = session.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
            for name in names:
                counts[f"{store.compartment}.{name}"] = session.execute(
                    text(f"select count(*) from {name}")
                ).scalar_one()
    for path in town.memory.folder.rglob("*"):
        kind = path.relative_to(town.memory.folder).parts[0]
        counts[kind] = counts.get(kind, 0) + (path.stat().st_size if path.is_file() else 0) + path.is_file()
    return counts


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: value - before.get(name, 0) for name, value in after.items()}


def test_supporters_send_the_same_number_of_replies_each_session(town: Town) -> None:
    town.person("peer", "peer")
    town.person("officer", "officer")
    town.list_supporter("peer", 3)
    quiet = town.session("peer")["trace"]
    town.session("officer", {"do": "start", "to": 3, "text": "Hello"})
    town.session("officer")
    town.next_day()
    busy = town.session("peer", *[{"do": "write", "text": f"Reply {n}"} for n in range(3)])["trace"]
    assert posts(quiet) == posts(busy)
    assert len([1 for url, *_ in posts(busy) if url.endswith("replies")]) == 8
    town.next_day()
    got = town.session("officer")
    assert [text for mine, text, _ in messages(got) if not mine] == ["Reply 0", "Reply 1", "Reply 2"]


def test_a_missed_lock_is_never_made_up_for(town: Town) -> None:
    town.person("officer", "officer")
    assert len(posts(town.session("officer", abandon=True)["trace"])) == 1
    assert len(posts(town.session("officer")["trace"])) == 2


def test_what_a_killed_machine_lost_is_sent_again(town: Town) -> None:
    town.person("officer", "officer")
    town.person("peer", "peer")
    town.list_supporter("peer", 3)
    town.session("officer", {"do": "start", "to": 3, "text": "Only once"})
    lost = list((town.memory.folder / "cells" / str(town.epoch) / "requests").iterdir())
    assert len(lost) >= 4  # the peer's two, the officer's dummy, the officer's message
    for path in lost:
        path.unlink()
    town.next_day()
    # The lock's cell might still stand on the next board: only after that one it is sent again, under a fresh id.
    for _ in range(3):
        done = town.session("officer")
        assert len(posts(done["trace"])) == 2
        town.next_day()
    town.session("officer")
    received = town.session("peer")
    assert messages(received) == [(False, "Only once", "received")]


def test_without_post_or_ledger_the_session_goes_on(town: Town) -> None:
    town.person("officer", "officer")
    done = town.session("officer", withoutPost=True)
    assert "does not answer" in done["problem"] and posts(done["trace"]) == []
    checkpoint = town.home.public / "ledger" / "checkpoint"
    away = checkpoint.rename(checkpoint.with_name("away"))
    done = town.session("officer")
    away.rename(checkpoint)
    assert "checkpoint is missing" in done["problem"] and posts(done["trace"]) == []
    assert town.session("officer")["problem"] is None


def test_a_board_that_differs_from_its_digest_is_not_believed(town: Town) -> None:
    town.person("officer", "officer")
    town.session("officer")
    closed = town.epoch
    town.next_day()
    path = boards.path_of(town.home, closed, boards.REQUEST_IDS)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    done = town.session("officer")
    path.write_bytes(right)
    assert "not the one in the access log" in done["problem"]
    assert len(posts(done["trace"])) == 2  # the cells go all the same
    assert town.session("officer")["problem"] is None


def test_cells_are_opened_by_the_offline_kit_and_the_other_way(town: Town) -> None:
    keys = cells.new_keys()
    public = {
        "xwing": base64.b64encode(keys.public.xwing).decode(),
        "x25519": base64.b64encode(keys.public.x25519).decode(),
    }
    secret = {"xwing": base64.b64encode(keys.xwing).decode(), "x25519": base64.b64encode(keys.x25519).decode()}
    content = {"text": "Grüße ☂"}
    made = base64.b64decode(town.call("cells", seal={"to": public, "content": content})["cell"])
    assert len(made) == 8192 and cells.open_cell(keys, made) == content
    assert cells.open_cell(cells.new_keys(), made) is None
    here = base64.b64encode(cells.seal(keys.public, content)).decode()
    assert town.call("open", secret=secret, cell=here) == content
    assert list(cells.open_board(keys, made + cell())) == [content]
    tried = town.call("cells", dummies=30)
    assert tried["opened"] == [None] * 30 and tried["own"] == {"hello": "there"}
    assert set(tried["sizes"]) == {8192}


def test_supporters_keys_are_renewed_and_the_old_ones_destroyed(town: Town) -> None:
    town.person("officer", "officer")
    town.person("peer", "peer")
    first = town.list_supporter("peer", 3)
    assert first.number is None
    town.session("officer", {"do": "start", "to": 3, "text": "To the old key"})
    due = town.session("peer", {"do": "key-state"}, days=31)["answers"][0]
    assert due["dueForRenewal"] and due["listed"]
    second = town.list_supporter("peer", 3, days=31)
    assert second.number == 3 and second.xwing != first.xwing
    town.next_day()
    read = town.session("peer", {"do": "key-state"}, days=32)
    assert not read["answers"][0]["dueForRenewal"]
    assert messages(read) == [(False, "To the old key", "received")]  # the old key still opens what was on its way

    def kept(days: int) -> list[bool]:
        records = json.dumps(town.session("peer", days=days)["records"])
        return [one.xwing in records for one in (first, second)]

    assert kept(60) == [True, True]
    assert kept(63) == [False, True]


def _ask(town: Town, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", town.ports["post"], timeout=10)
    sent = {"Host": town.hosts.post, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {k: v for k, v in answer.getheaders() if k != "Date"}, data


def test_post_answers_with_the_same_bytes_and_no_more(town: Town) -> None:
    space = f"https://{town.hosts.space}"
    first, second = town.desk.draw(town.epoch)
    taken = [_ask(town, "POST", "/cells/requests", cell() + t, Origin=space) for t in (first, second)]
    assert taken[0] == taken[1] and taken[0][0] == 204 and taken[0][2] == b""
    forged, replayed = (_ask(town, "POST", "/cells/requests", cell() + t) for t in (bytes(324), first))
    assert forged == replayed and forged[0] == 403
    reply = town.desk.draw(town.epoch, "reply")[0]
    assert _ask(town, "POST", "/cells/requests", cell() + reply)[0] == 403  # wrong purpose
    assert _ask(town, "POST", "/cells/replies", cell() + reply)[0] == 204
    assert _ask(town, "POST", "/cells/requests", cell() + town.desk.draw(town.epoch + 5)[0])[0] == 403  # another epoch
    short, long = (_ask(town, "POST", "/cells/requests", body) for body in (b"short", bytes(20_000)))
    assert short == long and short[0] == 400
    assert _ask(town, "POST", "/cells/others", cell() + first)[0] == 404
    assert _ask(town, "GET", "/cells/requests")[0] == 405
    for headers in (taken[0][1], forged[1], short[1]):
        assert headers["Access-Control-Allow-Origin"] == space
        assert "Set-Cookie" not in headers and "Access-Control-Allow-Credentials" not in headers
    assert _ask(town, "GET", "/state", Host="localhost")[0] == 421
    assert _ask(town, "GET", "/state", Origin="https://evil.example")[0] == 403
    status, _, body = _ask(town, "GET", "/state", Origin=space)
    assert status == 200 and json.loads(body)["epoch"] == town.epoch


def test_nothing_that_post_keeps_names_anybody(town: Town) -> None:
    """Markers in every place a request can carry one, then a search in databases, WAL, logs, memory and boards."""
    marker = "marker-5d41402abc4b2a76"
    town.person("officer", "officer")
    town.person("peer", "peer")
    town.list_supporter("peer", 3)
    words = f"words {marker}"
    town.session("officer", {"do": "start", "to": 3, "text": words})
    handle = town.people["officer"][0]
    for path in ("/state", f"/state?{marker}", f"/{marker}"):
        _ask(
            town,
            "GET",
            path,
            Cookie=f"a={marker}",
            User_Agent=marker,
            Authorization=f"Bearer {marker}",
            X_Forwarded_For=marker,
            Referer=f"https://{marker}/",
        )
    _ask(town, "POST", "/cells/requests", marker.encode(), User_Agent=marker)
    addresses = re.compile(rb"127\.0\.0\.1:(?!%d\b)\d+" % town.ports["post"])

    def hits(needle: bytes) -> list[str]:
        return [name for name, data in _everything(town).items() if needle in data]

    assert hits(marker.encode()) == []
    assert hits(handle.encode()) == []
    log = town.log.read_bytes()
    assert not [m for m in addresses.findall(log) if not m.endswith(str(town.ports["desk"]).encode())]
    with town.desk.store.read() as session:
        for (session_id,) in session.execute(text("select id from session")):
            assert hits(session_id.encode()) == []
    # Control: the same search finds what is put into any of these places.
    with town.post.write() as session:
        session.execute(text("insert into outbox (message_id, receiver, body) values (:m, '', x'')"), {"m": marker})
    assert hits(marker.encode()) == ["database"]
    with town.post.write() as session:
        session.execute(text("delete from outbox"))
    town.memory.put(town.epoch, "requests", marker.encode())
    assert any(name.startswith("memory") for name in hits(marker.encode()))


def _everything(town: Town) -> dict[str, bytes]:
    found = {"database": _dump(town.post)}
    for folder in (town.home.folder("post"), town.home.root / "spool" / "post-to-ledger", town.home.log):
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "key":
                found[str(path)] = path.read_bytes()
    for path in (*town.memory.folder.rglob("*"), *(town.home.public / "boards").rglob("*")):
        found[f"memory {path}"] = str(path).encode() + (path.read_bytes() if path.is_file() else b"")
    return found


def _dump(store: Store) -> bytes:
    rows = []
    with store.read() as session:
        names = session.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
        for name in names:
            rows += [repr(tuple(row)) for row in session.execute(text(f"select * from {name}"))]
    return "\n".join(rows).encode()


def test_memory_files_carry_no_time(town: Town) -> None:
    began = time.time()
    town.next_day()
    town.person("officer", "officer")
    town.session("officer")
    files: list[Path] = [p for p in (town.memory.folder / "cells").rglob("*") if p.is_file()]
    assert len(files) >= 2 and all(path.stat().st_mtime == 0 for path in files)
    assert (town.memory.folder / "cells").stat().st_mtime >= began  # control: times are kept here as such
