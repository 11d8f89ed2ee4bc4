"""`wardwell-demo attack`: an administrator with root and every key plays the adversary, and says what came of it.

Owns: the questions that root asks and the plain answers. Nothing is changed: forgeries are made on copies.
Must never see: more than root on the appliance would; what people know or carry (`demo/`) is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import click
from sqlalchemy import func, select

from appliance.crypto.trusted_keys import witnessed
from appliance.desk.models.follow_up import Incident
from appliance.desk.models.people import DeskAccount
from appliance.desk.models.sessions import SessionRow
from appliance.desk.models.vault import Vault
from appliance.errors import WardwellError
from appliance.intake.models import Call, Involvement
from appliance.settings import Home
from appliance.storage import open_store
from tests.demonstration import enrol, pockets
from tests.demonstration.attack_ledger import Forgery, forge
from tests.demonstration.attack_search import Search, search


@dataclass(frozen=True)
class Board:
    """One published board."""

    epoch: int
    kind: str
    cells: int


@dataclass(frozen=True)
class Report:
    """Everything that root found out."""

    typed: str
    search: Search
    control_text: str
    control: Search
    visits: dict[str, int]
    boards: list[Board]
    forgeries: list[Forgery]
    attended: dict[str, int]
    vaults: int

    @property
    def held(self) -> bool:
        """Whether every promise held and every control worked."""
        control, *forged = self.forgeries
        found_control = bool(self.control.places)
        return not self.search.places and found_control and not control.detected and all(f.detected for f in forged)


def run(home: Home, typed: str | None) -> Report:
    """Ask all of root's questions. `typed` is a text that an officer typed; without one, the prepared message."""
    text = typed or enrol.MESSAGE
    try:
        found = search(home, text)
    except ValueError as error:
        raise WardwellError(f"Nothing can be said about that: {error}.", "Give a longer piece of the text.") from None
    control = _known_text(home)
    witnessed(home)  # without a witness there is nothing to detect with: say so at once
    return Report(
        typed=text,
        search=found,
        control_text=control,
        control=search(home, control),
        visits=_visits(home),
        boards=_boards(home),
        forgeries=forge(home),
        attended=_attended(home),
        vaults=_vaults(home),
    )


def _known_text(home: Home) -> str:
    """A text that is on the appliance: the reference of an incident, else the name of the officer on the roster."""
    store = open_store(home, "desk")
    try:
        with store.read() as session:
            reference = session.scalar(select(Incident.reference).order_by(Incident.opened.desc()).limit(1))
    finally:
        store.close()
    if reference is not None and len(reference) >= 8:
        return reference
    officer = pockets.load_existing(home).of("officer")
    family, given = officer.display.rpartition(" ")[2], officer.display.rpartition(" ")[0]
    return f"{family}, {given}"


def _visits(home: Home) -> dict[str, int]:
    """Who has a session in desk's database: name -> how many. This root does learn."""
    store = open_store(home, "desk")
    try:
        with store.read() as session:
            rows = session.execute(
                select(DeskAccount.name, func.count())
                .join(SessionRow, SessionRow.handle == DeskAccount.handle)
                .where(SessionRow.kind == "space")
                .group_by(DeskAccount.name)
            ).all()
    finally:
        store.close()
    return {str(name): int(count) for name, count in rows}


def _boards(home: Home) -> list[Board]:
    path = home.public / "boards" / "index.json"
    listed: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return [Board(int(row["epoch"]), str(row["kind"]), int(row["cells"])) for row in listed]


def _attended(home: Home) -> dict[str, int]:
    """How many calls each of the demonstration's people attended, from the intake's database, by canonical type."""
    officer = pockets.load_existing(home).of("officer")
    store = open_store(home, "intake")
    try:
        with store.read() as session:
            kinds = session.scalars(
                select(Call.type)
                .join(Involvement, Involvement.call_id == Call.id)
                .where(Involvement.person_id == officer.number)
            ).all()
    finally:
        store.close()
    return dict(Counter(str(kind) for kind in kinds).most_common())


def _vaults(home: Home) -> int:
    store = open_store(home, "desk")
    try:
        with store.read() as session:
            return int(session.scalar(select(func.count()).select_from(Vault)) or 0)
    finally:
        store.close()


def show(report: Report, as_json: bool) -> None:
    """Print the report in plain sentences, or as JSON; exit code 1 when a promise did not hold."""
    if as_json:
        click.echo(json.dumps({**asdict(report), "held": report.held}, indent=1))
    else:
        for line in _lines(report):
            click.echo(line)
    if not report.held:
        raise SystemExit(1)


def _where(found: Search) -> str:
    return (
        f"{found.databases} databases opened with their keys ({found.cells:,} cells), "
        f"{found.files:,} files ({found.bytes / 1e6:.1f} MB): write-ahead logs, logs, spool, boards, memory"
    )


def _lines(report: Report) -> list[str]:
    officer = report.attended
    heavy = sum(count for kind, count in officer.items() if kind != "ordinary")
    lines = [
        "You are root on the appliance, with every compartment's key.",
        "",
        f'1. Searched for what the officer typed: "{report.typed}"',
        f"   in {_where(report.search)}",
        f"   {_verdict(not report.search.places, 'not found anywhere', 'FOUND in ' + ', '.join(report.search.places))}",
        f'   Control: "{report.control_text}", which is on the appliance, was found in '
        f"{', '.join(report.control.places[:4]) or 'NO PLACE: this search proves nothing'}",
        "",
        "2. Asked who wrote to the clinician",
    ]
    requests = [board for board in report.boards if board.kind == "requests"]
    lines += [
        f"   Boards: {', '.join(f'epoch {b.epoch}: {b.cells} cells' for b in requests) or 'none published yet'}, "
        "each of 8,192 bytes, opened by nobody here.",
        "   Every session of every enrolled person sends the same number of cells, real or empty, so the question",
        f"   has no answer here: any of the {report.vaults} people with a private space may have written, or nobody.",
        "",
        "3. Rewrote the access log (on a copy)",
    ]
    lines += [f"   {_forgery(forgery, control=number == 0)}" for number, forgery in enumerate(report.forgeries)]
    visits = ", ".join(f"{name} ({count})" for name, count in sorted(report.visits.items())) or "nobody at this moment"
    lines += [
        "",
        "4. What root did learn, because the appliance has to know it",
        f"   - who is signed in to the private space, and since when: {visits}",
        f"   - how many people have a private space ({report.vaults}), and whose; their size says only since when",
        f"   - who attended which call, as CAD says itself: the demonstration officer, {sum(officer.values())} calls, "
        f"{heavy} of them not ordinary. Root could add that up, as the agency could without Wardwell.",
        "   - roles, sign-in names, steps of follow-ups that were offered.",
        "   Not tried here, and not prevented by anything: a camera, a keylogger, or altered code for one officer.",
        "",
        "Every promise held." if report.held else "A PROMISE DID NOT HOLD, or a control failed: see above.",
    ]
    return lines


def _verdict(good: bool, yes: str, no: str) -> str:
    return yes if good else no


def _forgery(forgery: Forgery, *, control: bool) -> str:
    if control:
        return f"Control: {forgery.what}: {'accepted' if not forgery.detected else 'REFUSED: ' + forgery.words}"
    return f"{forgery.what}: {'detected. ' + forgery.words if forgery.detected else 'NOT DETECTED'}"
