"""Officers of the running demonstration who have never signed in: each test that needs one takes its own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from appliance.desk.models.people import DeskAccount, Person
from appliance.storage import open_store
from provisioning.demo import enrol
from provisioning.demo.pockets import Pocket
from provisioning.demo.up import agency_of
from tests.support.system import System


def newcomer(agency: System, used_file: Path) -> Pocket:
    """The last officer of the roster who has never signed in, with a fresh slip in the pocket."""
    people = agency_of(agency.home)
    taken = {person.number for person in people.roles.values()}
    store = open_store(agency.home, "desk")
    with store.read() as session:
        handles = {person.person_id: person.handle for person in session.scalars(select(Person))}
        enrolled = set(session.scalars(select(DeskAccount.handle).where(DeskAccount.totp_secret != "")))
    free = (one for one in people.people[::-1] if one.number not in taken and handles[one.number] not in enrolled)
    person = next(free)
    pocket = Pocket("officer", person.display, person.name, person.password, number=person.number)
    pocket.used_file, pocket.handle = str(used_file), handles[person.number]
    pocket.slip = enrol._slip(agency.home, store, pocket)
    store.close()
    return pocket
