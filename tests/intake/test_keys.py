"""Promise: intake seals to a key only when the real log, cosigned by the witness, names it for that very person."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance import clock
from appliance.charter import load_charter
from appliance.crypto import sealing
from appliance.intake.deliver import contributions
from appliance.intake.models import Outbox
from appliance.kit.witness import Folders, Witness
from appliance.spool import delivery
from appliance.spool.append import append
from appliance.spool.messages import Append, MailboxKeyPublished
from appliance.storage import Store
from tests.intake.support import roster
from tests.intake.test_take import messages
from tests.support import ledger as ledger_support

CHARTER = load_charter()
ZONE = ZoneInfo("America/Los_Angeles")
KEY = sealing.key_pair()


class Site:
    """A real ledger and a real witness beside the intake."""

    def __init__(self, intake: Store, ledger: ledger_support.RunningLedger) -> None:
        self.intake, self.ledger = intake, ledger
        self.home = intake.home
        self.ledger.log.publish()
        public = self.home.public
        self.witness = Witness(Folders(self.home.root / "witness", public / "ledger", public / "witness"))

    def ledger_names(self, number: int) -> int:
        """The ledger writes the mailbox key of that handle; its leaf."""
        public = {"handle": f"{number:032x}", "key": base64.b64encode(KEY.public).decode()}
        return append(self.home, Append(kind="mailbox-key", public=public)).public_index

    def cosign(self) -> None:
        self.ledger.log.publish()
        self.witness.look()

    def publish_key(self, person: int, handle: int, leaf: int) -> tuple[int, int]:
        """Desk says whose key it is; what `admit_keys` makes of it."""
        message = MailboxKeyPublished(
            person_id=f"E{person:04d}", handle=f"{handle:032x}", public_key=KEY.public, leaf_index=leaf
        )
        with self.intake.write() as session:
            contributions.accept_key(session, message)
        return self.admit()

    def admit(self) -> tuple[int, int]:
        found = contributions.admit_keys(self.intake, CHARTER)
        delivery.flush(self.intake, Outbox)
        return found

    def sealed(self) -> list[str]:
        return [one["kind"] for one in messages(self.intake) if one["message"] == "SealedExposure"]


@pytest.fixture
def site(store_of: Callable[[str], Store]) -> Iterator[Site]:
    intake, ledger = store_of("intake"), store_of("ledger")
    roster(intake)
    with ledger_support.running(intake.home, ledger) as running:
        yield Site(intake, running)


def test_the_history_comes_once_the_witness_has_cosigned_the_leaf(site: Site) -> None:
    leaf = site.ledger_names(1)
    assert site.publish_key(1, 1, leaf) == (0, 0)
    assert site.sealed() == []
    site.cosign()
    assert site.admit() == (1, 0)
    assert site.sealed() == ["history"]
    assert site.admit() == (0, 0)


def test_a_key_that_the_log_does_not_name_is_refused(site: Site) -> None:
    leaf = site.ledger_names(2)
    site.cosign()
    assert site.publish_key(1, 1, leaf) == (0, 1)
    assert site.sealed() == []


def test_a_key_in_the_log_cannot_draw_another_persons_calls(site: Site) -> None:
    """Handle 1 is person 1's by the roster. Positive control: for its own person the same key is admitted."""
    leaf = site.ledger_names(1)
    site.cosign()
    assert site.publish_key(2, 1, leaf) == (0, 1)
    assert site.publish_key(1, 1, leaf) == (1, 0)


def test_every_day_has_a_cycle_and_a_day_only_one_without_news(site: Site) -> None:
    site.publish_key(1, 1, site.ledger_names(1))
    site.cosign()
    site.admit()
    morning = datetime(2026, 10, 14, 15, tzinfo=UTC)
    made = []
    for hours in (0, 1, 15, 24):  # 08:00, 09:00, 23:00, and 08:00 of the next day there
        with clock.held(morning + timedelta(hours=hours)):
            made.append(contributions.run_cycle(site.intake, CHARTER, ZONE))
    assert made == [1, 0, 0, 1]
