"""Promise: only the codes of two people, and the person's own session, open the time before to a replaced space."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from appliance import clock
from appliance.account import Account
from appliance.desk import vouching
from appliance.desk.models.people import VouchingCode
from appliance.desk.slips import DAYS
from appliance.errors import WardwellError
from appliance.spool import delivery
from appliance.spool.messages import HistoryReleased
from appliance.storage import Store
from tests.support.desk_site import Member, Space, add_member


@pytest.fixture
def trustees(desk: Store) -> list[Account]:
    made = [add_member(desk, name, "trustee") for name in ("fir", "oak")]
    return [Account(one.handle, one.name, frozenset({"trustee"}), one.handle) for one in made]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Handles of which the intake was told."""
    found: list[str] = []

    def enqueue(_session: Any, _outbox: Any, message: HistoryReleased, *, receiver: str) -> None:
        assert receiver == "intake"
        found.append(message.handle)

    monkeypatch.setattr(delivery, "enqueue", enqueue)
    return found


def codes(desk: Store, member: Member, trustees: list[Account]) -> list[str]:
    return [vouching.issue(desk, member.handle, by).code for by in trustees]


def ask(one: Space, *typed: str) -> int:
    return int(one.call("POST", "/api/past", {"codes": list(typed)}).status_code)


def test_two_codes_of_two_people_open_it_once(
    one: Space, desk: Store, member: Member, trustees: list[Account], told: list[str], ledger: Any
) -> None:
    typed = codes(desk, member, trustees)
    assert ask(one, *typed) == 200
    assert told == [member.handle]
    assert "two people" in ledger.entries(member.handle)[-1]["note"]
    assert ask(one, *typed) == 403
    with desk.read() as session:
        assert session.scalars(select(VouchingCode)).all() == []


def test_nothing_less_does(
    one: Space,
    space: Callable[[], Space],
    desk: Store,
    member: Member,
    trustees: list[Account],
    told: list[str],
    ledger: Any,
) -> None:
    """One code, the same twice, two of one person, another person's, old ones. The control comes last."""
    first, second = codes(desk, member, trustees)
    assert ask(one, first) == 403
    assert ask(one, first, first) == 403
    again = vouching.issue(desk, member.handle, trustees[0]).code
    assert ask(one, first, again) == 403
    thief = add_member(desk, "sims", "officer")
    other = space()
    assert other.sign_in(thief).status_code == 200
    assert ask(other, again, second) == 403
    with clock.held(clock.now() + timedelta(days=DAYS, seconds=1)), pytest.raises(vouching.NotVouched):
        vouching.open_history(desk, Account(member.handle, "R", frozenset(), member.handle), [again, second])
    ledger.down = True
    assert ask(one, again, second) == 503
    assert told == []
    ledger.down = False
    assert ask(one, again, second) == 200
    assert told == [member.handle]


def test_nobody_vouches_for_themselves(desk: Store, trustees: list[Account]) -> None:
    with pytest.raises(WardwellError, match="themselves"):
        vouching.issue(desk, trustees[0].id, trustees[0])
    assert vouching.issue(desk, trustees[0].id, trustees[1]).code


def test_old_codes_go(desk: Store, member: Member, trustees: list[Account]) -> None:
    codes(desk, member, trustees)
    vouching.clean(desk)
    with desk.read() as session:
        assert len(session.scalars(select(VouchingCode)).all()) == len(trustees)
    with clock.held(clock.now() + timedelta(days=DAYS, seconds=1)):
        vouching.clean(desk)
    with desk.read() as session:
        assert session.scalars(select(VouchingCode)).all() == []
