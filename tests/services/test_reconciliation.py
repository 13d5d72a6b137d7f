"""Reconciliation of a day, on a real database: each kind of break, repairs, the days beside it, and a rerun."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from uuid import UUID

import openpyxl
import psycopg
import pytest

from builders import City, Node, SteeredClock, a_2304, a_2305, a_person, bill_id_of, facts, once, reverse, settle
from database import as_owner, ops_engine, rows_of, until_so_many_wait
from services.reconciling import (
    DAY,
    Desk,
    bureau_csv,
    bureau_line,
    cancelling_line,
    hospital_row,
)
from settlement.db.embedded import DatabaseUrls
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import BreakSearch, list_break_steps, list_reconciled_days
from settlement.db.settling import CommandKey
from settlement.domain.reconciliation import BreakAction, BreakKind, BreakStatus, Resolution, Source
from settlement.domain.scope import PersonCategory
from settlement.domain.settlements import ReversalReason, RevisionReason
from settlement.services.audit.examine import examine
from settlement.services.bills.commands import Once
from settlement.services.bills.decide_rerating import (
    ApplyRerating,
    ProposeRerating,
    apply_rerating,
    propose_rerating,
)
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.bills.reinstate_bill import ReinstateBill, reinstate_bill
from settlement.services.bills.reverse_bill import Seen, undo
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.funds.lines import Lines
from settlement.services.members.add_member import NewMember, add_members
from settlement.services.messages.drop_expired import drop_expired_messages
from settlement.services.reconciliation.act_on_break import ActOnBreak, act_on_break, settle_missing
from settlement.services.reconciliation.bring_list import bring_list
from settlement.services.reconciliation.errors import (
    BillStandsStill,
    BreakStepRefused,
    LineNotKept,
    ListRefused,
    OwnerUnknown,
)
from settlement.services.reconciliation.import_list import ListFile, import_list
from settlement.services.reconciliation.run_day import run_day
from settlement.services.resources import Resources

NEXT_DAY = date(2025, 3, 12)


@pytest.fixture
def desk(resources: Resources, city: City, tmp_path: Path) -> Desk:
    return Desk(resources, city, tmp_path)


def on(day: date, of: Node) -> Node:
    return {**of, "setlinfo": {**of["setlinfo"], "setl_time": f"{day} 09:00:00"}}


async def test_the_examination_knows_the_stored_answer_about_a_list(desk: Desk, database: DatabaseUrls, tmp_path: Path):
    file = tmp_path / "brought.jsonl"
    file.write_text(bureau_line(desk.city, a_2304(desk.city.member)) + "\n", encoding="utf-8")
    once = Once(CommandKey(desk.city.caller.client_id, "a list"), "its fingerprint")
    brought = await bring_list(desk.resources, desk.city.caller, ListFile(Source.BUREAU, DAY, file), once)
    assert brought.created
    async with ops_engine(database) as ops:
        examination = await examine(ops, None)
    assert [finding.invariant.name for finding in examination.broken] == []


async def act(desk: Desk, action: BreakAction, **given: object):
    (found,) = await desk.breaks()
    return await act_on_break(desk.resources, ActOnBreak(desk.city.caller, found.break_id, action, **given))


async def test_a_day_that_agrees_has_no_break_and_confirms_what_hospitals_brought(desk: Desk, database: DatabaseUrls):
    outputs = [a_2304(desk.city.member) for _ in range(3)]
    settled = [await settle(desk.resources, desk.city, output) for output in outputs]
    ran = await desk.bureau(*(bureau_line(desk.city, output) for output in outputs))
    assert (ran.compared.found, ran.confirmed_count) == ({}, 3)
    assert (ran.compared.recorded_count, ran.compared.bureau_count) == (3, 3)
    assert rows_of(database, "SELECT DISTINCT confirmed_by FROM bill WHERE confirmed_at IS NOT NULL") == [
        ("bureau_file",)
    ]
    told = rows_of(
        database,
        f"SELECT sequence, type, payload ->> 'by' FROM event WHERE bill_id = '{bill_id_of(settled[0])}' ORDER BY 1",
    )
    assert told == [(1, "settlement.settled.v1", None), (2, "settlement.confirmed.v1", "bureau_file")]
    await reverse(desk.resources, desk.city, settled[0], a_2305(outputs[0]))


async def test_a_bill_nobody_brought_is_settled_by_catch_up_in_one_action(desk: Desk, database: DatabaseUrls):
    output = a_2304(desk.city.member)
    await desk.bureau(bureau_line(desk.city, output))
    assert await desk.open() == [("bureau", "missing_here")]
    ended = await act(desk, BreakAction.SETTLE)
    assert (ended.status, ended.resolution) == (BreakStatus.RESOLVED, Resolution.SETTLED_BY_CATCH_UP)
    assert rows_of(database, "SELECT bill_id, door, state, confirmed_by FROM bill") == [
        (ended.bill_id, "catch_up", "live", "bureau_file")
    ]
    assert rows_of(database, "SELECT aid_on_bill_fen, aid_to_card_fen > 0 FROM settlement") == [(0, True)]
    again = await run_day(desk.resources, desk.city.caller, DAY)
    assert again.compared.found == {}
    assert await desk.open() == []


async def test_all_missing_bills_of_a_day_are_settled_in_one_action_and_what_cannot_be_stays_open(desk: Desk):
    lines = [bureau_line(desk.city, a_2304(member)) for member in desk.city.members]
    await desk.bureau(*lines, bureau_line(desk.city, a_2304(desk.city.member), chrg_bchno=None))
    done, left = await settle_missing(desk.resources, desk.city.caller, BreakSearch(business_date=DAY))
    assert (done, left) == (3, 1)
    assert await desk.open() == [("bureau", "missing_here")]


async def test_a_bill_that_is_not_ours_is_said_to_be_so_once(desk: Desk):
    line = bureau_line(desk.city, a_2304(desk.city.member, insutype="390"))
    await desk.bureau(line)
    ended = await act(desk, BreakAction.SETTLE)
    assert (ended.resolution, ended.bill_id) == (Resolution.NOT_OURS, None)
    await desk.bureau(line, bureau_line(desk.city, a_2304(desk.city.member, insutype="390")))
    assert len(await desk.breaks()) == 1


@pytest.mark.parametrize("minutes", [pytest.param(60, id="later"), pytest.param(-1, id="while_it_was_resolved")])
async def test_a_bill_that_was_not_covered_is_a_break_again_once_a_late_roster_came(
    desk: Desk, database: DatabaseUrls, clock: SteeredClock, minutes: int
):
    late = a_person(4711)
    line = bureau_line(desk.city, a_2304(late))
    await desk.bureau(line)
    ended = await act(desk, BreakAction.SETTLE)
    assert (ended.resolution, ended.bill_id) == (Resolution.NOT_COVERED, None)
    await run_day(desk.resources, desk.city.caller, DAY)
    assert await desk.open() == []
    clock.forward(minutes=minutes)
    lasting = (date(2025, 1, 1), date(2025, 12, 31))
    roster = [NewMember(late.name, late.certificate, "u1", PersonCategory.ACTIVE, *lasting)]
    await add_members(desk.resources, desk.city.fund_id, roster)
    await run_day(desk.resources, desk.city.caller, DAY)
    assert await desk.open() == [("bureau", "missing_here")]
    ended = await act(desk, BreakAction.SETTLE)
    assert ended.resolution is Resolution.SETTLED_BY_CATCH_UP
    assert rows_of(database, "SELECT aid_to_card_fen > 0 FROM settlement") == [(True,)]


async def test_a_bill_that_the_bureau_lacks_is_missing_there(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member))
    await settle(desk.resources, desk.city, a_2304(desk.city.member), facts(desk.city, discharged_on=None))
    await desk.bureau()
    assert await desk.open() == [("bureau", "missing_there"), ("bureau", "missing_there")]


async def test_a_list_with_a_line_that_names_no_bill_proves_no_absence(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member))
    torn = bureau_line(desk.city, a_2304(desk.city.member))[:300]
    ran = await desk.bureau(torn)
    assert await desk.open() == []
    assert not ran.lists.bureau_complete


async def test_other_totals_are_an_amount_and_other_funds_under_the_same_totals_a_payer(desk: Desk):
    one, other, held = (a_2304(member) for member in desk.city.members)
    await settle(desk.resources, desk.city, one)
    await settle(desk.resources, desk.city, other)
    await settle(desk.resources, desk.city, held, facts(desk.city, discharged_on=None))
    there = [
        a_2304(desk.city.members[0], one["setlinfo"]["setl_id"], allowed="8000.01"),
        {**other, "setlinfo": {**other["setlinfo"], "hifp_pay": 6000, "hifob_pay": 500}},
        a_2304(desk.city.members[2], held["setlinfo"]["setl_id"], excluded="999.00"),
    ]
    ran = await desk.bureau(*(bureau_line(desk.city, output) for output in there))
    assert ran.compared.found == {"bureau": {"amount": 2, "payer": 1}}
    payer = next(found for found in await desk.breaks() if found.kind is BreakKind.PAYER)
    assert (payer.figures["ours"]["hifp_fen"], payer.figures["theirs"]["hifp_fen"]) == (650_000, 600_000)
    assert ran.confirmed_count == 0


async def test_what_a_list_leaves_out_is_not_compared(desk: Desk):
    output = a_2304(desk.city.member)
    await settle(desk.resources, desk.city, output)
    kept = ("setl_id", "mdtrt_id", "setl_time", "medfee_sumamt", "fund_pay_sumamt", "psn_no")
    thin = {"setlinfo": {name: output["setlinfo"][name] for name in kept}}
    ran = await desk.bureau(bureau_line(desk.city, thin))
    assert (ran.compared.found, ran.confirmed_count) == ({}, 0)
    thin["setlinfo"]["fund_pay_sumamt"] = 1
    assert (await desk.bureau(bureau_line(desk.city, thin))).compared.found == {"bureau": {"amount": 1}}


async def test_what_the_bureau_cancelled_is_proposed_and_reversed_by_a_person(desk: Desk, database: DatabaseUrls):
    output = a_2304(desk.city.member)
    await settle(desk.resources, desk.city, output)
    await desk.bureau(bureau_line(desk.city, output), cancelling_line(desk.city, a_2305(output), output))
    assert await desk.open() == [("bureau", "cancelled_on_one_side")]
    with pytest.raises(BreakStepRefused):
        await act(desk, BreakAction.SETTLE)
    ended = await act(desk, BreakAction.REVERSE)
    assert ended.resolution is Resolution.REVERSED_HERE
    assert rows_of(database, "SELECT state FROM bill") == [("reversed",)]
    assert (await run_day(desk.resources, desk.city.caller, DAY)).compared.found == {}


async def test_a_break_stays_open_while_the_insurer_is_asked_whether_its_cancellation_was_undone(
    desk: Desk, database: DatabaseUrls
):
    output, resources, caller = a_2304(desk.city.member), desk.resources, desk.city.caller
    settled = await settle(resources, desk.city, output)
    bill_id, reason = bill_id_of(settled), ReversalReason.INSURER_CANCELLED
    await undo(resources, caller, bill_id, reason, Seen("5203", None), None, None)
    undone = {"psn_no": desk.city.member.insured_person_no, "omsgid": "M9", "oinfno": "2305", "infcode": "0"}
    lines = Lines({}, resources.clock)
    await reinstate_bill(resources, lines, ReinstateBill(caller, bill_id, undone, once(caller)))
    await desk.bureau(bureau_line(desk.city, output), cancelling_line(desk.city, a_2305(output), output))
    with pytest.raises(BillStandsStill):
        await act(desk, BreakAction.REVERSE)
    assert await desk.open() == [("bureau", "cancelled_on_one_side")]
    assert rows_of(database, "SELECT state FROM bill") == [("live",)]
    assert rows_of(database, "SELECT asks FROM pending_question WHERE closed_at IS NULL") == [("cancellation",)]


@pytest.mark.parametrize("listed", [True, False])
async def test_a_cancellation_of_the_next_day_that_came_before_its_bill_is_looked_for_on_its_day(
    desk: Desk, clock: SteeredClock, listed: bool
):
    output, city, resources = a_2304(desk.city.member), desk.city, desk.resources
    cancelled = a_2305(output, setl_time=f"{NEXT_DAY} 09:00:00")
    clock.forward(days=1)
    beside = {**facts(city), "init_setl_id": output["setlinfo"]["setl_id"]}
    await push_bills(resources, city.caller, [PushedBill(cancelled, beside, False)])
    assert (await settle(resources, city, output)).answer["state"] == "cancelled_unseen"
    ran = await desk.bureau(bureau_line(city, output))
    assert ran.compared.found == {}, "the list of the day on which it was cancelled is not here yet"
    lines = [cancelling_line(city, cancelled, output)] if listed else []
    ran = await desk.bureau(*lines, day=NEXT_DAY)
    assert ran.compared.found == ({} if listed else {"bureau": {"cancelled_on_one_side": 1}})
    again = await run_day(resources, city.caller, DAY)
    assert again.compared.found == ({} if listed else {"bureau": {"cancelled_on_one_side": 1}})
    assert len(await desk.open()) == (0 if listed else 1), "one break, whichever day is run"


@pytest.mark.parametrize("on_day", [DAY, NEXT_DAY])
async def test_what_only_we_reversed_is_cancelled_on_one_side_on_the_day_of_the_cancellation(desk: Desk, on_day: date):
    output = a_2304(desk.city.member)
    cancellation = a_2305(output, setl_time=f"{on_day} 20:00:00")
    settled = await settle(desk.resources, desk.city, output)
    await reverse(desk.resources, desk.city, settled, cancellation)
    listed = [bureau_line(desk.city, output)]
    if on_day == NEXT_DAY:
        await desk.bureau(*listed)
        assert await desk.open() == []
        listed = []
    await desk.bureau(*listed, day=on_day)
    assert [found.business_date for found in await desk.breaks()] == [on_day]
    assert await desk.open() == [("bureau", "cancelled_on_one_side")]
    await desk.bureau(*listed, cancelling_line(desk.city, cancellation, output), day=on_day)
    assert await desk.open() == []


async def test_what_both_cancelled_or_nobody_has_is_no_break(desk: Desk):
    output, gone = a_2304(desk.city.member), a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    await reverse(desk.resources, desk.city, settled, a_2305(output))
    await desk.bureau(bureau_line(desk.city, gone), cancelling_line(desk.city, a_2305(gone), gone))
    assert await desk.open() == []


async def test_another_bills_cancellation_hides_no_break(desk: Desk):
    gone, changed, lacking = (a_2304(desk.city.member) for _ in range(3))
    settled = [await settle(desk.resources, desk.city, output) for output in (gone, changed)]
    await reverse(desk.resources, desk.city, settled[0], a_2305(gone))
    await desk.bureau(
        bureau_line(desk.city, gone),
        cancelling_line(desk.city, a_2305(gone), gone),
        bureau_line(desk.city, a_2304(desk.city.member, changed["setlinfo"]["setl_id"], allowed="8000.01")),
        bureau_line(desk.city, lacking),
    )
    assert await desk.open() == [("bureau", "amount"), ("bureau", "missing_here")]


async def test_a_bill_listed_on_the_day_beside_is_no_break_unless_it_was_settled_on_another_day(desk: Desk):
    late, moved = a_2304(desk.city.member), a_2304(desk.city.member)
    for output in (late, moved):
        await settle(desk.resources, desk.city, output)
    await desk.bureau()
    assert await desk.open() == [("bureau", "missing_there"), ("bureau", "missing_there")]
    await desk.bureau(bureau_line(desk.city, late), bureau_line(desk.city, on(NEXT_DAY, moved)), day=NEXT_DAY)
    assert await desk.open() == [("bureau", "wrong_day")]
    ended = await desk.breaks(BreakStatus.RESOLVED)
    assert {found.resolution for found in ended} == {Resolution.FOUND_ON_NEIGHBOURING_DAY}
    async with fund_transaction(desk.resources.engine, desk.city.fund_id) as connection:
        steps = await list_break_steps(connection, desk.city.fund_id, ended[0].break_id)
    assert [step.kind for step in steps] == ["opened", "resolved"]
    assert steps[1].details["day"] == str(NEXT_DAY)


async def test_a_bill_listed_twice_is_duplicated_in_one_list_or_in_two(desk: Desk):
    twice, over_midnight = a_2304(desk.city.member), a_2304(desk.city.member)
    for output in (twice, over_midnight):
        await settle(desk.resources, desk.city, output)
    lines = [bureau_line(desk.city, output) for output in (twice, twice, over_midnight)]
    await desk.bureau(*lines)
    assert await desk.open() == [("bureau", "duplicated")]
    await desk.bureau(bureau_line(desk.city, over_midnight), day=NEXT_DAY)
    assert await desk.open() == [("bureau", "duplicated"), ("bureau", "duplicated")]
    await desk.bureau(day=NEXT_DAY)
    await desk.bureau(lines[0], lines[2])
    assert await desk.open() == []


async def test_running_a_day_again_opens_nothing_twice_and_closes_what_a_corrected_list_no_longer_shows(desk: Desk):
    output = a_2304(desk.city.member)
    await settle(desk.resources, desk.city, output)
    wrong = [a_2304(desk.city.member, output["setlinfo"]["setl_id"], allowed=amount) for amount in ("8001", "8002")]
    for _ in range(2):
        await desk.bureau(bureau_line(desk.city, wrong[0]))
    (first,) = await desk.breaks()
    await desk.bureau(bureau_line(desk.city, wrong[1]))
    (changed,) = await desk.breaks()
    assert (changed.break_id, changed.step_count) == (first.break_id, 2)
    await desk.bureau(bureau_line(desk.city, output))
    (ended,) = await desk.breaks(None)
    assert (ended.status, ended.resolution) == (BreakStatus.RESOLVED, Resolution.NO_LONGER_SEEN)


async def test_what_a_person_accepted_is_not_opened_again_until_its_figures_change(desk: Desk):
    output = a_2304(desk.city.member)
    await settle(desk.resources, desk.city, output)
    wrong = [a_2304(desk.city.member, output["setlinfo"]["setl_id"], allowed=amount) for amount in ("8001", "8002")]
    await desk.bureau(bureau_line(desk.city, wrong[0]))
    await act(desk, BreakAction.RESOLVE, resolution=Resolution.ACCEPTED, remark="按医保更正单")
    await desk.bureau(
        bureau_line(desk.city, wrong[0]), bureau_line(desk.city, a_2304(desk.city.member, insutype="390"))
    )
    assert await desk.open() == [("bureau", "missing_here")]
    await desk.bureau(bureau_line(desk.city, wrong[1]))
    assert await desk.open() == [("bureau", "amount")]


async def test_a_correction_that_was_announced_and_did_not_come_is_a_break_again(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member))
    other = a_2304(desk.city.member)
    await desk.bureau()
    await act(desk, BreakAction.RESOLVE, resolution=Resolution.CORRECTED_AT_BUREAU)
    await run_day(desk.resources, desk.city.caller, DAY)
    assert await desk.open() == []
    await desk.bureau(bureau_line(desk.city, other), cancelling_line(desk.city, a_2305(other), other))
    assert await desk.open() == []


async def test_a_break_is_given_to_somebody_and_only_to_people_of_the_office(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member))
    await desk.bureau()
    with pytest.raises(OwnerUnknown):
        await act(desk, BreakAction.ASSIGN, owner="nobody")
    assert (await act(desk, BreakAction.ASSIGN, owner="clerk")).owner == "clerk"
    assert (await act(desk, BreakAction.ASSIGN, owner=None)).owner is None
    with pytest.raises(BreakStepRefused):
        await act(desk, BreakAction.RESOLVE, resolution=Resolution.NO_LONGER_SEEN)


async def test_a_hospital_that_passed_all_aid_on_has_no_break(desk: Desk):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    rounded = f"{float(settled.answer['cash_due']):.1f}0"
    assert rounded != settled.answer["cash_due"]
    await desk.hospital(hospital_row(desk.city, output, settled.answer, cash_collected=rounded))
    assert await desk.open() == []


async def test_a_hospitals_list_shows_every_way_in_which_aid_was_not_passed_on(desk: Desk):
    outputs = [a_2304(desk.city.member) for _ in range(5)]
    settled = [await settle(desk.resources, desk.city, output) for output in outputs]
    await reverse(desk.resources, desk.city, settled[3], a_2305(outputs[3]))
    unknown, foreign = a_2304(desk.city.member), a_2304(desk.city.member)
    rows = [hospital_row(desk.city, o, s.answer) for o, s in zip(outputs, settled, strict=True)]
    rows[0]["cash_collected"] = outputs[0]["setlinfo"]["psn_cash_pay"]
    rows[1]["aid_given"] = "0.00"
    rows[2]["state"] = "cancelled"
    await desk.hospital(
        *rows[:4],
        hospital_row(desk.city, unknown, settled[0].answer),
        hospital_row(desk.city, foreign, settled[0].answer, aid_given=""),
    )
    assert await desk.open() == [
        ("hospital", "aid_not_passed_on"),
        ("hospital", "aid_not_passed_on"),
        ("hospital", "aid_to_unknown"),
        ("hospital", "cancelled_on_one_side"),
        ("hospital", "cancelled_on_one_side"),
        ("hospital", "hospital_missing"),
    ]


@pytest.mark.parametrize(
    ("says", "moves"),
    [
        pytest.param({"cash_collected": "whole", "aid_given": ""}, True, id="all_cash_taken"),
        pytest.param({"cash_collected": "whole_to_the_jiao", "aid_given": "0.00"}, True, id="rounded_down"),
        pytest.param({"cash_collected": "", "aid_given": "0.00"}, True, id="no_aid_listed"),
        pytest.param({"cash_collected": "1800.00", "aid_given": ""}, False, id="some_was_given"),
        pytest.param({"aid_given": "0.00"}, False, id="no_aid_listed_but_the_cash_is_right"),
        pytest.param({"cash_collected": "whole"}, False, id="aid_listed_but_all_cash_taken"),
    ],
)
async def test_aid_that_no_patient_got_goes_to_the_card_in_one_action(
    desk: Desk, database: DatabaseUrls, says: dict[str, str], moves: bool
):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    whole = f"{output['setlinfo']['psn_cash_pay']:.2f}"
    amounts = {"whole": whole, "whole_to_the_jiao": f"{whole[:-1]}0"}
    row = hospital_row(desk.city, output, settled.answer)
    row |= {name: amounts.get(value, value) for name, value in says.items()}
    await desk.hospital(row)
    (found,) = await desk.breaks()
    assert found.kind is BreakKind.AID_NOT_PASSED_ON
    if not moves:
        with pytest.raises(BreakStepRefused):
            await act(desk, BreakAction.TRANSFER)
        return
    ended = await act(desk, BreakAction.TRANSFER)
    assert (ended.status, ended.resolution) == (BreakStatus.RESOLVED, Resolution.MOVED_TO_CARD)
    moved = "SELECT aid_on_bill_fen, aid_to_card_fen, cash_due_fen FROM settlement WHERE revision = 2"
    assert rows_of(database, moved) == [(0, 38983, 207966)]
    await run_day(desk.resources, desk.city.caller, DAY)
    assert await desk.open() == []


async def test_a_break_that_ended_while_its_transfer_waited_moves_no_aid(desk: Desk, database: DatabaseUrls):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    await desk.hospital(hospital_row(desk.city, output, settled.answer, cash_collected="2079.66", aid_given=""))
    with psycopg.connect(database.owner) as in_the_way:
        in_the_way.execute("SELECT FROM member FOR NO KEY UPDATE")
        waiting = asyncio.create_task(act(desk, BreakAction.TRANSFER))
        await asyncio.to_thread(until_so_many_wait, database, 1)
        await act(desk, BreakAction.RESOLVE, resolution=Resolution.CORRECTED_AT_HOSPITAL)
        in_the_way.rollback()
    with pytest.raises(BreakStepRefused):
        await waiting
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(1,)]


async def test_aid_of_a_bill_that_was_reversed_meanwhile_goes_nowhere(desk: Desk):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    await desk.hospital(hospital_row(desk.city, output, settled.answer, cash_collected="2079.66", aid_given=""))
    await reverse(desk.resources, desk.city, settled, a_2305(output))
    with pytest.raises(BreakStepRefused):
        await act(desk, BreakAction.TRANSFER)
    assert await desk.open() == [("hospital", "aid_not_passed_on")]


async def test_after_a_transfer_to_the_card_the_standing_revision_is_compared_on_the_bills_own_day(
    desk: Desk, clock: SteeredClock
):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    clock.forward(days=1)
    transfer = TransferAid(desk.city.caller, bill_id_of(settled), RevisionReason.NOT_SHOWN, once(desk.city.caller))
    moved = (await transfer_aid(desk.resources, transfer)).answer
    assert (moved["revision"], moved["mutual_aid"]["on_bill"]) == (2, "0.00")
    await desk.bureau(bureau_line(desk.city, output))
    await desk.bureau(day=NEXT_DAY)
    await desk.hospital(hospital_row(desk.city, output, moved))
    await desk.hospital(day=NEXT_DAY)
    assert await desk.open() == []
    await desk.hospital(hospital_row(desk.city, output, settled.answer))
    assert await desk.open() == [("hospital", "aid_not_passed_on")]


async def test_after_a_re_rating_the_standing_revision_is_compared_on_the_bills_own_day(
    desk: Desk, clock: SteeredClock
):
    whole = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00", "allowed": "60000.00"}
    first = a_2304(desk.city.member, mdtrt_id="V00000001", **whole)
    second = a_2304(desk.city.member, mdtrt_id="V00000002")
    undone = await settle(desk.resources, desk.city, first)
    poor = await settle(desk.resources, desk.city, second)
    cancelled = a_2305(first)
    await reverse(desk.resources, desk.city, undone, cancelled)
    clock.forward(days=2)
    proposed = await propose_rerating(desk.resources, ProposeRerating(desk.city.caller, bill_id_of(poor)))
    await apply_rerating(desk.resources, ApplyRerating(desk.city.caller, UUID(proposed["rerating_id"])))
    await desk.bureau(bureau_line(desk.city, second))
    await desk.bureau(day=date(2025, 3, 13))
    await desk.hospital(hospital_row(desk.city, second, poor.answer))
    assert await desk.open() == []


async def test_a_hospitals_list_says_nothing_about_another_hospitals_bills(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member), facts(desk.city, level=2))
    await desk.hospital(level=3)
    assert await desk.open() == []
    await desk.hospital(level=2)
    assert await desk.open() == [("hospital", "hospital_missing")]


async def test_a_hospital_that_lists_a_bill_on_the_day_beside_has_it_on_the_wrong_day(desk: Desk):
    output = a_2304(desk.city.member)
    settled = await settle(desk.resources, desk.city, output)
    await desk.hospital()
    assert await desk.open() == [("hospital", "hospital_missing")]
    await desk.hospital(hospital_row(desk.city, output, settled.answer), day=NEXT_DAY)
    assert await desk.open() == [("hospital", "wrong_day")]


async def test_a_bureaus_csv_and_a_hospitals_workbook_say_the_same(desk: Desk):
    outputs = [a_2304(member) for member in desk.city.members]
    settled = [await settle(desk.resources, desk.city, output) for output in outputs]
    for encoding in ("utf-8", "gb18030"):
        path = desk.folder / f"{encoding}.csv"
        path.write_bytes(bureau_csv(desk.city, outputs, encoding))
        ran = await desk.run(ListFile(Source.BUREAU, DAY, path))
        assert (ran.compared.found, ran.compared.bureau_count) == ({}, 3)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["结算编号", "就医地区划", "医院编码", "实收现金", "互助金额", "状态"])
    for output, outcome in zip(outputs, settled, strict=True):
        row = hospital_row(desk.city, output, outcome.answer)
        sheet.append([*list(row.values())[:3], float(row["cash_collected"]), float(row["aid_given"]), "已结算"])
    book.save(desk.folder / "list.xlsx")
    ran = await desk.run(ListFile(Source.HOSPITAL, DAY, desk.folder / "list.xlsx"))
    assert (ran.compared.found, ran.compared.hospital_count) == ({}, 3)


@pytest.mark.parametrize(
    ("source", "name", "content"),
    [
        (Source.BUREAU, "x.csv", "a,b\n1,2\n"),
        (Source.HOSPITAL, "x.csv", "settlement_id,area\n1,500100\n"),
        (Source.HOSPITAL, "x.xlsx", "no workbook"),
    ],
)
async def test_what_is_no_list_is_refused_as_a_whole(desk: Desk, source: Source, name: str, content: str):
    (desk.folder / name).write_text(content)
    with pytest.raises(ListRefused) as refused:
        await import_list(desk.resources, desk.city.caller, ListFile(source, DAY, desk.folder / name))
    assert refused.value.figures["why"]


async def test_the_same_list_is_not_staged_twice_and_an_older_one_counts_again_when_it_comes_again(
    desk: Desk, database: DatabaseUrls
):
    output = a_2304(desk.city.member)
    line = bureau_line(desk.city, output)
    for lines in ((line,), (line,), (), (line,)):
        await desk.bureau(*lines)
    assert rows_of(database, "SELECT count(*) FROM reconciliation_import") == [(3,)]
    assert len(await desk.breaks()) == 1


async def test_lists_hold_no_person_and_what_a_repair_needs_is_sealed_and_dropped_after_its_time(
    desk: Desk, database: DatabaseUrls, clock: SteeredClock
):
    output = a_2304(desk.city.member)
    await desk.bureau(bureau_line(desk.city, output))
    (kept,) = rows_of(database, "SELECT reconciliation_line::text, envelope FROM reconciliation_line")
    for secret in (desk.city.member.name, desk.city.member.certificate.number, desk.city.member.insured_person_no):
        assert secret not in str(kept[0])
        assert secret.encode() not in bytes(kept[1])
    as_owner(database, "UPDATE reconciliation_line SET expires_at = now() - interval '1 day'")
    async with ops_engine(database) as ops:
        await drop_expired_messages(ops, lambda: clock().replace(year=2200))
    with pytest.raises(LineNotKept):
        await act(desk, BreakAction.SETTLE)


async def test_days_are_listed_with_what_came_out_and_what_is_still_open(desk: Desk):
    await settle(desk.resources, desk.city, a_2304(desk.city.member))
    await desk.bureau()
    await desk.bureau(day=NEXT_DAY)
    async with fund_transaction(desk.resources.engine, desk.city.fund_id) as connection:
        days = await list_reconciled_days(connection, desk.city.fund_id, None, 10)
        older = await list_reconciled_days(connection, desk.city.fund_id, NEXT_DAY, 10)
    assert [(day.business_date, day.open_count, day.unconfirmed_count) for day in days] == [
        (NEXT_DAY, 0, 0),
        (DAY, 1, 1),
    ]
    assert [day.business_date for day in older] == [DAY]


async def test_an_area_that_the_hospital_misnamed_does_not_make_two_bills_of_one(desk: Desk):
    output = a_2304(desk.city.member)
    await settle(desk.resources, desk.city, output, facts(desk.city, mdtrtarea_admvs="500103"))
    ran = await desk.bureau(bureau_line(desk.city, output))
    assert (ran.compared.found, ran.confirmed_count) == ({}, 1)
