"""The agency's roster: who works here, in which unit, under which call sign.

Owns: reading the signed roster file and the people made from it. A person keeps the handle drawn at the first roster
for ever. Groups and the floor come from this headcount, never from the directory. Must never see: an exposure, a role.

File: CSV in UTF-8 with the columns employee_number, name, call_sign, unit, division and, optionally, duties (words
such as "supervisor" or "internal affairs", which exclude from coordinating).
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from appliance import clock
from appliance.crypto import sshsig
from appliance.crypto.trusted_keys import signer_key
from appliance.desk.models.base import Outbox
from appliance.desk.models.people import Person, RosterVersion
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.append import append
from appliance.spool.log_entries import RosterTaken, request
from appliance.spool.messages import RosterPerson, RosterPublished
from appliance.storage import Store

COLUMNS = ("employee_number", "name", "call_sign", "unit", "division")
OPTIONAL = ("duties",)
NAMESPACE = "wardwell-roster"


@dataclass(frozen=True)
class Row:
    """One line of the roster file."""

    person_id: str
    name: str
    call_sign: str
    unit: str
    division: str
    duties: str


def read_file(path: Path) -> tuple[list[Row], str]:
    """The rows of a roster file and its SHA-256 (hex). Raises WardwellError naming file and line, never a value."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError:
        raise WardwellError(f"{path.name} cannot be read.", "Check the path and its permissions.") from None
    except UnicodeDecodeError:
        raise WardwellError(f"{path.name} is not UTF-8.", "Export the roster as CSV in UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        names = tuple(reader.fieldnames or ())
        if not set(COLUMNS) <= set(names) or not set(names) <= {*COLUMNS, *OPTIONAL}:
            raise WardwellError(
                f"{path.name}, line 1: the columns must be {', '.join(COLUMNS)} (and at most {', '.join(OPTIONAL)}).",
                "Export the roster with exactly these columns.",
            )
        for values in reader:
            rows.append(_row(path, reader.line_num, values))
    except csv.Error:
        raise WardwellError(f"{path.name}, line {reader.line_num}: not CSV.", "Correct that line.") from None
    _no_doubles(path, rows)
    return rows, hashlib.sha256(raw).hexdigest()


def _row(path: Path, line: int, values: dict[str | None, str | None]) -> Row:
    if None in values or any(values.get(column) is None for column in COLUMNS):
        raise WardwellError(f"{path.name}, line {line}: too many or too few cells.", "Correct that line.")
    got = {key: (value or "").strip() for key, value in values.items() if key}
    for column in ("employee_number", "name", "unit", "division"):
        if not got[column]:
            raise WardwellError(f"{path.name}, line {line}: {column} is empty.", "Fill it in.")
    if any(len(value) > 100 for value in got.values()):
        raise WardwellError(f"{path.name}, line {line}: a cell is longer than 100 characters.", "Shorten it.")
    return Row(
        got["employee_number"], got["name"], got["call_sign"], got["unit"], got["division"], got.get("duties", "")
    )


def _no_doubles(path: Path, rows: list[Row]) -> None:
    if not rows:
        raise WardwellError(f"{path.name} has no rows.", "Export the whole roster.")
    for what, values in (
        ("employee_number", [row.person_id for row in rows]),
        ("call_sign", [row.call_sign for row in rows if row.call_sign]),
    ):
        seen: set[str] = set()
        for value in values:
            if value in seen:
                raise WardwellError(f"{path.name}: the same {what} is on two lines.", "Correct the roster.")
            seen.add(value)


def signers(home: Home, path: Path) -> tuple[str, str]:
    """Check the two signatures beside the roster file (`.agency.sig`, `.trustee.sig`); the signers' key comments.

    SSHSIG, namespace `wardwell-roster`, by `public/agency.pub` and `public/trustee.pub`. Raises WardwellError.
    """
    return verify_two(home, path, NAMESPACE)


def verify_two(home: Home, path: Path, namespace: str) -> tuple[str, str]:
    """Check that agency and trustee both signed the file at `path`; who they are, by their keys' comments."""
    names = []
    for signer in ("agency", "trustee"):
        signature = path.with_name(f"{path.name}.{signer}.sig")
        try:
            line = signer_key(home, signer)
            armored = signature.read_bytes()
        except OSError:
            raise WardwellError(
                f"{path.name} is not signed by the {signer}: {signature.name} or {signer}.pub is missing.",
                f"Sign it: ssh-keygen -Y sign -n {namespace} -f KEY {path.name}",
            ) from None
        sshsig.verify(line, path.read_bytes(), armored, namespace)
        names.append(line.split(" ", 2)[2] if line.count(" ") >= 2 else signer)
    return names[0], names[1]


def take(store: Store, path: Path, by: tuple[str, str]) -> RosterVersion:
    """Take a roster: people added, changed or set inactive, the leaf in the ledger, the whole list to the intake.

    `by` are the two signers, agency first. Taking the same bytes again changes nothing.
    Raises WardwellError, LedgerDown.
    """
    rows, digest = read_file(path)
    with store.read() as session:
        newest = session.scalar(select(RosterVersion).order_by(RosterVersion.version.desc()).limit(1))
        if newest is not None and newest.sha256 == digest:
            session.expunge(newest)
            return newest
        version = (newest.version if newest is not None else 0) + 1
    entry = RosterTaken(version=version, headcount=len(rows), sha256=digest)
    index = append(store.home, request(entry)).public_index
    with store.write() as session:
        taken = RosterVersion(
            version=version,
            taken_at=clock.now(),
            sha256=digest,
            headcount=len(rows),
            agency_signer=by[0],
            trustee_signer=by[1],
            leaf_index=index,
        )
        session.add(taken)
        _write_people(session, rows)
        delivery.enqueue(session, Outbox, published(session, version), receiver="intake")
    delivery.flush(store, Outbox)
    return taken


def _write_people(session: Session, rows: list[Row]) -> None:
    known = {person.person_id: person for person in session.scalars(select(Person))}
    for person in known.values():
        person.active = False
    for row in rows:
        person_row = known.get(row.person_id)
        if person_row is None:
            person_row = Person(handle=secrets.token_hex(16), person_id=row.person_id)
            session.add(person_row)
        person_row.name, person_row.call_sign, person_row.unit = row.name, row.call_sign, row.unit
        person_row.division, person_row.duties, person_row.active = row.division, row.duties, True
    session.flush()


def published(session: Session, version: int) -> RosterPublished:
    """The message that hands the whole present roster to the intake."""
    people = session.scalars(select(Person).where(Person.active).order_by(Person.person_id))
    return RosterPublished(
        roster_version=version,
        people=[
            RosterPerson(
                person_id=p.person_id,
                handle=p.handle,
                name=p.name,
                call_sign=p.call_sign,
                unit=p.unit,
                division=p.division,
            )
            for p in people
        ],
    )


def headcount(store: Store) -> int:
    """How many people are on the present roster."""
    with store.read() as session:
        return int(session.scalar(select(func.count()).where(Person.active)) or 0)
