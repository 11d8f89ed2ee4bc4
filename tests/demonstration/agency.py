"""The demonstration agency: 240 invented people in divisions and watches, and one person for every role.

Owns: who works where, call signs, supervisors, sign-in names and passwords, all from one fixed seed, or the people of a
roster that was given. Must never see: a running appliance; `directory`, `founding` and `calls` are made from this.
"""

from __future__ import annotations

import csv
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import WardwellError
from tests.demonstration.names import FAMILY, GIVEN, WORDS

SEED = 20260901
NAME = "Harborview Police Department"
BASE_DN = "dc=harborview,dc=example"
ROSTER_COLUMNS = ("employee_number", "name", "call_sign", "unit", "division", "duties")

# division -> unit -> headcount. Some units lie below the charter's floor of 20, some above; 240 in all.
STRUCTURE: dict[str, dict[str, int]] = {
    "Patrol": {"Watch A": 28, "Watch B": 26, "Watch C": 24, "Watch D": 22, "Traffic": 9, "K9": 6},
    "Investigations": {"Persons Crimes": 14, "Property Crimes": 12, "Special Victims": 11, "Forensics": 8},
    "Communications": {"Dispatch Days": 14, "Dispatch Nights": 12},
    "Special Operations": {"Tactical": 10, "Community": 12, "School Resource": 8},
    "Administration": {
        "Command Staff": 6,
        "Records": 6,
        "Human Resources": 4,
        "Wellness and Training": 4,
        "Technology": 4,
    },
}

# role -> (division, unit) of the person who holds it in the demonstration; none of them leads the unit.
ROLE_PLACES = {
    "officer": ("Patrol", "Watch B"),
    "peer": ("Special Operations", "Community"),
    "coordinator": ("Administration", "Wellness and Training"),
    "command": ("Administration", "Command Staff"),
    "hr": ("Administration", "Human Resources"),
    "auditor": ("Administration", "Records"),
    "admin": ("Administration", "Technology"),
    "cad": ("Communications", "Dispatch Days"),
}
LOCAL_ROLES = ("trustee", "clinician")
ROLES = ("officer", "peer", "clinician", "coordinator", "command", "hr", "trustee", "auditor", "admin", "cad")


@dataclass(frozen=True)
class Person:
    """One invented person. `number` is empty for a local account (an outside trustee, a clinician)."""

    number: str
    given: str
    family: str
    name: str
    password: str
    call_sign: str = ""
    unit: str = ""
    division: str = ""
    supervisor: str = ""
    duties: str = ""

    @property
    def display(self) -> str:
        return f"{self.given} {self.family}".strip()

    @property
    def roster_name(self) -> str:
        """As CAD and roster write it: "Reyes, Dana"."""
        return f"{self.family}, {self.given}" if self.given else self.family


@dataclass(frozen=True)
class Agency:
    """Everyone. `roles` names one person per role; local accounts stand only there."""

    name: str
    people: list[Person]
    roles: dict[str, Person] = field(default_factory=dict)

    def unit(self, unit: str) -> list[Person]:
        return [person for person in self.people if person.unit == unit]


class _Maker:
    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.names = [(given, family) for given in GIVEN for family in FAMILY]
        self.random.shuffle(self.names)
        self.taken: set[str] = set()

    def password(self) -> str:
        return f"{'-'.join(self.random.sample(WORDS, 3))}-{self.random.randint(10, 99)}"

    def sign_in(self, given: str, family: str) -> str:
        stem = re.sub(r"[^a-z]", "", f"{given[:1]}{family}".lower()) or "user"
        name, number = stem, 1
        while name in self.taken:
            number += 1
            name = f"{stem}{number}"
        self.taken.add(name)
        return name

    def someone(self, number: str = "", **place: str) -> Person:
        given, family = self.names.pop()
        return Person(number, given, family, self.sign_in(given, family), self.password(), **place)


def _call_signs() -> dict[str, list[str]]:
    """Call signs per unit, in the feed's style: 42xx sworn, 42Kn dogs, COMn dispatchers, Sn supervisors."""
    signs: dict[str, list[str]] = {}
    sworn, desk = 4201, 1
    for units in STRUCTURE.values():
        for unit, count in units.items():
            if unit == "K9":
                signs[unit] = [f"42K{n}" for n in range(1, count + 1)]
            elif unit.startswith("Dispatch"):
                signs[unit] = [f"COM{n}" for n in range(desk, desk + count)]
                desk += count
            elif unit in ("Records", "Human Resources", "Wellness and Training", "Technology"):
                signs[unit] = [""] * count
            else:
                signs[unit] = [str(n) for n in range(sworn, sworn + count)]
                sworn += count
    for number, unit in enumerate(("Watch A", "Watch B", "Watch C", "Watch D"), start=1):
        signs[unit][0] = f"S{number}"
    return signs


def generate() -> Agency:
    """The agency from the fixed seed: the same 240 people every time."""
    maker = _Maker()
    people: list[Person] = []
    chief = ""
    signs = _call_signs()
    for division, units in STRUCTURE.items():
        for unit, count in units.items():
            leader = ""
            for position in range(count):
                number = f"E{2001 + len(people)}"
                people.append(
                    maker.someone(
                        number,
                        call_sign=signs[unit][position],
                        unit=unit,
                        division=division,
                        supervisor=leader,
                        duties="" if leader else "supervisor",
                    )
                )
                leader = leader or number
            chief = leader if unit == "Command Staff" else chief
    people = [
        Person(**{**person.__dict__, "supervisor": person.supervisor or (chief if person.number != chief else "")})
        for person in people
    ]
    return Agency(NAME, people, _roles(people, maker))


def _roles(people: list[Person], maker: _Maker) -> dict[str, Person]:
    roles: dict[str, Person] = {}
    for role, place in ROLE_PLACES.items():
        unit = [person for person in people if (person.division, person.unit) == place]
        # The chief leads Command Staff; every other role is held by somebody who leads nobody.
        roles[role] = unit[0] if role == "command" else unit[3 % len(unit)]
    for role in LOCAL_ROLES:
        roles[role] = maker.someone()
    return roles


def from_roster(path: Path) -> Agency:
    """The people of a given roster (CSV with the columns of ROSTER_COLUMNS; `duties` may be missing).

    Staff that a roster of call signs does not have (coordinator, command, ...) are added in a unit of their own, so
    that each role has one person. Raises WardwellError when a column is missing or fewer than two people stand in it.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise WardwellError(f"The roster {path.name} cannot be read.", "Give a CSV file in UTF-8.") from None
    needed = set(ROSTER_COLUMNS) - {"duties"}
    if len(rows) < 2 or not needed <= set(rows[0]):
        raise WardwellError(
            f"The roster {path.name} needs at least two people and the columns {', '.join(sorted(needed))}.",
            "Correct its first line.",
        )
    maker = _Maker()
    people: list[Person] = []
    for row in rows:
        family, _, given = row["name"].partition(",")
        family, given = family.strip(), given.strip()
        people.append(
            Person(
                row["employee_number"].strip(),
                given,
                family,
                maker.sign_in(given, family),
                maker.password(),
                row["call_sign"].strip(),
                row["unit"].strip(),
                row["division"].strip(),
                duties=(row.get("duties") or "").strip(),
            )
        )
    roles = {"officer": people[0], "peer": people[1]}
    for position, role in enumerate(role for role in ROLE_PLACES if role not in roles):
        person = maker.someone(f"D{9001 + position}", unit="Administration", division="Administration")
        people.append(person)
        roles[role] = person
    for role in LOCAL_ROLES:
        roles[role] = maker.someone()
    return Agency(NAME, people, roles)


def write_roster(agency: Agency, path: Path) -> None:
    """The roster as `wardwell desk roster take` and `wardwell intake check --roster` read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ROSTER_COLUMNS)
        for person in agency.people:
            writer.writerow(
                [
                    person.number,
                    person.roster_name,
                    person.call_sign,
                    person.unit,
                    person.division,
                    person.duties,
                ]
            )
