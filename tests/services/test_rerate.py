"""A re-rating lists what each live bill of a member and term would get now; only an application changes one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from builders import (
    HANGZHOU_FILE,
    KEYS,
    City,
    Node,
    SteeredClock,
    a_2304,
    a_2305,
    a_city,
    bill_id_of,
    facts,
    open_test_resources,
    reverse,
    settle,
)
from database import ops_engine, rows_of
from services.test_corrections import reinstate
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import BillHead, OtherPayer
from settlement.domain.time import CHINA
from settlement.domain.worklist import Action, ClosingReason, Done
from settlement.services.audit.examine import examine
from settlement.services.bills import rerate_member as rating
from settlement.services.bills.add_later_payer import AddLaterPayer, LaterPaymentDiffers, add_later_payer
from settlement.services.bills.anew import Anew, compute_anew
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.decide_rerating import (
    ApplyRerating,
    NothingToRate,
    ProposeRerating,
    RatingNotFound,
    apply_rerating,
    propose_rerating,
)
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill
from settlement.services.bills.rerate_member import rerate_member
from settlement.services.resources import Resources
from settlement.services.worklist.act_on_item import act_on_item

NUMBERS = itertools.count(1)
NO_INSURANCE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}


def visit(number: int, city: City, **amounts: str) -> Node:
    return a_2304(city.member, mdtrt_id=f"V{number:08d}", **amounts)


async def lines(resources: Resources, city: City, settled: Outcome) -> list[tuple[str, str | None]]:
    rerating = (await rerate_member(resources, city.caller, bill_id_of(settled))).to_json()
    return [(line["aid_recorded"], line["aid_now"]) for line in rerating["lines"]]


async def test_a_bill_that_lost_to_one_since_reversed_would_get_its_aid_now(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    poor, later = await settle(resources, city, visit(2, city)), await settle(resources, city, visit(3, city))
    assert await lines(resources, city, first) == [("30200.00", "30200.00"), ("0.00", "0.00"), ("0.00", "0.00")]
    await reverse(resources, city, first, a_2305(whole))
    assert await lines(resources, city, poor) == [("0.00", "0.00"), ("0.00", "0.00")]
    clock.forward(days=2)
    before = rows_of(database, "SELECT count(*), sum(event_count) FROM bill")
    rerating = (await rerate_member(resources, city.caller, bill_id_of(later))).to_json()
    assert [line["aid_now"] for line in rerating["lines"]] == ["389.83", "689.83"]
    assert (rerating["net"], rerating["owes"]) == ("1079.66", "fund")
    assert rows_of(database, "SELECT count(*), sum(event_count) FROM bill") == before


async def test_a_kept_promise_stays_as_promised(resources: Resources, city: City, clock: SteeredClock):
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    quote = QuoteBill(city.caller, Brought(visit(2, city), facts(city)))
    await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))
    promised = await settle(resources, city, visit(2, city))
    assert promised.answer["promise"]["kept"] is True
    await reverse(resources, city, first, a_2305(whole))
    clock.forward(days=2)
    assert await lines(resources, city, promised) == [("0.00", "0.00")]


async def test_a_bill_that_cannot_be_computed_any_more_keeps_its_room_before_all_others(
    resources: Resources, city: City, clock: SteeredClock, monkeypatch: pytest.MonkeyPatch
):
    poor, _ = await a_poor_member(resources, city, clock)
    whole = await settle(resources, city, visit(4, city, **NO_INSURANCE, allowed="60000.00"))
    assert whole.answer["mutual_aid"]["amount"] == "30200.00"

    def computed(head: BillHead, *given: Any, **named: Any) -> Anew | None:
        return None if head.bill_id == bill_id_of(whole) else compute_anew(head, *given, **named)

    monkeypatch.setattr(rating, "compute_anew", computed)
    now = await lines(resources, city, poor)
    assert now == [("0.00", "0.00"), ("0.00", "0.00"), ("30200.00", None)]


async def test_a_held_bill_has_nothing_to_re_rate(resources: Resources, city: City):
    held = await settle(resources, city, visit(1, city), facts(city, discharged_on=None))
    with pytest.raises(BillNotFound):
        await rerate_member(resources, city.caller, bill_id_of(held))


async def a_poor_member(resources: Resources, city: City, clock: SteeredClock) -> tuple[Outcome, Outcome]:
    """Two bills that got nothing while another, reversed since, had the whole limit; nobody keeps its room any more."""
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    poor, later = await settle(resources, city, visit(2, city)), await settle(resources, city, visit(3, city))
    await reverse(resources, city, first, a_2305(whole))
    clock.forward(days=2)
    return poor, later


async def test_a_proposal_is_applied_whole_and_what_is_gained_goes_to_the_card(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    poor, later = await a_poor_member(resources, city, clock)
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    assert (proposed["state"], proposed["net"]) == ("proposed", "1079.66")
    assert rows_of(database, "SELECT kind FROM worklist_item") == [("rerating_proposed",)]
    command = ApplyRerating(city.caller, UUID(proposed["rerating_id"]))
    applied = await apply_rerating(resources, command)
    assert applied["state"] == "applied"
    assert rows_of(database, "SELECT count(*) FROM worklist_item WHERE closed_at IS NULL") == [(0,)]
    assert await apply_rerating(resources, command) == applied
    shown = (await settle(resources, city, visit(9, city))).answer
    assert shown["mutual_aid"]["amount"] == "689.83"
    paid = "SELECT revision, aid_on_bill_fen, aid_to_card_fen, cash_due_fen FROM settlement WHERE revision > 1"
    assert rows_of(database, f"{paid} ORDER BY aid_to_card_fen") == [(2, 0, 38983, 207966), (2, 0, 68983, 207966)]
    assert await lines(resources, city, poor) == [("389.83", "389.83"), ("689.83", "689.83"), ("689.83", "689.83")]
    assert await broken(database) == []


async def test_a_proposal_lapses_when_a_bill_has_changed_since_and_what_would_change_now_is_proposed(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    _, later = await a_poor_member(resources, city, clock)
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    await settle(resources, city, visit(9, city))
    lapsed = await apply_rerating(resources, ApplyRerating(city.caller, UUID(proposed["rerating_id"])))
    assert lapsed["state"] == "lapsed"
    assert rows_of(database, "SELECT count(*) FROM settlement WHERE revision > 1") == [(0,)]
    items = "SELECT closed_at IS NULL FROM worklist_item WHERE kind = 'rerating_proposed' ORDER BY item_id"
    assert rows_of(database, items) == [(False,), (True,)]
    again = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    states = rows_of(database, "SELECT state, rerating_id::text FROM rerating ORDER BY rerating_id")
    assert states == [("lapsed", proposed["rerating_id"]), ("proposed", again["rerating_id"])]
    assert await broken(database) == []


async def test_one_that_gets_by_a_re_rating_just_what_it_was_promised_first_is_explained(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """It was promised nothing, got the whole limit in the place of the bill that it corrects, and loses it again."""
    limit = {**NO_INSURANCE, "allowed": "60000.00"}
    taking, wanting, wrong, right = (visit(number, city, **limit) for number in (1, 2, 3, 3))
    first, poor = await settle(resources, city, taking), await settle(resources, city, wanting)
    await reverse(resources, city, first, a_2305(taking))
    clock.forward(days=2)
    corrected = await settle(resources, city, wrong)
    await promise_bill(
        resources, PromiseBill(QuoteBill(city.caller, Brought(right, facts(city))), HoldKind.COUNTER, None)
    )
    kept = await settle(resources, city, right)
    assert (kept.answer["promise"]["kept"], kept.answer["mutual_aid"]["amount"]) == (True, "0.00")
    await reverse(resources, city, corrected, a_2305(wrong))
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    moved = [(line["aid_recorded"], line["aid_now"]) for line in proposed["lines"]]
    assert moved == [("0.00", "30200.00"), ("30200.00", "0.00")]
    await apply_rerating(resources, ApplyRerating(city.caller, UUID(str(proposed["rerating_id"]))))
    assert await broken(database) == []


async def test_a_proposal_lapses_once_nothing_would_change_any_more(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, city, **NO_INSURANCE, allowed="60000.00")
    first = await settle(resources, city, whole)
    poor = await settle(resources, city, visit(2, city))
    await reverse(resources, city, first, a_2305(whole, medins_setl_id="M2208"))
    clock.forward(days=2)
    await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    await reinstate(resources, city, first)
    with pytest.raises(NothingToRate):
        await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    assert rows_of(database, "SELECT state FROM rerating") == [("lapsed",)]
    assert rows_of(database, "SELECT count(*) FROM worklist_item WHERE closed_at IS NULL") == [(0,)]


async def test_what_was_declined_stays_so_although_another_bill_came_and_went(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    _, later = await a_poor_member(resources, city, clock)
    unasked = ProposeRerating(city.caller, bill_id_of(later), declined_stands=True)
    await propose_rerating(resources, unasked)
    [(item_id,)] = rows_of(database, "SELECT item_id FROM worklist_item")
    for done in (Done(Action.TAKEN), Done(Action.CLOSED, ClosingReason.NOTHING_TO_DO)):
        await act_on_item(resources, city.office.approver, item_id, done)
    output = visit(9, city)
    between = await settle(resources, city, output)
    assert (await propose_rerating(resources, unasked))["state"] == "proposed"
    await reverse(resources, city, between, a_2305(output))
    clock.forward(days=2)
    assert (await propose_rerating(resources, unasked))["state"] == "declined"
    assert rows_of(database, "SELECT count(*) FROM worklist_item WHERE closed_at IS NULL") == [(0,)]


async def test_what_is_open_was_proposed_last_although_its_process_is_seconds_behind(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    _, later = await a_poor_member(resources, city, clock)
    async with open_test_resources(database, SteeredClock(clock.now + timedelta(seconds=4)), seed=8) as ahead:
        lapsed = await propose_rerating(ahead, ProposeRerating(city.caller, bill_id_of(later)))
    await settle(resources, city, visit(9, city))
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    assert proposed["rerating_id"] < lapsed["rerating_id"]
    again = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    assert again["rerating_id"] == proposed["rerating_id"]
    assert rows_of(database, "SELECT state FROM rerating ORDER BY rerating_id") == [("proposed",), ("lapsed",)]


async def test_where_no_amount_would_change_nothing_is_proposed(resources: Resources, city: City):
    settled = await settle(resources, city, visit(1, city))
    with pytest.raises(NothingToRate):
        await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(settled)))


async def test_a_re_rating_that_is_not_there_cannot_be_applied(resources: Resources, city: City):
    with pytest.raises(RatingNotFound):
        await apply_rerating(resources, ApplyRerating(city.caller, UUID(int=7)))


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


async def test_a_re_rating_finds_a_place_that_is_kept_taken_and_that_is_explained(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """What a later bill gave back counts first while it is kept for its successor, whatever its place."""
    poor, later = await a_poor_member(resources, city, clock)
    await reverse(resources, city, later, a_2305(visit(3, city)))
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(poor)))
    await apply_rerating(resources, ApplyRerating(city.caller, UUID(str(proposed["rerating_id"]))))
    assert rows_of(database, "SELECT state FROM hold ORDER BY hold_id") == [("open",), ("open",)]
    assert await broken(database) == []


BINZHOU = HANGZHOU_FILE.with_name("binzhou.yaml")
"""Its plan takes off what other payers pay, and counts those who come later."""


async def test_a_later_payer_whom_the_plan_counts_leads_to_a_proposal(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls
):
    city = await a_city(resources, code="bz", plan_file=BINZHOU)
    clock.now = datetime(2026, 5, 11, 10, tzinfo=CHINA)
    bill = a_2304(city.member, setl_time="2026-05-11 09:58:00")
    stay = facts(city, admitted_on="2026-05-01", discharged_on="2026-05-11")
    settled = await settle(resources, city, bill, stay)
    payer = AddLaterPayer(city.caller, bill_id_of(settled), OtherPayer("惠民保", Money(500_00)), "HMB-1")
    answer = await add_later_payer(resources, payer)
    assert answer["counts"] is True
    assert Money.from_yuan(answer["rerating"]["net"].lstrip("-")) > Money(0)
    assert answer["rerating"]["net"].startswith("-")
    assert answer["rerating"]["state"] == "proposed"
    again = await add_later_payer(resources, payer)
    assert again["rerating"]["net"] == answer["rerating"]["net"]
    other = replace(payer, payer=OtherPayer("惠民保", Money(600_00)))
    with pytest.raises(LaterPaymentDiffers) as refused:
        await add_later_payer(resources, other)
    assert refused.value.figures == {"recorded": "500.00", "brought": "600.00"}
    assert rows_of(database, "SELECT amount_fen FROM later_payer") == [(500_00,)]
    assert rows_of(database, "SELECT revision FROM settlement") == [(1,)]
    applied = await apply_rerating(resources, ApplyRerating(city.caller, UUID(again["rerating"]["rerating_id"])))
    assert applied["state"] == "applied"
    rerating = await rerate_member(resources, city.caller, bill_id_of(settled))
    assert rerating.net == Money(0)
    assert await broken(database) == []


async def test_what_a_later_payer_paid_for_a_bill_counts_for_the_one_that_corrected_it(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls
):
    city = await a_city(resources, code="bz", plan_file=BINZHOU)
    clock.now = datetime(2026, 5, 11, 10, tzinfo=CHINA)
    bill, longer = (
        a_2304(city.member, setl_time="2026-05-11 09:58:00", allowed=each) for each in ("8000.00", "8100.00")
    )
    stay = facts(city, admitted_on="2026-05-01", discharged_on="2026-05-11")
    settled = await settle(resources, city, bill, stay)
    payer = AddLaterPayer(city.caller, bill_id_of(settled), OtherPayer("惠民保", Money(500_00)), "HMB-1")
    await add_later_payer(resources, payer)
    await reverse(resources, city, settled, a_2305(bill, setl_time="2026-05-11 09:59:00"))
    again = await settle(resources, city, longer, stay)
    assert again.answer["replaces"] == settled.answer["id"]
    told = await add_later_payer(resources, replace(payer, bill_id=bill_id_of(again)))
    assert told["rerating"]["net"] == "-250.00", "the same payment, told of the correction, too"
    assert rows_of(database, "SELECT count(*) FROM later_payer") == [(1,)]
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(again)))
    assert proposed["net"] == "-250.00", "half of what was paid"
    await apply_rerating(resources, ApplyRerating(city.caller, UUID(str(proposed["rerating_id"]))))
    with pytest.raises(NothingToRate):
        await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(again)))
    assert await broken(database) == []


async def a_chain_with_a_later_payer(
    resources: Resources, clock: SteeredClock, length: int
) -> tuple[City, list[Node], list[Outcome], Node]:
    """Bills that corrected one another, of the last of which a later payer paid 500.00; all but the last cancelled."""
    city = await a_city(resources, code="bz", plan_file=BINZHOU)
    clock.now = datetime(2026, 5, 11, 10, tzinfo=CHINA)
    outputs = [a_2304(city.member, setl_time="2026-05-11 09:58:00") for _ in range(length)]
    stay = facts(city, admitted_on="2026-05-01", discharged_on="2026-05-11")
    bills: list[Outcome] = []
    for output in outputs:
        bills.append(await settle(resources, city, output, stay))
        if output is not outputs[-1]:
            await undo(resources, city, bills[-1], output)
    payer = OtherPayer("惠民保", Money(500_00))
    await add_later_payer(resources, AddLaterPayer(city.caller, bill_id_of(bills[-1]), payer, "HMB-1"))
    return city, outputs, bills, stay


async def undo(resources: Resources, city: City, settled: Outcome, output: Node) -> None:
    own = {"medins_setl_id": "M2208", "setl_time": "2026-05-11 09:59:00", "setl_id": f"R{next(NUMBERS):05d}"}
    await reverse(resources, city, settled, a_2305(output, **own))


async def test_what_a_later_payer_paid_counts_for_whichever_bill_of_a_chain_lives(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls
):
    city, outputs, (first, second, third), stay = await a_chain_with_a_later_payer(resources, clock, 3)
    for ended, output, reinstated in ((third, outputs[2], second), (second, outputs[1], first)):
        await undo(resources, city, ended, output)
        again = await reinstate(resources, city, reinstated)
        assert again.answer["mutual_aid"]["amount"] == "0.00", "what was paid is taken off as it lives again"
        assert (await rerate_member(resources, city.caller, bill_id_of(reinstated))).net == Money(0)
    await undo(resources, city, first, outputs[0])
    fourth = await settle(resources, city, a_2304(city.member, setl_time="2026-05-11 09:58:00"), stay)
    assert fourth.answer["replaces"] == first.answer["id"]
    rerating = await rerate_member(resources, city.caller, bill_id_of(fourth))
    assert rerating.net == -Money.from_yuan(fourth.answer["mutual_aid"]["amount"])
    assert await broken(database) == []


async def test_what_a_later_payer_paid_counts_once_where_two_bills_of_a_chain_live(
    resources: Resources, clock: SteeredClock, database: DatabaseUrls
):
    city, _, (first, second), _ = await a_chain_with_a_later_payer(resources, clock, 2)
    again = await reinstate(resources, city, first)
    assert again.answer["mutual_aid"]["amount"] == first.answer["mutual_aid"]["amount"]
    rerating = await rerate_member(resources, city.caller, bill_id_of(second))
    taken_off = {str(line.settled.head.bill_id): line.difference for line in rerating.lines}
    assert taken_off[first.answer["id"]] == Money(0)
    assert taken_off[second.answer["id"]] < Money(0)
    assert await broken(database) == []


async def test_a_re_rated_chain_that_is_rolled_back_is_explained(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """A re-rating found the correction in the place of the first bill; that one lives again afterwards."""
    whole = visit(7, city, **NO_INSURANCE, allowed="50000.00")
    first_of_all = await settle(resources, city, whole)
    old, new = (visit(1, city, **NO_INSURANCE, allowed=each) for each in ("60000.00", "9000.00"))
    first = await settle(resources, city, old)
    await settle(resources, city, visit(2, city, **NO_INSURANCE, allowed="30000.00"))
    await reverse(resources, city, first, a_2305(old, medins_setl_id="M2208", setl_id="R1"))
    second = await settle(resources, city, new)
    assert second.answer["replaces"] == first.answer["id"]
    await reverse(resources, city, first_of_all, a_2305(whole, setl_id="R2"))
    clock.forward(days=2)
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(second)))
    applied = await apply_rerating(resources, ApplyRerating(city.caller, UUID(proposed["rerating_id"])))
    assert applied["state"] == "applied"
    await reverse(resources, city, second, a_2305(new, setl_id="R3"))
    assert await broken(database) == []
    assert (await reinstate(resources, city, first)).answer["state"] == "live"
    assert await broken(database) == []


async def test_closing_its_worklist_item_declines_a_proposal(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    _, later = await a_poor_member(resources, city, clock)
    proposed = await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later)))
    [(item_id,)] = rows_of(database, "SELECT item_id FROM worklist_item")
    assert isinstance(item_id, UUID)
    for done in (Done(Action.TAKEN), Done(Action.CLOSED, ClosingReason.NOTHING_TO_DO)):
        await act_on_item(resources, city.office.approver, item_id, done)
    declined = await apply_rerating(resources, ApplyRerating(city.caller, UUID(proposed["rerating_id"])))
    assert (declined["state"], declined["decided_by"]) == ("declined", "staff:head")
    assert rows_of(database, "SELECT count(*) FROM settlement WHERE revision > 1") == [(0,)]
    for unasked, states in ((True, ["declined"]), (False, ["declined", "proposed"])):
        await propose_rerating(resources, ProposeRerating(city.caller, bill_id_of(later), declined_stands=unasked))
        assert [state for (state,) in rows_of(database, "SELECT state FROM rerating ORDER BY rerating_id")] == states
