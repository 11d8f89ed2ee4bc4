"""Promise: a role needs two people and stands in the ledger; the roster and the founding need two signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from appliance.account import Account
from appliance.charter import Charter
from appliance.crypto import sshsig
from appliance.desk.commands import desk as desk_command
from appliance.desk.models.people import Grant, Person, RosterVersion
from appliance.desk.people import founding_document, grants
from appliance.desk.roster import publication
from appliance.desk.sign_in import accounts, sessions
from appliance.errors import WardwellError
from appliance.settings import Home
from appliance.spool.append import LedgerDown
from appliance.spool.messages import RosterPublished
from appliance.storage import Store
from tests.support.desk_site import add_grant, add_member, add_person, quick_line

ROSTER = """employee_number,name,call_sign,unit,division
E1,"Carver, V",4203,Watch A,Patrol
E2,"Vale, H",4205,Watch B,Patrol
E3,"Sims, S",S1,Supervisors,Patrol
"""


@pytest.fixture
def keys(home: Home) -> dict[str, Any]:
    made = {}
    for signer in ("agency", "trustee"):
        path = home.root / f"{signer}.key"
        path.write_bytes(sshsig.generate_private_openssh())
        made[signer] = sshsig.load_private(path)
        (home.public / f"{signer}.pub").write_text(sshsig.public_line(made[signer], f"{signer}@example") + "\n")
    return made


def signed(
    path: Path, keys: dict[str, Any], namespace: str, text: str, by: tuple[str, ...] = ("agency", "trustee")
) -> Path:
    path.write_text(text)
    for signer in by:
        path.with_name(f"{path.name}.{signer}.sig").write_bytes(sshsig.sign(keys[signer], path.read_bytes(), namespace))
    return path


def account(store: Store, handle: str) -> Account:
    found = accounts.load(store, handle)
    assert found is not None
    return found


@pytest.fixture
def people(desk: Store) -> dict[str, Account]:
    """An IT person, two trustees and an auditor."""
    names = {"it": ("admin",), "trustee": ("trustee",), "second": ("trustee",), "audit": ("auditor",)}
    return {name: account(desk, add_member(desk, name, *roles).handle) for name, roles in names.items()}


def test_a_role_counts_only_when_two_people_signed_and_the_ledger_has_it(
    desk: Store, charter: Charter, people: dict[str, Account], ledger: Any
) -> None:
    handle = add_member(desk, "reyes", "officer").handle
    proposed = grants.propose(desk, charter, people["it"], handle, "coordinator")
    assert account(desk, handle).roles == {"officer"}
    with pytest.raises(WardwellError):
        grants.countersign(desk, charter, people["it"], proposed)
    with pytest.raises(WardwellError):
        grants.countersign(desk, charter, people["audit"], proposed)
    ledger.down = True
    with pytest.raises(LedgerDown):
        grants.countersign(desk, charter, people["trustee"], proposed)
    assert account(desk, handle).roles == {"officer"}
    ledger.down = False
    grants.countersign(desk, charter, people["trustee"], proposed)
    assert account(desk, handle).roles == {"officer", "coordinator"}
    leaf = ledger.leaves("grant")[0]
    assert leaf["role"] == "coordinator" and handle not in str(leaf)
    with desk.read() as session:
        assert leaf["subject"] == grants.subject(handle, session.get_one(Grant, proposed).salt)


def test_nobody_countersigns_the_own_proposal_or_the_own_role(
    desk: Store, charter: Charter, people: dict[str, Account], ledger: Any
) -> None:
    handle = add_member(desk, "reyes", "officer").handle
    own = grants.propose(desk, charter, people["trustee"], handle, "peer")
    with pytest.raises(WardwellError):
        grants.countersign(desk, charter, people["trustee"], own)
    grants.countersign(desk, charter, people["second"], own)
    for_trustee = grants.propose(desk, charter, people["it"], people["trustee"].id, "auditor")
    with pytest.raises(WardwellError):
        grants.countersign(desk, charter, people["trustee"], for_trustee)
    with pytest.raises(WardwellError):
        grants.propose(desk, charter, account(desk, handle), handle, "auditor")


@pytest.mark.parametrize("other", ["command", "hr", "auditor", "admin"])
def test_a_coordinator_holds_none_of_the_roles_that_the_charter_keeps_apart(
    desk: Store, charter: Charter, people: dict[str, Account], ledger: Any, other: str
) -> None:
    for first, second in ((other, "coordinator"), ("coordinator", other)):
        handle = add_person(desk, f"E-{first}-{second}")
        grants.countersign(desk, charter, people["trustee"], grants.propose(desk, charter, people["it"], handle, first))
        with pytest.raises(WardwellError):
            grants.propose(desk, charter, people["it"], handle, second)


@pytest.mark.parametrize(
    "values", [{"duties": "Shift supervisor"}, {"duties": "internal affairs"}, {"unit": "Supervisors"}]
)
def test_who_supervises_or_does_internal_affairs_coordinates_nothing(
    desk: Store, charter: Charter, people: dict[str, Account], values: dict[str, str]
) -> None:
    with pytest.raises(WardwellError):
        grants.propose(desk, charter, people["it"], add_person(desk, "E1", **values), "coordinator")
    assert grants.propose(desk, charter, people["it"], add_person(desk, "E2"), "coordinator")


def test_a_role_ends_by_two_people_and_takes_the_sessions_with_it(
    desk: Store, charter: Charter, people: dict[str, Account], ledger: Any
) -> None:
    handle = add_member(desk, "reyes", "officer").handle
    grant = grants.propose(desk, charter, people["it"], handle, "coordinator")
    grants.countersign(desk, charter, people["trustee"], grant)
    token = sessions.start(desk, handle, sessions.STAFF, "ready")
    grants.propose_end(desk, charter, people["it"], grant)
    assert "coordinator" in account(desk, handle).roles
    with pytest.raises(WardwellError):
        grants.countersign_end(desk, charter, people["it"], grant)
    grants.countersign_end(desk, charter, people["trustee"], grant)
    assert account(desk, handle).roles == {"officer"}
    assert sessions.find(desk, charter, token, sessions.STAFF) is None
    assert [leaf["kind"] for leaf in ledger.leaves("revoke")] == ["revoke"]
    assert all(held.handle != handle for held in grants.listed(desk))


def test_unknown_roles_people_and_repeats_are_refused(
    desk: Store, charter: Charter, people: dict[str, Account]
) -> None:
    handle = add_person(desk, "E1")
    add_grant(desk, handle, "cad")
    for who, role in [(handle, "officer"), (handle, "anyone"), (handle, "king"), ("0" * 32, "peer"), (handle, "cad")]:
        with pytest.raises(WardwellError):
            grants.propose(desk, charter, people["it"], who, role)
    with pytest.raises(WardwellError):
        grants.propose(desk, charter, people["it"], handle, "clinician")


def test_a_signed_roster_is_taken_and_handles_never_change(
    desk: Store, home: Home, keys: dict[str, Any], ledger: Any
) -> None:
    first = signed(home.root / "roster.csv", keys, publication.NAMESPACE, ROSTER)
    taken = publication.take(desk, first, publication.signers(home, first))
    assert (taken.version, taken.headcount, taken.agency_signer) == (1, 3, "agency@example")
    assert ledger.leaves("roster")[0]["headcount"] == 3
    with desk.read() as session:
        before = {p.person_id: p.handle for p in session.query(Person)}
    assert publication.take(desk, first, ("a", "b")).version == 1, "the same bytes again change nothing"
    changed = ROSTER.replace("E2,", "E4,").replace("Watch A", "Watch C")
    second = signed(home.root / "roster2.csv", keys, publication.NAMESPACE, changed)
    assert publication.take(desk, second, publication.signers(home, second)).version == 2
    with desk.read() as session:
        after = {p.person_id: (p.handle, p.active, p.unit) for p in session.query(Person)}
        assert session.query(RosterVersion).count() == 2
    assert after["E1"] == (before["E1"], True, "Watch C")
    assert after["E2"] == (before["E2"], False, "Watch B") and after["E4"][1]
    assert publication.headcount(desk) == 3
    messages = [
        msgspec.json.decode(path.read_bytes(), type=RosterPublished)
        for path in sorted(home.spool("desk", "intake").glob("*.json"))
    ]
    assert [(m.roster_version, [p.person_id for p in m.people]) for m in messages] == [
        (1, ["E1", "E2", "E3"]),
        (2, ["E1", "E3", "E4"]),
    ]


@pytest.mark.parametrize("by", [(), ("agency",), ("trustee",)])
def test_a_roster_without_both_signatures_is_not_taken(home: Home, keys: dict[str, Any], by: tuple[str, ...]) -> None:
    path = signed(home.root / "roster.csv", keys, publication.NAMESPACE, ROSTER, by)
    with pytest.raises(WardwellError):
        publication.signers(home, path)


def test_a_roster_changed_after_signing_or_signed_for_something_else_is_not_taken(
    home: Home, keys: dict[str, Any]
) -> None:
    path = signed(home.root / "roster.csv", keys, publication.NAMESPACE, ROSTER)
    publication.signers(home, path)
    path.write_text(ROSTER.replace("4203", "4204"))
    with pytest.raises(WardwellError):
        publication.signers(home, path)
    with pytest.raises(WardwellError):
        publication.signers(home, signed(path, keys, "wardwell-charter", ROSTER))


@pytest.mark.parametrize(
    "text",
    [
        "employee_number,name,call_sign,unit\nE1,A,1,U\n",
        ROSTER.replace("division\n", "division,complaints\n", 1),
        ROSTER + "E1,Again,1,Watch A,Patrol\n",
        ROSTER + "E9,Again,4203,Watch A,Patrol\n",
        ROSTER + "E9,Short,1\n",
        ROSTER + "E9,Long,1,Watch A,Patrol,more\n",
        ROSTER + ",SecretName,1,Watch A,Patrol\n",
        ROSTER + f"E9,SecretName{'x' * 120},1,Watch A,Patrol\n",
        "employee_number,name,call_sign,unit,division\n",
    ],
)
def test_a_roster_that_is_not_right_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(text)
    with pytest.raises(WardwellError) as refused:
        publication.read_file(path)
    assert "roster.csv" in str(refused.value) and "SecretName" not in str(refused.value)


def test_the_founding_document_makes_the_first_role_holders_once(
    desk: Store, home: Home, charter: Charter, keys: dict[str, Any], ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDWELL_HOME", str(home.root))
    people = signed(home.root / "roster.csv", keys, publication.NAMESPACE, ROSTER)
    line = quick_line("a long enough password")
    text = (
        f'[[local_accounts]]\nsign_in_name = "okafor"\nname = "Dr. Okafor"\npassword = "{line}"\n'
        '[[grants]]\nrole = "clinician"\nsign_in_name = "okafor"\n'
        '[[grants]]\nrole = "coordinator"\nperson_id = "E1"\n'
    )
    document = signed(home.root / "founding.toml", keys, founding_document.NAMESPACE, text)
    run = CliRunner().invoke
    for words in (["roster", "take", str(people)], ["found", str(document)], ["found", str(document)]):
        result = run(desk_command, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert {(held.name, held.role, held.state) for held in grants.listed(desk)} == {
        ("Dr. Okafor", "clinician", "active"),
        ("Carver, V", "coordinator", "active"),
    }
    assert len(ledger.leaves("grant")) == 2
    document.write_text(text.replace("coordinator", "trustee"))
    with pytest.raises(WardwellError):
        founding_document.accept(home, desk, charter, document)


@pytest.mark.usefixtures("production_strength")
def test_scrypt_lines_fit_their_password_only() -> None:
    line = accounts.hash_password("correct horse battery")
    assert line.startswith("scrypt$16$") and "correct" not in line
    assert accounts.password_fits(line, "correct horse battery")
    assert not accounts.password_fits(line, "correct horse batterz")
    assert accounts.hash_password("correct horse battery") != line
    with pytest.raises(WardwellError):
        accounts.hash_password("short")
