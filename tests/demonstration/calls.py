"""Ninety days of invented calls for service, and the critical incident that `wardwell-demo drop` adds.

Owns: what happened, when, who went, and in how many versions the vendor exports it; the same for the same seed and day.
Must never see: a running appliance. Free text carries the marker words below, so that a test can prove that no
narrative, address or caller ever reaches a database, a log or a spool folder.

The mix of call types follows a real city's public calls-for-service export (its commonest types and their shares); the
share of heavy calls is set a little above it, so that ninety days show something.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from tests.demonstration.agency import SEED, Agency, Person

NARRATIVE: Final = "ZZNARRATIVEZZ"
ADDRESS: Final = "ZZADDRESSZZ"
CALLER: Final = "ZZCALLERZZ"

CALLS_PER_DAY = 190
HISTORY_DAYS = 90

# type code of the call CSV -> share in 10,000 calls, minutes on scene, most units
ORDINARY: dict[str, tuple[int, int, int]] = {
    "9-1-1 ABANDON": (1900, 5, 1),
    "Suspicious": (950, 20, 2),
    "Welfare Check": (540, 25, 2),
    "Disorderly": (520, 25, 3),
    "Assist Req": (500, 20, 1),
    "Noise Party": (430, 15, 2),
    "Trespassing": (400, 20, 2),
    "Alarm Audible": (320, 15, 2),
    "ABAND VEHICLE": (300, 10, 1),
    "Parking Problem": (300, 10, 1),
    "Theft": (300, 35, 1),
    "Traffic Hazard": (210, 15, 1),
    "Traffic Offense": (200, 15, 1),
    "Found Property": (160, 15, 1),
    "Vandalism": (130, 25, 1),
    "Citizen Dispute": (120, 25, 2),
    "COLL NON INJ": (110, 40, 2),
    "Information": (100, 10, 1),
    "Juvenile Prob": (90, 25, 2),
    "Medical": (80, 20, 2),
    "Animal Problem": (60, 20, 1),
    "Fraud": (50, 40, 1),
    "BURG COM": (50, 45, 3),
}
HEAVY: dict[str, tuple[int, int, int]] = {
    "COLL INJ": (100, 60, 4),
    "Assault": (80, 45, 4),
    "Domestic Viol": (70, 50, 3),
    "MENTAL SUBJ": (60, 50, 3),
    "Sex Offense": (40, 70, 2),
    "Weapon Offense": (35, 60, 5),
    "Suicide Attempt": (30, 70, 3),
    "Deceased Subj": (28, 90, 3),
    "Child Abuse": (22, 80, 2),
    "Robbery": (20, 50, 4),
    "Medical Arrest": (16, 45, 3),
    "Fire Structure": (14, 90, 4),
    "COLL EXTRICATIO": (10, 80, 5),
}
_TYPES = {**ORDINARY, **HEAVY}

# start hour, length in hours; each person works four days of seven.
_SHIFTS = {"Watch A": (6, 10), "Watch B": (12, 10), "Watch C": (16, 10), "Watch D": (21, 10), "Traffic": (7, 10)}
_DISPATCH = {"Dispatch Days": (6, 12), "Dispatch Nights": (18, 12)}
# share of calls per hour of the day: quiet before dawn, busiest in the evening
_HOURS = (3, 2, 2, 1, 1, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 5, 4)


@dataclass(frozen=True)
class Call:
    """One call. Times are the agency's local wall time without a zone, as CAD exports write them."""

    number: str
    kind: str
    received: datetime
    dispatched: datetime
    arrived: datetime
    closed: datetime
    units: tuple[Person, ...]
    dispatcher: Person | None
    grid: str
    serial: int

    @property
    def primary(self) -> Person:
        return self.units[0]


def _works(person: Person, day: date) -> bool:
    seed = sum(person.number.encode())
    return (day.toordinal() + seed) % 7 < 4


def on_duty(agency: Agency, moment: datetime, shifts: dict[str, tuple[int, int]]) -> list[Person]:
    """Everyone with a call sign whose shift covers `moment`."""
    found = []
    for unit, (start, hours) in shifts.items():
        for back in (0, 1):
            day = moment.date() - timedelta(days=back)
            begin = datetime.combine(day, time(start))
            if begin <= moment < begin + timedelta(hours=hours):
                found += [person for person in agency.unit(unit) if person.call_sign and _works(person, day)]
    return found


def _rosters_of_strangers(agency: Agency) -> bool:
    """Whether this agency was given as a roster, so that the watches above are not its own."""
    return not any(agency.unit(unit) for unit in _SHIFTS)


def day_of_calls(agency: Agency, day: date) -> list[Call]:
    """Every call that was received on `day`, in order; the same every time."""
    chance = random.Random(f"{SEED}/{day.isoformat()}")
    total = round(CALLS_PER_DAY * chance.uniform(0.85, 1.15))
    times = sorted(
        datetime.combine(day, time(chance.choices(range(24), _HOURS)[0], chance.randrange(60))) for _ in range(total)
    )
    kinds = chance.choices(list(_TYPES), [share for share, _, _ in _TYPES.values()], k=total)
    calls = []
    for serial, (received, kind) in enumerate(zip(times, kinds, strict=True), start=1):
        calls.append(make_call(agency, chance, f"{day:%y%m%d}{serial:03d}", kind, received, serial))
    return calls


def make_call(agency: Agency, chance: random.Random, number: str, kind: str, received: datetime, serial: int) -> Call:
    """One call of `kind`, attended by people who are on duty at that time."""
    _, minutes, most = _TYPES.get(kind, (0, 150, 8))
    strangers = _rosters_of_strangers(agency)
    signed = [person for person in agency.people if person.call_sign]
    street = signed if strangers else on_duty(agency, received, _SHIFTS)
    desks = [] if strangers else on_duty(agency, received, _DISPATCH)
    dispatched = received + timedelta(minutes=chance.randint(1, 9))
    arrived = dispatched + timedelta(minutes=chance.randint(2, 14))
    closed = arrived + timedelta(minutes=max(3, round(minutes * chance.uniform(0.5, 1.6))))
    dispatcher = chance.choice(desks) if desks else None
    if kind == "9-1-1 ABANDON" and dispatcher is not None:
        units: tuple[Person, ...] = (dispatcher,)
    else:
        count = min(len(street), chance.randint(1, most))
        units = tuple(chance.sample(street, count)) if count else ((dispatcher,) if dispatcher else (signed[0],))
    return Call(number, kind, received, dispatched, arrived, closed, units, dispatcher, f"HB{serial % 14 + 1}", serial)


def free_text(call: Call) -> tuple[str, str, str]:
    """Narrative, address and caller of `call`: invented, and each with its marker word."""
    return (
        f"RP states the subject was last seen on foot, see attached {call.number} {NARRATIVE}",
        f"{100 + call.serial * 7} MARKET ST APT {call.serial % 40} {ADDRESS}",
        f"Pat Caller {call.serial} {CALLER}",
    )


CRITICAL_KINDS = {"officer-involved-shooting": "OFFICER INV SHOOT", "child-death": "CHILD DEATH"}


def critical_call(agency: Agency, received: datetime, serial: int, kind: str) -> Call:
    """The incident of `wardwell-demo drop`: the demonstration officer first on scene, six of the watch, a dispatcher.

    The demonstration peer does not attend: a peer who did would be hidden from the officer.
    """
    chance = random.Random(f"{SEED}/critical/{serial}/{received.isoformat()}")
    officer = agency.roles["officer"]
    peer = agency.roles["peer"]
    watch = [
        person
        for person in agency.people
        if person.unit == officer.unit and person.call_sign and person.number not in (officer.number, peer.number)
    ]
    others = chance.sample(watch, min(5, len(watch)))
    desks = [person for person in agency.people if person.unit.startswith("Dispatch") and person.call_sign]
    dispatcher = chance.choice(desks) if desks else None
    return Call(
        f"{received:%y%m%d}{serial:03d}",
        kind,
        received,
        received + timedelta(minutes=1),
        received + timedelta(minutes=6),
        received + timedelta(minutes=176),
        (officer, *others),
        dispatcher,
        "HB4",
        serial,
    )
