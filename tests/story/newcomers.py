"""Officers of the running demonstration who have never signed in: each test that needs one takes its own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from appliance.desk.models.people import DeskAccount, Person
from appliance.intake.models import Call, Involvement
from appliance.rules.exposure_model import load_model
from appliance.storage import open_store
from tests.demonstration import enrol
from tests.demonstration.pockets import Pocket
from tests.demonstration.up import agency_of
from tests.support.system import System


def newcomer(agency: System, used_file: Path) -> tuple[Pocket, int]:
    """The one of them who attended the most weighing calls, with a fresh slip in the pocket, and how many these are."""
    people = agency_of(agency.home)
    taken = {person.number for person in people.roles.values()}
    weighing = [kind.id for kind in load_model().types if kind.weight > 0]
    intake, desk = open_store(agency.home, "intake"), open_store(agency.home, "desk")
    with desk.read() as session:
        handles = {person.person_id: person.handle for person in session.scalars(select(Person))}
        signed_in = set(session.scalars(select(DeskAccount.handle).where(DeskAccount.totp_secret != "")))
    with intake.read() as session:
        busy = session.execute(
            select(Involvement.person_id, func.count())
            .join(Call, Call.id == Involvement.call_id)
            .where(Call.type.in_(weighing), Involvement.role != "assigned")
            .group_by(Involvement.person_id)
            .order_by(func.count().desc())
        ).all()
    free = {number for number, handle in handles.items() if number not in taken and handle not in signed_in}
    number, calls = next((number, count) for number, count in busy if number in free)
    person = next(one for one in people.people if one.number == number)
    pocket = Pocket("officer", person.display, person.name, person.password, number=person.number)
    pocket.used_file, pocket.handle = str(used_file), handles[number]
    pocket.slip = enrol._slip(agency.home, desk, pocket)
    intake.close()
    desk.close()
    return pocket, calls
