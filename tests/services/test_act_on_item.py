"""Acting on the worklist: one owner at a time, closed once with a reason, and nothing that was done is lost."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from builders import City, SteeredClock, a_2304, settle
from database import as_owner, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.worklist import find_item, list_actions, list_open_items, list_open_kinds
from settlement.domain.worklist import Action, ClosingReason, Done
from settlement.services.access.add_staff import add_staff, disable_staff
from settlement.services.access.tokens import TokenInvalid
from settlement.services.plans.acting import Actor
from settlement.services.plans.errors import RoleMissing
from settlement.services.resources import Resources
from settlement.services.worklist.act_on_item import act_on_item
from settlement.services.worklist.errors import RemarkUnusable, WorklistActionRefused, WorklistItemUnknown

TAKE, GIVE_BACK = Done(Action.TAKEN), Done(Action.GIVEN_BACK)
CLOSE = Done(Action.CLOSED, ClosingReason.DONE, "医院已更正")


@pytest.fixture
async def item_id(resources: Resources, city: City, database: DatabaseUrls) -> UUID:
    """A bill that came again with other figures waits on the worklist."""
    output = a_2304(city.member)
    await settle(resources, city, output)
    await settle(resources, city, a_2304(city.member, output["setlinfo"]["setl_id"], allowed="8100.00"))
    ((found,),) = rows_of(database, "SELECT item_id FROM worklist_item")
    return UUID(str(found))


async def test_an_item_is_taken_given_back_taken_by_another_and_closed_and_all_of_it_stays(
    resources: Resources, city: City, clock: SteeredClock, item_id: UUID
):
    clerk, head = city.office.author, city.office.approver
    steps = [
        (clerk, TAKE),
        (clerk, GIVE_BACK),
        (head, TAKE),
        (head, Done(Action.REMARKED, None, "已致电")),
        (head, CLOSE),
    ]
    for actor, done in steps:
        clock.forward(minutes=5)
        await act_on_item(resources, actor, item_id, done)
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        item = await find_item(connection, city.fund_id, item_id)
        actions = await list_actions(connection, city.fund_id, item_id)
        assert await list_open_items(connection, city.fund_id, None, None, 10) == []
        assert await list_open_kinds(connection, city.fund_id) == []
    assert [(step.sequence, step.login, step.action) for step in actions] == [
        (1, "clerk", Action.TAKEN),
        (2, "clerk", Action.GIVEN_BACK),
        (3, "head", Action.TAKEN),
        (4, "head", Action.REMARKED),
        (5, "head", Action.CLOSED),
    ]
    assert (actions[-1].reason, actions[-1].remark) == (ClosingReason.DONE, "医院已更正")
    assert item is not None
    assert (item.owner, item.closed_at) == ("head", actions[-1].at)


async def test_of_two_who_take_an_item_at_once_one_has_it(resources: Resources, city: City, item_id: UUID):
    takers = [city.office.author, city.office.approver] * 4
    ended = await asyncio.gather(
        *(act_on_item(resources, taker, item_id, TAKE) for taker in takers), return_exceptions=True
    )
    assert [type(end) for end in ended].count(WorklistActionRefused) == len(takers) - 1
    assert ended.count(None) == 1


async def test_what_another_person_has_or_is_closed_is_refused(resources: Resources, city: City, item_id: UUID):
    clerk, head = city.office.author, city.office.approver
    with pytest.raises(WorklistActionRefused):
        await act_on_item(resources, clerk, item_id, CLOSE)
    await act_on_item(resources, head, item_id, TAKE)
    for done in (TAKE, GIVE_BACK, CLOSE):
        with pytest.raises(WorklistActionRefused) as refused:
            await act_on_item(resources, clerk, item_id, done)
        assert refused.value.figures["owner"] == "head"
    await act_on_item(resources, head, item_id, CLOSE)
    for done in (TAKE, GIVE_BACK, CLOSE, Done(Action.REMARKED, None, "x")):
        with pytest.raises(WorklistActionRefused):
            await act_on_item(resources, head, item_id, done)


@pytest.mark.parametrize(
    "done",
    [
        Done(Action.CLOSED),
        Done(Action.TAKEN, ClosingReason.DONE),
        Done(Action.REMARKED),
        Done(Action.REMARKED, None, "x" * 501),
        Done(Action.REMARKED, None, "证件 990101198001010019"),
        Done(Action.REMARKED, None, "a\x00b"),
    ],
)
async def test_what_says_too_little_or_too_much_is_not_recorded(
    resources: Resources, city: City, database: DatabaseUrls, item_id: UUID, done: Done
):
    with pytest.raises(RemarkUnusable):
        await act_on_item(resources, city.office.author, item_id, done)
    assert rows_of(database, "SELECT count(*) FROM worklist_action") == [(0,)]


async def test_only_whose_role_it_is_and_whose_account_still_stands_acts(
    resources: Resources, city: City, item_id: UUID
):
    auditor = await add_staff(resources, city.fund_id, login="au", roles=("auditor",), password="a long password")
    with pytest.raises(RoleMissing):
        await act_on_item(resources, Actor(city.fund_id, auditor.staff_id), item_id, TAKE)
    with pytest.raises(WorklistItemUnknown):
        await act_on_item(resources, city.office.author, uuid4(), TAKE)
    await disable_staff(resources, city.fund_id, "clerk")
    with pytest.raises(TokenInvalid):
        await act_on_item(resources, city.office.author, item_id, TAKE)


async def test_the_list_goes_on_after_an_item_and_knows_the_oldest_of_each_kind(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, item_id: UUID
):
    first_opened = rows_of(database, "SELECT opened_at FROM worklist_item")[0][0]
    clock.forward(hours=1)
    output = a_2304(city.members[1])
    await settle(resources, city, output)
    await settle(resources, city, a_2304(city.members[1], output["setlinfo"]["setl_id"], allowed="8100.00"))
    as_owner(database, f"UPDATE worklist_item SET kind = 'plan_asks:a' WHERE item_id <> '{item_id}'")
    async with fund_transaction(resources.engine, city.fund_id) as connection:
        (first,) = await list_open_items(connection, city.fund_id, None, None, 1)
        assert first.item_id == item_id
        (second,) = await list_open_items(connection, city.fund_id, None, (first.opened_at, first.item_id), 9)
        assert await list_open_items(connection, city.fund_id, "plan_asks", None, 9) == [second]
        kinds = await list_open_kinds(connection, city.fund_id)
    assert [(kind.kind, kind.count) for kind in kinds] == [("bill_changed", 1), ("plan_asks", 1)]
    assert kinds[0].oldest_at == first_opened
