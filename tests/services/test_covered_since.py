"""A bill that had a record as not ours is settled, to the card, once a roster that came late says that it is ours."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from builders import KEYS, City, SteeredClock, a_2304, a_2305, a_city, a_person, bill_id_of, facts, reverse, settle
from database import ops_engine, rows_of
from services.test_reinstate import a_2601, cancellation_of, reinstate, visit
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.db.people import add_memberships
from settlement.domain.scope import PersonCategory
from settlement.services.audit.examine import examine
from settlement.services.bills import rerate_what_changed as looking
from settlement.services.bills import settle_covered
from settlement.services.bills.commands import Outcome, SettleBill
from settlement.services.bills.rerate_what_changed import rerate_what_changed
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.members import add_member
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.members.queue import MemberBusy
from settlement.services.resources import Resources

WHOLE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
"""A bill that takes the whole of the term's limit."""
AID = "SELECT revision, aid_on_bill_fen, aid_to_card_fen FROM settlement ORDER BY settlement.bill_id, revision"
LOOKS = "SELECT kind, count(*) FROM rerating_look GROUP BY kind ORDER BY kind"


@pytest.fixture
async def lapsed(resources: Resources) -> City:
    """A fund whose members' cover ended before the bills of these tests."""
    return await a_city(resources, code="lapsed", last_day=date(2025, 2, 28))


async def enrol(resources: Resources, city: City, person: Any) -> None:
    line = NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, date(2025, 1, 2), date(2026, 12, 31))
    await add_members(resources, city.fund_id, [line])


async def ended_without_aid(resources: Resources, city: City, output: dict[str, Any], reason: str) -> Outcome:
    """Settle a bill that is held for its day of discharge, then with it: it ends as recorded, with no aid."""
    waiting = await settle(resources, city, output, facts(city, discharged_on=None))
    ended = await settle(resources, city, output)
    assert (waiting.answer["state"], ended.answer["state"]) == ("held", "live")
    assert ended.answer["mutual_aid"]["reason"]["code"] == reason
    return ended


async def look(resources: Resources, database: DatabaseUrls) -> int:
    async with ops_engine(database) as ops:
        return await rerate_what_changed(resources, ops)


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


async def test_a_late_roster_settles_the_bill_to_the_card_once(
    resources: Resources, lapsed: City, database: DatabaseUrls
):
    output = a_2304(lapsed.member)
    ended = await ended_without_aid(resources, lapsed, output, "not_covered_on_date")
    assert await look(resources, database) == 1, "by the roster that was there"
    await enrol(resources, lapsed, lapsed.member)
    assert await look(resources, database) == 2, "by the new one, and then at what it led to, which took room"
    assert rows_of(database, AID) == [(1, 0, 0), (2, 0, 38983)]
    again = await settle(resources, lapsed, output)
    assert (again.answer["id"], again.answer["revision"]) == (ended.answer["id"], 2)
    assert again.answer["mutual_aid"]["to_card"] == "389.83"
    assert again.answer["cash_due"] == "2079.66", "as the patient was charged"
    assert await look(resources, database) == 0
    assert rows_of(database, AID) == [(1, 0, 0), (2, 0, 38983)]
    assert await broken(database) == []
    undone = await reverse(resources, lapsed, again, a_2305(output))
    assert undone.answer["state"] == "reversed"
    assert await broken(database) == []


async def test_a_roster_of_other_days_changes_nothing(resources: Resources, lapsed: City, database: DatabaseUrls):
    output = a_2304(lapsed.member)
    await ended_without_aid(resources, lapsed, output, "not_covered_on_date")
    person = lapsed.member
    line = NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, date(2025, 4, 1), date(2026, 12, 31))
    await add_members(resources, lapsed.fund_id, [line])
    assert await look(resources, database) == 2, "for each of its memberships, and it is as it was"
    assert await look(resources, database) == 0
    again = await settle(resources, lapsed, output)
    assert again.answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"
    assert rows_of(database, AID) == [(1, 0, 0)]


async def test_who_was_nobodys_member_then_is_settled_when_the_bill_is_brought_again(
    resources: Resources, city: City, database: DatabaseUrls
):
    """Of a stranger nothing is kept by which a roster could find the bill; what was answered of it is."""
    stranger = a_person(99)
    output = a_2304(stranger, certno="990101********000X")
    waiting = await settle(resources, city, output)
    certificate = {"type": "01", "number": stranger.certificate.number}
    ended = await settle(resources, city, output, answers={"certificate": certificate})
    assert (waiting.answer["state"], ended.answer["state"]) == ("held", "live")
    assert ended.answer["mutual_aid"]["reason"]["code"] == "not_a_member"
    await enrol(resources, city, stranger)
    assert await look(resources, database) == 0
    again = await settle(resources, city, output)
    assert (again.answer["id"], again.answer["revision"]) == (ended.answer["id"], 2)
    assert again.answer["mutual_aid"]["to_card"] == "389.83"
    assert await broken(database) == []


async def test_a_roster_does_not_cover_what_was_not_ours_for_another_reason(
    resources: Resources, city: City, database: DatabaseUrls
):
    injured = a_2304(city.member, med_type="22")
    await settle(resources, city, injured)
    await settle(resources, city, injured, answers={"third_party_liable": True})
    await enrol(resources, city, city.member)
    await look(resources, database)
    again = await settle(resources, city, injured, answers={"third_party_liable": False})
    assert again.answer["mutual_aid"]["reason"]["code"] == "third_party_liable"
    assert rows_of(database, AID) == [(1, 0, 0)]
    assert await broken(database) == []


async def test_it_finds_what_later_bills_have_left_and_the_order_is_put_to_a_person(
    resources: Resources, lapsed: City, database: DatabaseUrls
):
    first = await ended_without_aid(resources, lapsed, a_2304(lapsed.member), "not_covered_on_date")
    await enrol(resources, lapsed, lapsed.member)
    whole = await settle(resources, lapsed, a_2304(lapsed.member, **WHOLE))
    await look(resources, database)
    aid = "SELECT sum(aid_on_bill_fen + aid_to_card_fen) FROM settlement WHERE bill_id = '{}'"
    assert rows_of(database, aid.format(first.answer["id"])) == [(0,)]
    assert rows_of(database, aid.format(whole.answer["id"])) > [(0,)]
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("rerating_proposed",)]
    assert await broken(database) == []


async def test_killed_before_its_mark_the_look_is_made_again_and_settles_nothing_twice(
    resources: Resources, lapsed: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(2):
        await ended_without_aid(resources, lapsed, a_2304(lapsed.member), "not_covered_on_date")
    await enrol(resources, lapsed, lapsed.member)

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as ending:
        ending.setattr(looking, "add_look", killed)
        with pytest.raises(KeyboardInterrupt):
            await look(resources, database)
    assert rows_of(database, LOOKS) == []
    await look(resources, database)
    assert [(revision, bill) for revision, bill, _ in rows_of(database, AID)] == [(1, 0), (2, 0), (1, 0), (2, 0)]
    assert await broken(database) == []


async def test_one_that_lives_again_after_the_roster_came_is_settled_too(
    resources: Resources, lapsed: City, database: DatabaseUrls
):
    output = a_2304(lapsed.member)
    ended = await ended_without_aid(resources, lapsed, output, "not_covered_on_date")
    await reverse(resources, lapsed, ended, cancellation_of(output))
    await enrol(resources, lapsed, lapsed.member)
    await look(resources, database)
    await reinstate(resources, lapsed, ended, a_2601(lapsed))
    await look(resources, database)
    assert rows_of(database, AID) == [(1, 0, 0), (2, 0, 0), (3, 0, 38983)]
    assert await broken(database) == []


async def test_a_bill_that_was_recorded_while_the_roster_was_on_its_way_is_settled_too(
    resources: Resources, lapsed: City, database: DatabaseUrls, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    async def slowly(*given: Any) -> int:
        added = await add_memberships(*given)
        clock.forward(seconds=30)
        await ended_without_aid(resources, lapsed, a_2304(lapsed.member), "not_covered_on_date")
        return added

    monkeypatch.setattr(add_member, "add_memberships", slowly)
    await enrol(resources, lapsed, lapsed.member)
    await look(resources, database)
    assert rows_of(database, AID) == [(1, 0, 0), (2, 0, 38983)]


async def test_a_stay_that_is_covered_on_the_days_of_one_part_alone_is_settled(
    resources: Resources, lapsed: City, database: DatabaseUrls, clock: SteeredClock
):
    clock.forward(days=310)
    days = {"begndate": "2025-12-20", "enddate": "2026-01-11", "setl_time": "2026-01-11 10:00:00"}
    output = a_2304(lapsed.member, psn_name="另一人", **days)
    stay = facts(lapsed, admitted_on="2025-12-20", discharged_on="2026-01-11")
    await settle(resources, lapsed, output, stay)
    ended = await settle(resources, lapsed, output, stay, answers={"same_person": True})
    assert ended.answer["mutual_aid"]["reason"]["code"] == "not_covered_on_date"
    person, until = lapsed.member, date(2025, 12, 31)
    line = NewMember(person.name, person.certificate, "u1", PersonCategory.ACTIVE, date(2025, 3, 1), until)
    await add_members(resources, lapsed.fund_id, [line])
    await look(resources, database)
    assert rows_of(database, AID) == [(1, 0, 0), (2, 0, 14396)]
    assert await broken(database) == []


async def test_a_bill_that_cannot_be_settled_now_keeps_none_of_the_others(
    resources: Resources, lapsed: City, database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
):
    for setl_id in ("700000000901", "700000000902"):
        await ended_without_aid(resources, lapsed, a_2304(lapsed.member, setl_id), "not_covered_on_date")
    await enrol(resources, lapsed, lapsed.member)

    async def busy(of: Resources, command: SettleBill) -> Outcome:
        if command.brought.output["setlinfo"]["setl_id"] == "700000000901":
            raise MemberBusy
        return await settle_bill(of, command)

    with monkeypatch.context() as while_busy:
        while_busy.setattr(settle_covered, "settle_bill", busy)
        await look(resources, database)
    assert [revision for revision, *_ in rows_of(database, AID)] == [1, 1, 2]
    await look(resources, database)
    assert [revision for revision, *_ in rows_of(database, AID)] == [1, 2, 1, 2]


async def test_it_takes_no_place_of_what_was_recorded_after_it(
    resources: Resources, lapsed: City, database: DatabaseUrls
):
    batch = {"chrg_bchno": "2"}
    await ended_without_aid(resources, lapsed, visit(1, a_2304(lapsed.member)), "not_covered_on_date")
    await enrol(resources, lapsed, lapsed.member)
    wrong = visit(1, a_2304(lapsed.member, allowed="9000.00"))
    corrected = await settle(resources, lapsed, wrong, facts(lapsed, **batch))
    await reverse(resources, lapsed, corrected, a_2305(wrong))
    await look(resources, database)
    right = visit(1, a_2304(lapsed.member, allowed="9100.00"))
    correction = await settle(resources, lapsed, right, facts(lapsed, **batch))
    assert correction.answer["replaces"] == corrected.answer["id"]
    assert await broken(database) == []


async def test_what_is_still_asked_of_it_is_put_before_a_person_and_its_answer_is_kept(
    resources: Resources, lapsed: City, database: DatabaseUrls
):
    output = a_2304(lapsed.member, med_type="22")
    ended = await ended_without_aid(resources, lapsed, output, "not_covered_on_date")
    await enrol(resources, lapsed, lapsed.member)
    await look(resources, database)
    asked = rows_of(database, "SELECT kind, figures FROM worklist_item")
    assert asked == [("covered_but_unclear", {"question": "liability_declaration"})]
    again = await settle(resources, lapsed, output, answers={"third_party_liable": False})
    assert again.answer["mutual_aid"]["to_card"] == "389.83"
    async with fund_transaction(resources.engine, lapsed.fund_id) as connection:
        kept = await find_message(connection, resources.keys, lapsed.fund_id, bill_id_of(ended), "settlement")
    assert kept is not None
    assert kept["answers"] == {"third_party_liable": False}
    assert await broken(database) == []
