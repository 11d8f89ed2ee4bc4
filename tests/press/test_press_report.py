"""A signed report: complete, nothing about a person in it, and refused after one flipped byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import clock
from appliance.charter.schema import SHIPPED
from appliance.crypto import merkle, sshsig
from appliance.crypto.canonical import canonical
from appliance.crypto.notes import COSIGNATURE, Checkpoint, Signer
from appliance.crypto.tiles import Builder, publish
from appliance.errors import WardwellError
from appliance.kit.report_verify import report_verify, verify
from appliance.press import keys, report
from appliance.press.commands import report as report_command
from appliance.press.worker import turn
from appliance.settings import Home
from appliance.spool.delivery import send
from appliance.spool.messages import ReportRequested
from appliance.storage import Store

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
NAME = "wardwell-report-2026-10-01-to-2026-11-22"
HANDLE = "feedfacefeedfacefeedfacefeedface"


def public(kind: str, at: str, **fields: Any) -> bytes:
    return canonical({"v": 1, "kind": kind, "at": at} | fields)


def about(number: int) -> bytes:
    return canonical({"v": 1, "kind": "about", "commit": f"{number:064x}"})


LEAVES = [
    public("charter", "2026-10-01T16:00:00Z", version=1, digest="c" * 64),
    public("roster", "2026-10-01T17:00:00Z", version=1, digest="d" * 64),
    public("grant", "2026-10-02T17:00:00Z", role="coordinator", subject=HANDLE, proposed_by="1", countersigned_by="2"),
    public("mailbox-key", "2026-10-02T18:00:00Z", handle=HANDLE, key="AAAA"),
    about(1),
    public("board", "2026-10-03T18:00:00Z", epoch=1, board="requests", sha256="e" * 64, cells=44),
    public("board", "2026-10-05T18:00:00Z", epoch=3, board="requests", sha256="e" * 64, cells=40),
    about(2),
    public("release", "2026-11-01T08:00:00Z", period="2026-10", sha256="f" * 64, inputs={}, epsilon=0),
    about(3),
    public("heads", "2026-11-20T08:00:00Z", epoch=4, root="a" * 64, rows=3),
]


@pytest.fixture
def ledger_key() -> Signer:
    return Signer.generate("wardwell/test-agency")


@pytest.fixture
def logged(home: Home, ledger_key: Signer) -> Home:
    """A home whose public log holds LEAVES, cosigned two hours before NOW."""
    write_log(home, ledger_key, LEAVES)
    return home


def write_log(home: Home, ledger: Signer, leaves: list[bytes], cosigned: datetime = NOW - timedelta(hours=2)) -> None:
    builder = Builder()
    for leaf in leaves:
        builder.add(leaf)
    note = ledger.sign(Checkpoint(ledger.name, builder.size, builder.root()).text())
    publish(home.public / "ledger", builder.take_full(), builder.take_partial(), note)
    (home.public / "ledger" / "vkey").write_text(str(ledger.verifier))
    witness = Signer.generate("witness.example", COSIGNATURE)
    (home.public / "witness").mkdir(exist_ok=True)
    (home.public / "witness" / "vkey").write_text(str(witness.verifier))
    (home.public / "witness" / "checkpoint").write_bytes(witness.cosign(note, cosigned))


def assembled(home: Home, first: str = "2026-10-01", last: str = "2026-10-31") -> dict[str, Any]:
    with clock.held(NOW):
        return report.assemble(home, *report._days(first, last))


def rows(document: dict[str, Any], id: str) -> list[list[str]]:
    (part,) = [part for part in document["sections"] if part["id"] == id]
    found: list[list[str]] = part["rows"]
    assert bool(part["none"]) != bool(found)
    return found


def test_it_lists_what_the_log_holds_for_the_period(logged: Home) -> None:
    document = assembled(logged)
    assert rows(document, "charter") == [["2026-10-01 16:00 UTC", "0", "1", "c" * 64]]
    assert rows(document, "grants") == [
        ["2026-10-02 17:00 UTC", "2", "granted", "coordinator", "proposed by one, countersigned by another"]
    ]
    assert rows(document, "boards") == [["requests", "2", "1", "3", "84"]]
    assert rows(document, "releases") == []
    assert ["entries about people (commitments only)", "2"] in rows(document, "entries")
    november = assembled(logged, "2026-11-01", "2026-11-30")
    assert rows(november, "releases") == [["2026-11-01 08:00 UTC", "8", "2026-10", "f" * 64, "0", "missing"]]


def test_its_tree_heads_and_proofs_fit_together(logged: Home) -> None:
    document = assembled(logged, "2026-10-03", "2026-10-31")
    log = document["log"]
    assert (log["first"]["size"], log["last"]["size"], log["newest"]["size"]) == (4, 8, 11)
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES]
    assert log["last"]["root"] == merkle.root(hashes[:8]).hex()
    proof = [bytes.fromhex(node) for node in log["first_to_last"]]
    assert merkle.verify_consistency(4, 8, merkle.root(hashes[:4]), merkle.root(hashes[:8]), proof)


def test_no_handle_and_nothing_of_an_entry_about_a_person_is_copied(logged: Home) -> None:
    document = assembled(logged, "2026-10-01", "2026-11-22")
    body = canonical(document)
    assert HANDLE.encode() in b"".join(LEAVES)  # positive control: it stands in the log
    assert HANDLE.encode() not in body
    assert f"{1:064x}".encode() not in body
    assert HANDLE not in report.layout(document)


def test_gaps_are_named(home: Home, ledger_key: Signer) -> None:
    write_log(home, ledger_key, [*LEAVES[:8], public("board", "2026-10-04T08:00:00Z", epoch=4, board="requests")])
    found = rows(assembled(home, "2026-09-28", "2026-11-22"), "gaps")
    assert ["The log begins inside the period", "first entry on 2026-10-01"] in found
    assert ["A day without an entry", "2026-10-04"] not in found
    assert ["48 days without an entry", "2026-10-06 to 2026-11-22"] in found
    assert ["A missing epoch: board of requests", "epoch 2"] in found
    assert ["A missing release", "2026-10"] in found
    assert ["An entry dated before the one above it", "entry 8"] in found


def test_a_release_that_is_there_is_no_gap_and_two_different_ones_are(home: Home, ledger_key: Signer) -> None:
    write_log(home, ledger_key, LEAVES)
    assert not [row for row in rows(assembled(home, "2026-10-01", "2026-11-22"), "gaps") if "release" in row[0]]
    again = public("release", "2026-11-21T08:00:00Z", period="2026-10", sha256="0" * 64, inputs={}, epsilon=0)
    write_log(home, ledger_key, [*LEAVES, again])
    found = rows(assembled(home, "2026-10-01", "2026-11-22"), "gaps")
    assert ["Two different releases of one month", "2026-10"] in found


def test_an_empty_period_says_none_in_every_section(logged: Home) -> None:
    document = assembled(logged, "2026-11-10", "2026-11-10")
    for part in document["sections"]:
        if part["id"] not in ("gaps", "entries"):
            assert part["none"] == "None in this period."
    assert rows(document, "gaps") == [["A day without an entry", "2026-11-10"]]


def test_the_witness_is_fresh_stale_missing_or_refused(home: Home, ledger_key: Signer) -> None:
    write_log(home, ledger_key, LEAVES)
    assert assembled(home)["witness"]["state"] == "fresh"
    write_log(home, ledger_key, LEAVES, cosigned=NOW - timedelta(hours=25))
    stale = assembled(home)["witness"]
    assert (stale["state"], stale["hours"]) == ("stale", 25)
    assert "OVERDUE" in stale["words"]
    (home.public / "witness" / "checkpoint").unlink()
    assert assembled(home)["witness"]["words"].startswith("None")
    # The witness saw another log: same size, other entries, signed by the same ledger.
    write_log(home, ledger_key, [*LEAVES[:-1], about(99)])
    other = {name: (home.public / "witness" / name).read_bytes() for name in ("checkpoint", "vkey")}
    write_log(home, ledger_key, LEAVES)
    for name, data in other.items():
        (home.public / "witness" / name).write_bytes(data)
    assert assembled(home)["witness"]["state"] == "refused"


def test_a_log_whose_entry_was_altered_makes_no_report(logged: Home) -> None:
    assembled(logged)
    (bundle,) = [path for path in (logged.public / "ledger" / "tile" / "entries").rglob("*") if path.is_file()]
    bundle.write_bytes(bundle.read_bytes().replace(b'"epsilon":0', b'"epsilon":9'))
    with pytest.raises(WardwellError, match="does not fit"):
        assembled(logged)


@pytest.mark.parametrize(("first", "last"), [("2026-10-31", "2026-10-01"), ("x", "2026-10-01"), ("2026-02-30", "x")])
def test_wrong_days_are_refused(first: str, last: str) -> None:
    with pytest.raises(WardwellError):
        report._days(first, last)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path, str]:
    """One exported report through the command, and what the command printed (the PDF is laid out once for all)."""
    root = tmp_path_factory.mktemp("report")
    home = Home(root / "home")
    for folder in (home.folder("press"), home.public):
        folder.mkdir(parents=True)
    home.settings_file.write_text('agency = "Test Agency"\ndemonstration = true\n')
    shutil.copy(SHIPPED, home.charter_file)
    write_log(home, Signer.generate("wardwell/test-agency"), LEAVES)
    arguments = ["export", "--from", "2026-10-01", "--to", "2026-11-22", "--out", str(root / "out")]
    with clock.held(NOW):
        result = CliRunner().invoke(report_command, arguments, env={"WARDWELL_HOME": str(home.root)})
    assert result.exit_code == 0, result.output
    return home, root / "out", result.output


def ssh_verify(folder: Path, name: str) -> bool:
    """Run the exact command that the report prints, in that folder."""
    found = subprocess.run(["sh", "-c", keys.verify_command(name)], cwd=folder, capture_output=True)
    return found.returncode == 0


@pytest.mark.parametrize("name", [f"{NAME}.json", f"{NAME}.pdf"])
def test_one_flipped_byte_is_refused_by_openssh_and_by_the_kit(
    exported: tuple[Home, Path, str], name: str, tmp_path: Path
) -> None:
    _, out, printed = exported
    assert keys.verify_command(name) in printed
    folder = tmp_path / "copy"
    shutil.copytree(out, folder)
    assert ssh_verify(folder, name)  # positive control: untouched, it is accepted
    verify(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    assert not ssh_verify(folder, name)
    with pytest.raises(WardwellError, match=f"{name} is refused"):
        verify(folder)


def test_the_kit_says_whose_key_it_was(exported: tuple[Home, Path, str], tmp_path: Path) -> None:
    home, out, _ = exported
    result = CliRunner().invoke(report_verify, [str(out), "--key", str(home.public / "press" / "report.pub")])
    assert result.exit_code == 0
    assert sshsig.fingerprint((home.public / "press" / "report.pub").read_text()) in result.output
    other = sshsig.public_line(sshsig.load_private(_key(tmp_path)), "other")
    with pytest.raises(WardwellError, match="another key"):
        verify(out, other)


def _key(folder: Path) -> Path:
    path = folder / "key"
    path.write_bytes(sshsig.generate_private_openssh())
    return path


def test_a_signed_report_whose_proof_does_not_hold_is_refused(exported: tuple[Home, Path, str], tmp_path: Path) -> None:
    """Who holds the report key still cannot claim another history than the ledger signed."""
    home, out, _ = exported
    folder = tmp_path / "copy"
    shutil.copytree(out, folder)
    document = json.loads((folder / f"{NAME}.json").read_bytes())
    document["log"]["last"]["root"] = "0" * 64
    body = canonical(document)
    (folder / f"{NAME}.json").write_bytes(body)
    (folder / f"{NAME}.json.sig").write_bytes(keys.sign(home, body))
    with pytest.raises(WardwellError, match="consistency proof"):
        verify(folder)


def test_the_pdf_is_tagged_shows_the_command_and_is_the_same_every_time(exported: tuple[Home, Path, str]) -> None:
    home, out, _ = exported
    pdf = (out / f"{NAME}.pdf").read_bytes()
    with clock.held(NOW):
        again = report.export(home, "2026-10-01", "2026-11-22")
    assert again.pdf == pdf
    assert again.json == (out / f"{NAME}.json").read_bytes()
    text = subprocess.run(
        ["pdftotext", "-layout", str(out / f"{NAME}.pdf"), "-"], capture_output=True, text=True
    ).stdout
    words = "".join(text.split())
    assert "".join(keys.verify_command(f"{NAME}.pdf").split()) in words
    assert "".join(keys.allowed_signers((home.public / "press" / "report.pub").read_text()).split()) in words
    assert HANDLE not in words
    info = subprocess.run(["pdfinfo", str(out / f"{NAME}.pdf")], capture_output=True, text=True).stdout
    assert "Tagged:" in info and "yes" in info.split("Tagged:")[1].splitlines()[0]


def test_desk_is_answered_also_when_there_is_no_report(home: Home, store_of: Callable[[str], Store]) -> None:
    store = store_of("press")
    send(home, "desk", "press", ReportRequested(request_id="r1", first_day="2026-10-31", last_day="2026-10-01"))
    turn(store)
    (message,) = home.spool("press", "desk").glob("*.json")
    told = json.loads(message.read_bytes())
    assert (told["message"], told["request_id"], told["pdf"]) == ("ReportPublished", "r1", "")
    assert "before the first" in told["problem"]
    assert turn(store) == []
    assert len(list(home.spool("press", "desk").glob("*.json"))) == 1
