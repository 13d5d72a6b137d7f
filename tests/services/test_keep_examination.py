"""Examinations that are kept: once a day, when an operator asks, and each fund knows its own bills only."""

from __future__ import annotations

import random

import pytest

from builders import City, SteeredClock, a_2304, a_city, bill_id_of, open_test_resources, settle
from database import as_owner, ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.examinations import Kept, find_waiting_request, list_examinations
from settlement.domain.ids import FundId, IdSource
from settlement.services.access.add_staff import add_staff, disable_staff
from settlement.services.access.tokens import TokenInvalid
from settlement.services.audit.ask_examination import ask_examination
from settlement.services.audit.keep_examination import examine_when_due
from settlement.services.plans.acting import Actor
from settlement.services.plans.errors import RoleMissing
from settlement.services.resources import Resources


async def kept_of(resources: Resources, fund_id: FundId) -> list[Kept]:
    async with fund_transaction(resources.engine, fund_id) as connection:
        return await list_examinations(connection, fund_id, 10)


async def test_it_is_made_once_a_day_and_at_once_when_an_operator_asks(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    operator = await add_staff(resources, city.fund_id, login="op", roles=("operator",), password="a long password")
    actor = Actor(city.fund_id, operator.staff_id)
    ids = IdSource(clock, random.Random(1))
    async with ops_engine(database) as ops:
        assert await examine_when_due(ops, resources.keys, ids) == 0
        assert await examine_when_due(ops, resources.keys, ids) is None
        clock.forward(hours=1)
        await ask_examination(resources, actor)
        async with fund_transaction(resources.engine, city.fund_id) as connection:
            assert await find_waiting_request(connection, city.fund_id) is not None
        assert await examine_when_due(ops, resources.keys, ids) == 0
        async with fund_transaction(resources.engine, city.fund_id) as connection:
            assert await find_waiting_request(connection, city.fund_id) is None
        assert await examine_when_due(ops, resources.keys, ids) is None
        clock.forward(hours=24)
        assert await examine_when_due(ops, resources.keys, ids) == 0
    kept = await kept_of(resources, city.fund_id)
    assert len(kept) == 3
    assert all(run.broken == 0 and run.examined == len(run.findings) > 30 for run in kept)
    assert kept[0].at > kept[1].at > kept[2].at


async def test_of_what_is_broken_a_fund_is_told_its_own_bills(database: DatabaseUrls, resources: Resources, city: City):
    async with open_test_resources(database, SteeredClock(), seed=3) as others:
        other = await a_city(others, code="nb")
        theirs = await settle(others, other, a_2304(other.member))
    ours = await settle(resources, city, a_2304(city.member))
    as_owner(database, "UPDATE settlement SET receipt_hash = repeat('0', 64)")
    async with ops_engine(database) as ops:
        assert await examine_when_due(ops, None, IdSource(SteeredClock(), random.Random(1))) >= 1
    for fund_id, mine in ((city.fund_id, ours), (other.fund_id, theirs)):
        (run,) = await kept_of(resources, fund_id)
        broken = next(finding for finding in run.findings if finding["name"] == "receipt_hash")
        assert broken["broken"] == 2
        assert broken["ids"] == [str(bill_id_of(mine))]


async def test_only_an_operator_whose_account_stands_asks(resources: Resources, city: City, database: DatabaseUrls):
    with pytest.raises(RoleMissing):
        await ask_examination(resources, city.office.author)
    await disable_staff(resources, city.fund_id, "clerk")
    with pytest.raises(TokenInvalid):
        await ask_examination(resources, city.office.author)
    assert rows_of(database, "SELECT count(*) FROM examination_request") == [(0,)]
