"""One bill through several doors, cancellations that come first or by push, and bills whose figures changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from builders import City, a_2304, a_2305, a_person, facts, settle
from database import rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.errors import SettlementError
from settlement.domain.settlements import Door
from settlement.services.bills.commands import Outcome
from settlement.services.bills.errors import CancellationOfAnother, HospitalNotYours, MessageUnreadable
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.resources import Resources


async def push(
    resources: Resources,
    city: City,
    output: dict[str, Any],
    beside: dict[str, Any] | None = None,
    *,
    cancelled: str | None = None,
    present: bool = False,
) -> Outcome:
    told = {**(beside or facts(city)), "init_setl_id": cancelled}
    (result,) = await push_bills(resources, city.caller, [PushedBill(output, told, present)])
    if isinstance(result, SettlementError):
        raise result
    return result


def setl_id(output: dict[str, Any]) -> str:
    found: str = output["setlinfo"]["setl_id"]
    return found


async def test_a_pushed_bill_goes_to_the_card_and_counts_as_confirmed(resources: Resources, city: City):
    answer = (await push(resources, city, a_2304(city.member))).answer
    assert (answer["door"], answer["confirmed"]) == ("exchange", True)
    assert answer["mutual_aid"]["status"] == "to_card"
    assert answer["cash_due"] == "2079.66"


async def test_a_platform_that_presents_our_answer_gets_the_aid_on_its_own_bill(resources: Resources, city: City):
    answer = (await push(resources, city, a_2304(city.member), present=True)).answer
    assert answer["mutual_aid"]["status"] == "on_bill"
    assert answer["cash_due"] == "1689.83"


async def test_a_brought_bill_is_confirmed_by_the_push_and_keeps_its_placement(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    brought = await settle(resources, city, output)
    assert brought.answer["confirmed"] is False
    pushed = await push(resources, city, output)
    assert not pushed.created
    assert pushed.answer == brought.answer | {"confirmed": True}
    assert pushed.answer["mutual_aid"]["status"] == "on_bill"
    assert rows_of(database, "SELECT type, payload ->> 'by' FROM event ORDER BY sequence") == [
        ("settlement.settled.v1", None),
        ("settlement.confirmed.v1", "exchange"),
    ]
    again = await push(resources, city, output)
    assert again.answer == pushed.answer
    assert rows_of(database, "SELECT count(*) FROM event") == [(2,)]


async def test_the_second_door_gets_what_the_first_recorded(resources: Resources, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    pushed = await push(resources, city, output)
    brought = await settle(resources, city, output)
    assert not brought.created
    assert brought.answer == pushed.answer
    assert brought.answer["mutual_aid"]["status"] == "to_card"
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_one_bill_brought_at_once_under_two_names_of_its_person_is_recorded_once(
    resources: Resources, city: City, database: DatabaseUrls
):
    """Nothing is locked in common: the masked certificate finds no member. So only the database can tell."""
    for _ in range(5):
        output = a_2304(city.member)
        masked = {**output, "setlinfo": {**output["setlinfo"], "certno": "9901011980*******X", "psn_no": None}}
        await asyncio.gather(settle(resources, city, output), settle(resources, city, masked))
    assert rows_of(database, "SELECT count(*), count(DISTINCT insurer_settlement_id) FROM bill") == [(5, 5)]


async def test_other_figures_under_a_known_settlement_open_one_item_and_leave_the_record_alone(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    brought = await settle(resources, city, output)
    changed = a_2304(city.member, setl_id(output), allowed="8100.00")
    for _ in range(2):
        pushed = await push(resources, city, changed)
        assert pushed.answer == brought.answer
    assert rows_of(database, "SELECT kind, figures ->> 'door' FROM worklist_item") == [("bill_changed", "exchange")]
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_the_same_settlement_id_in_another_area_is_another_bill(resources: Resources, city: City):
    output = a_2304(city.member)
    first = await settle(resources, city, output)
    second = await settle(resources, city, output, facts(city, level=2, mdtrtarea_admvs="500200"))
    assert second.created
    assert second.answer["id"] != first.answer["id"]


async def test_a_hospital_that_misspells_the_area_brings_the_same_bill(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    first = await settle(resources, city, output)
    second = await settle(resources, city, output, facts(city, mdtrtarea_admvs="500200"))
    assert not second.created
    assert second.answer == first.answer
    assert rows_of(database, "SELECT count(*) FROM bill") == [(1,)]


@pytest.mark.parametrize("area", ["37 160", "3716", "x"])
async def test_an_area_that_is_none_is_refused(resources: Resources, city: City, area: str):
    with pytest.raises(MessageUnreadable):
        await settle(resources, city, a_2304(city.member), facts(city, mdtrtarea_admvs=area))


async def test_a_bill_after_its_cancellation_is_known_and_pays_nothing(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    unseen = await push(resources, city, a_2305(output), cancelled=setl_id(output))
    assert unseen.created
    assert unseen.answer["state"] == "cancelled_unseen"
    brought = await settle(resources, city, output)
    assert not brought.created
    assert brought.answer["id"] == unseen.answer["id"]
    assert (brought.answer["state"], brought.answer["mutual_aid"]["status"]) == ("cancelled_unseen", "none")
    assert brought.answer["hospital_code"] == city.hospitals[3]
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(0,)]
    assert rows_of(database, "SELECT type FROM event ORDER BY sequence") == [
        ("settlement.cancelled_unseen.v1",),
        ("settlement.came_after_cancellation.v1",),
    ]
    again = await settle(resources, city, output)
    assert again.answer == brought.answer
    assert rows_of(database, "SELECT count(*) FROM event") == [(2,)]


async def test_a_cancellation_with_an_id_of_its_own_reverses_the_bill_it_names(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    reversed_ = await push(resources, city, a_2305(output), cancelled=setl_id(output))
    assert reversed_.created
    assert reversed_.answer["id"] == settled.answer["id"]
    assert reversed_.answer["state"] == "reversed"
    assert reversed_.answer["reversal"]["seen_by"] == "exchange"
    assert reversed_.answer["reversal"]["business_date"] == "2025-03-13"
    assert reversed_.answer["cancelling_settlement_id"] == setl_id(output) + "9"


async def test_a_cancellation_under_the_settlements_own_id_reverses_it(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    reversed_ = await push(resources, city, a_2305(output, setl_id=setl_id(output)))
    assert (reversed_.answer["id"], reversed_.answer["state"]) == (settled.answer["id"], "reversed")


async def test_pushing_a_cancellation_again_changes_nothing(resources: Resources, city: City, database: DatabaseUrls):
    output = a_2304(city.member)
    await settle(resources, city, output)
    first = await push(resources, city, a_2305(output), cancelled=setl_id(output))
    again = await push(resources, city, a_2305(output), cancelled=setl_id(output))
    assert (again.created, again.answer) == (False, first.answer)
    assert rows_of(database, "SELECT count(*) FROM reversal UNION ALL SELECT count(*) FROM event") == [(1,), (2,)]


async def test_a_pushed_cancellation_of_other_figures_releases_nothing(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    await settle(resources, city, output)
    other = a_2305(a_2304(city.member, allowed="8100.00"))
    with pytest.raises(CancellationOfAnother):
        await push(resources, city, other, cancelled=setl_id(output))
    assert rows_of(database, "SELECT state FROM bill") == [("live",)]


async def test_each_pushed_bill_has_its_own_result(resources: Resources, city: City):
    good, stranger, broken = a_2304(city.member), a_2304(a_person(99)), a_2304(city.members[1], medfee_sumamt="x")
    pushed = [PushedBill(output, facts(city), False) for output in (good, broken, stranger)]
    first, refused, nobody = await push_bills(resources, city.caller, pushed)
    assert isinstance(first, Outcome)
    assert isinstance(nobody, Outcome)
    assert isinstance(refused, MessageUnreadable)
    assert first.answer["state"] == "live"
    assert nobody.answer["mutual_aid"]["reason"]["code"] == "not_a_member"


async def test_a_known_bill_is_not_told_to_another_hospital(resources: Resources, city: City):
    output = a_2304(city.member)
    await settle(resources, city, output)
    other = replace(city, caller=replace(city.caller, hospital_codes=frozenset({city.hospitals[2]})))
    with pytest.raises(HospitalNotYours):
        await settle(resources, other, output, facts(city, level=2))


@pytest.mark.parametrize("first", ["brought", "pushed"])
async def test_a_bill_held_at_one_door_is_released_by_the_other(resources: Resources, city: City, first: str):
    output, lacking = a_2304(city.member), facts(city, discharged_on=None)
    if first == "brought":
        held = await settle(resources, city, output, lacking)
        released = await push(resources, city, output)
    else:
        held = await push(resources, city, output, lacking)
        released = await settle(resources, city, output, door=Door.API)
    assert held.answer["state"] == "held"
    assert (released.answer["id"], released.answer["state"]) == (held.answer["id"], "live")
    assert released.answer["mutual_aid"]["to_card"] == "389.83"
    assert released.answer["confirmed"] is True


async def test_a_strangers_cancellation_and_bill_leave_no_trace_of_him(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(a_person(77))
    await push(resources, city, a_2305(output), cancelled=setl_id(output))
    brought = await settle(resources, city, output)
    assert brought.answer["mutual_aid"]["reason"]["code"] == "not_a_member"
    assert rows_of(database, "SELECT count(*) FROM message_body") == [(0,)]
    assert rows_of(database, "SELECT member_id, encounter_id FROM bill") == [(None, None)]


async def test_a_cancellation_that_matches_no_bill_but_looks_like_one_is_shown_to_a_person(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    await settle(resources, city, output)
    await push(resources, city, a_2305(output))
    assert sorted(rows_of(database, "SELECT state FROM bill")) == [("cancelled_unseen",), ("live",)]
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("cancellation_unmatched",)]


async def test_the_id_of_what_was_cancelled_is_read_like_any_other(resources: Resources, city: City):
    output = a_2304(city.member)
    settled = await settle(resources, city, output)
    undone = await push(resources, city, a_2305(output), cancelled=f" {setl_id(output)} ")
    assert (undone.answer["id"], undone.answer["state"]) == (settled.answer["id"], "reversed")
