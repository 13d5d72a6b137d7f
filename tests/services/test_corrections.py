"""Corrections by name, in the orders in which hospitals make them; after each, the whole record is examined."""

from __future__ import annotations

import asyncio
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
    a_2207,
    a_2304,
    a_2305,
    bill_id_of,
    facts,
    once,
    reverse,
    settle,
    with_one_case,
)
from database import ops_engine, rows_of
from settlement.db.embedded import DatabaseUrls
from settlement.domain.ids import HoldId
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import Door, ReversalReason
from settlement.domain.time import CHINA
from settlement.services.audit.examine import examine
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.bills.reinstate_bill import ReinstateBill, reinstate_bill
from settlement.services.bills.release_hold import release_hold
from settlement.services.bills.reverse_bill import Seen, read_brought_cancellation, undo
from settlement.services.books.close_books_day import close_books_day
from settlement.services.funds.lines import Lines
from settlement.services.resources import Resources

NO_INSURANCE = {"hifp": "0.00", "absorbed": "0.00", "account": "0.00", "excluded": "0.00"}
SMALL = {**NO_INSURANCE, "allowed": "900.00"}
WHOLE = {**NO_INSURANCE, "allowed": "60000.00"}
"""A bill that takes the whole of the term's limit, 30,200.00."""
INSURED = {"allowed": "60000.00", "excluded": "0.00", "hifp": "20000.00"}
SMALLER = {**NO_INSURANCE, "allowed": "58000.00"}
"""The rest of it after a part refund: it would still take the whole limit."""


async def examined(database: DatabaseUrls) -> dict[str, tuple[str, ...]]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return {finding.invariant.name: finding.ids for finding in examination.broken}


def visit(number: int, output: Node) -> Node:
    return {**output, "setlinfo": {**output["setlinfo"], "mdtrt_id": f"V{number:08d}"}}


def aid(outcome: Outcome) -> str:
    return str(outcome.answer["mutual_aid"]["amount"])


async def quoted(resources: Resources, city: City, output: Node, **beside: object) -> str:
    answer = await quote_bill(resources, QuoteBill(city.caller, Brought(output, facts(city, **beside))))
    return str(answer["mutual_aid"]["amount"])


async def hold(resources: Resources, city: City, output: Node, **beside: object) -> Node:
    quote = QuoteBill(city.caller, Brought(output, facts(city, **beside)))
    return (await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))).answer


async def release(resources: Resources, city: City, shown: Node) -> None:
    assert (await release_hold(resources, city.caller, HoldId(UUID(shown["hold"]["id"]))))["state"] == "released"


async def reinstate(resources: Resources, city: City, settled: Outcome) -> Outcome:
    undone = {"psn_no": city.member.insured_person_no, "omsgid": "M2208", "oinfno": "2305", "infcode": "0"}
    lines = Lines({}, resources.clock)
    try:
        return await reinstate_bill(
            resources, lines, ReinstateBill(city.caller, bill_id_of(settled), undone, once(city.caller))
        )
    finally:
        await lines.close()


async def test_part_refund_at_the_cap(resources: Resources, city: City, database: DatabaseUrls):
    whole = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, whole)
    await reverse(resources, city, first, a_2305(whole))
    meanwhile = await settle(resources, city, visit(2, a_2304(city.member)))
    assert aid(meanwhile) == "0.00"
    rest = visit(1, a_2304(city.member, **SMALLER))
    assert await quoted(resources, city, rest) == "30200.00"
    again = await settle(resources, city, rest, facts(city, chrg_bchno="2"))
    assert aid(again) == "30200.00"
    assert again.answer["replaces"] == first.answer["id"]
    old = (await settle(resources, city, whole)).answer
    assert (old["state"], old["replaced_by"]) == ("replaced", again.answer["id"])
    assert old["mutual_aid"]["reason"]["code"] == "replaced"
    assert rows_of(database, "SELECT kind, state FROM hold") == [("successor", "taken")]
    told = "SELECT type FROM event JOIN bill USING (fund_id, bill_id) WHERE state = 'replaced' ORDER BY sequence"
    assert [type_ for (type_,) in rows_of(database, told)] == [
        "settlement.settled.v1",
        "settlement.reversed.v1",
        "settlement.replaced.v1",
    ]
    assert await examined(database) == {}


async def test_part_refund_at_the_cap_with_the_amount_promised_at_the_counter(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, whole)
    await reverse(resources, city, first, a_2305(whole))
    rest = visit(1, a_2304(city.member, **SMALLER))
    shown = await hold(resources, city, rest, chrg_bchno="2")
    assert shown["mutual_aid"]["amount"] == "30200.00"
    assert await examined(database) == {}
    clock.forward(hours=3)
    assert aid(await settle(resources, city, visit(2, a_2304(city.member)))) == "0.00"
    again = await settle(resources, city, rest, facts(city, chrg_bchno="2"))
    assert again.answer["promise"]["kept"] is True
    assert again.answer["cash_due"] == shown["cash_due"]
    assert again.answer["replaces"] == first.answer["id"]
    assert rows_of(database, "SELECT kind, state FROM hold ORDER BY hold_id") == [
        ("successor", "replaced"),
        ("counter", "kept"),
    ]
    assert await examined(database) == {}


async def test_a_released_promise_gives_the_kept_place_back_to_the_next_pre_settlement(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, whole)
    await reverse(resources, city, first, a_2305(whole))
    rest = visit(1, a_2304(city.member, **SMALLER))
    for batch in ("2", "3"):
        shown = await hold(resources, city, rest, chrg_bchno=batch)
        assert shown["mutual_aid"]["amount"] == "30200.00"
        await release(resources, city, shown)
        assert await quoted(resources, city, visit(2, a_2304(city.member))) == "0.00", "it is kept for the visit alone"
    assert await examined(database) == {}
    until = {at for (at,) in rows_of(database, "SELECT expires_at FROM hold WHERE kind = 'successor'")}
    assert len(until) == 1, "no longer than before"
    clock.forward(hours=3)
    again = await settle(resources, city, rest, facts(city, chrg_bchno="4"))
    assert (aid(again), again.answer["replaces"]) == ("30200.00", first.answer["id"])
    assert await examined(database) == {}


async def test_what_a_released_promise_had_left_of_the_kept_room_is_anothers(
    resources: Resources, city: City, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, whole)
    await reverse(resources, city, first, a_2305(whole, medins_setl_id="M2208"))
    shown = await hold(resources, city, visit(1, a_2304(city.member)), chrg_bchno="2")
    held = float(shown["mutual_aid"]["amount"])
    other = await settle(resources, city, visit(2, a_2304(city.member, **WHOLE)))
    assert float(aid(other)) == 30_200 - held
    await release(resources, city, shown)
    assert await examined(database) == {}
    again = await reinstate(resources, city, first)
    assert float(aid(again)) == held, "the bill lives again, and gets what is left"
    assert await examined(database) == {}


async def test_a_bill_of_the_batch_that_is_not_covered_leaves_the_kept_place_to_the_next(
    resources: Resources, city: City, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, whole)
    await reverse(resources, city, first, a_2305(whole))
    rest = visit(1, a_2304(city.member, **SMALLER))
    await hold(resources, city, rest, chrg_bchno="2")
    not_ours = visit(1, a_2304(city.member, med_type="41", allowed="9000.00"))
    settled = await settle(resources, city, not_ours, facts(city, chrg_bchno="2"))
    assert settled.answer["mutual_aid"]["status"] == "none"
    again = await settle(resources, city, rest, facts(city, chrg_bchno="3"))
    assert (aid(again), again.answer["replaces"]) == ("30200.00", first.answer["id"])
    assert await examined(database) == {}


async def test_of_two_kept_places_the_oldest_goes_first_also_when_it_was_given_back(
    resources: Resources, city: City, database: DatabaseUrls
):
    allowed = ("8000.00", "8100.00")
    bills = [visit(1, a_2207(city.member, allowed=each, setl_id=f"S{each}")) for each in allowed]
    settled = [await settle(resources, city, bill, facts(city, chrg_bchno=f"{n}")) for n, bill in enumerate(bills)]
    for bill, its in zip(bills, settled, strict=True):
        await reverse(resources, city, its, a_2305(bill))
    await release(resources, city, await hold(resources, city, visit(1, a_2207(city.member)), chrg_bchno="8"))
    again = await settle(resources, city, visit(1, a_2207(city.member)), facts(city, chrg_bchno="9"))
    assert again.answer["replaces"] == settled[0].answer["id"]
    assert await examined(database) == {}


async def test_a_promise_released_after_its_place_was_kept_gives_back_to_nobody(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    await reverse(resources, city, await settle(resources, city, whole), a_2305(whole))
    clock.now = datetime(2025, 3, 12, 23, 50, tzinfo=CHINA)
    shown = await hold(resources, city, visit(1, a_2304(city.member, **SMALLER)), chrg_bchno="2")
    clock.forward(minutes=11)
    await release(resources, city, shown)
    assert rows_of(database, "SELECT count(*) FROM hold WHERE state = 'open'") == [(0,)]
    assert await quoted(resources, city, visit(2, a_2304(city.member, **SMALLER))) == "30200.00"
    assert await examined(database) == {}


async def test_self_pay_to_insurance_old_cancelled_first(resources: Resources, city: City, database: DatabaseUrls):
    self_pay = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, self_pay, facts(city, ipt_otp_no="Z0001"))
    await reverse(resources, city, first, a_2305(self_pay))
    insured = visit(7, a_2304(city.member, allowed="60000.00", excluded="0.00", hifp="20000.00"))
    again = await settle(resources, city, insured, facts(city, ipt_otp_no="Z0001"))
    assert again.answer["replaces"] == first.answer["id"]
    assert await examined(database) == {}


async def test_forgotten_charge_after_discharge(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, tmp_path: Any
):
    """The corrected stay keeps plan version and ordinal, though a version came into force and a stay came between."""
    stay = visit(1, a_2304(city.member))
    first = await settle(resources, city, stay)
    await settle(resources, city, visit(2, a_2304(city.member)), facts(city, admitted_on="2025-03-11"))
    file = tmp_path / "newer.yaml"
    text = HANGZHOU_FILE.read_text().replace("effective_from: 2018-01-01", "effective_from: 2018-01-02", 1)
    file.write_text(
        with_one_case(text.replace('version: "2018"', 'version: "2018b"', 1).replace('rate: "50%"', 'rate: "40%"'))
    )
    await city.office.publish(resources, file)
    await reverse(resources, city, first, a_2305(stay))
    clock.forward(hours=30)
    longer = visit(1, a_2304(city.member, allowed="8100.00"))
    again = await settle(resources, city, longer)
    assert again.answer["plan"]["version"] == first.answer["plan"]["version"] == "2018"
    other = await settle(resources, city, visit(3, a_2304(city.member)))
    assert other.answer["plan"]["version"] == "2018b"
    assert await examined(database) == {}


async def test_observation_to_admission(resources: Resources, city: City, database: DatabaseUrls):
    """The bill of the observation is cancelled, and its fees are settled within the stay, which has another number."""
    observed = visit(1, a_2207(city.member))
    first = await settle(resources, city, observed)
    await reverse(resources, city, first, a_2305(observed))
    stay = visit(2, a_2304(city.member))
    again = await settle(resources, city, stay, resettles=observed["setlinfo"]["setl_id"])
    assert again.answer["replaces"] == first.answer["id"]
    assert again.answer["service_date"] == "2025-03-11"
    assert await examined(database) == {}


async def test_a_re_settlement_that_another_door_brought_takes_its_place_once_the_hospital_says_so(
    resources: Resources, city: City, database: DatabaseUrls
):
    observed = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, observed)
    await reverse(resources, city, first, a_2305(observed))
    stay = visit(2, a_2304(city.member))
    pushed = await settle(resources, city, stay, door=Door.EXCHANGE, at_counter=False)
    assert aid(pushed) == "0.00", "nobody has said that it corrects the observation's bill"
    again = await settle(resources, city, stay, resettles=observed["setlinfo"]["setl_id"])
    assert (again.created, again.answer["id"], again.answer["revision"]) == (False, pushed.answer["id"], 2)
    assert again.answer["replaces"] == first.answer["id"]
    alone = await quoted(resources, city, visit(8, a_2304(city.members[1])))
    assert again.answer["mutual_aid"]["to_card"] == aid(again) == alone
    assert again.answer["cash_due"] == pushed.answer["cash_due"]
    assert rows_of(database, "SELECT kind, state FROM hold") == [("successor", "taken")]
    assert (await settle(resources, city, stay, resettles=observed["setlinfo"]["setl_id"])).answer == again.answer
    assert await examined(database) == {}


async def test_what_a_bill_corrects_may_be_said_by_the_message_that_confirms_it_and_again_later(
    resources: Resources, city: City, database: DatabaseUrls
):
    observed = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, observed)
    stay, named = visit(2, a_2304(city.member)), observed["setlinfo"]["setl_id"]
    await settle(resources, city, stay)
    said = await settle(resources, city, stay, confirmed_by="5203", resettles=named)
    assert said.answer["replaces"] is None, "the first still lives"
    told = f"SELECT type FROM event WHERE bill_id = '{bill_id_of(said)}' ORDER BY sequence"
    assert [type_ for (type_,) in rows_of(database, told)] == [
        "settlement.settled.v1",
        "settlement.confirmed.v1",
        "settlement.said_to_resettle.v1",
    ]
    await reverse(resources, city, first, a_2305(observed))
    assert await examined(database) == {}


async def test_an_excluded_bill_corrects_nothing(resources: Resources, city: City, database: DatabaseUrls):
    output = visit(1, a_2304(city.member))
    injured = visit(2, a_2304(city.member, med_type="22"))
    await reverse(resources, city, await settle(resources, city, output), a_2305(output))
    held = await settle(resources, city, injured)
    ended = await settle(resources, city, injured, answers={"third_party_liable": True})
    assert (held.answer["state"], ended.answer["state"]) == ("held", "live")
    named = output["setlinfo"]["setl_id"]
    said = await settle(resources, city, injured, resettles=named)
    assert said.answer["replaces"] is None
    assert await examined(database) == {}


async def test_who_names_another_person_says_nothing_of_what_a_recorded_bill_corrects(
    resources: Resources, city: City, database: DatabaseUrls
):
    other = city.members[1]
    observed = visit(1, a_2304(other, **WHOLE))
    await reverse(resources, city, await settle(resources, city, observed), a_2305(observed))
    own = visit(2, a_2304(city.member))
    pushed = await settle(resources, city, own, door=Door.EXCHANGE, at_counter=False)
    anothers = visit(2, a_2304(other, setl_id=own["setlinfo"]["setl_id"]))
    said = await settle(resources, city, anothers, resettles=observed["setlinfo"]["setl_id"])
    assert (said.answer["id"], said.answer["replaces"], said.answer["revision"]) == (pushed.answer["id"], None, 1)
    assert rows_of(database, "SELECT kind, state FROM hold") == [("successor", "open")]
    assert await examined(database) == {}


async def test_a_bill_said_to_correct_one_that_still_lives_takes_its_place_when_that_is_cancelled(
    resources: Resources, city: City, database: DatabaseUrls
):
    observed, stay = visit(1, a_2304(city.member, **WHOLE)), visit(2, a_2304(city.member))
    first = await settle(resources, city, observed)
    await settle(resources, city, stay, door=Door.EXCHANGE, at_counter=False)
    said = await settle(resources, city, stay, resettles=observed["setlinfo"]["setl_id"])
    assert (aid(said), said.answer["replaces"]) == ("0.00", None)
    undone = await reverse(resources, city, first, a_2305(observed))
    assert (undone.answer["state"], undone.answer["replaced_by"]) == ("replaced", said.answer["id"])
    told = f"SELECT type FROM event WHERE bill_id = '{said.answer['id']}' ORDER BY sequence"
    assert [type_ for (type_,) in rows_of(database, told)] == [
        "settlement.settled.v1",
        "settlement.said_to_resettle.v1",
        "settlement.revised.v1",
    ]
    assert await examined(database) == {}


async def test_a_bill_said_to_correct_another_than_the_place_is_kept_of_stays_where_it_is(
    resources: Resources, city: City, database: DatabaseUrls
):
    early, observed = visit(1, a_2304(city.member)), visit(2, a_2304(city.member, **WHOLE))
    await settle(resources, city, early)
    first = await settle(resources, city, observed)
    late = visit(3, a_2304(city.member))
    pushed = await settle(resources, city, late, door=Door.EXCHANGE, at_counter=False)
    await reverse(resources, city, first, a_2305(observed))
    for number, (bill, named) in enumerate(((late, "of nobody"), (early, observed["setlinfo"]["setl_id"]))):
        said = await settle(resources, city, bill, resettles=named)
        assert (said.answer["replaces"], said.answer["revision"]) == (None, 1), number
    assert aid(pushed) == "0.00"
    assert rows_of(database, "SELECT kind, state FROM hold") == [("successor", "open")]
    assert await examined(database) == {}


async def test_second_correction_of_the_same_bill(resources: Resources, city: City, database: DatabaseUrls):
    outputs = [visit(1, a_2304(city.member, **{**NO_INSURANCE, "allowed": f"{60 - n}000.00"})) for n in range(3)]
    bills = []
    for output in outputs:
        bills.append(await settle(resources, city, output))
        assert aid(bills[-1]) == "30200.00"
        if output is not outputs[-1]:
            await reverse(resources, city, bills[-1], a_2305(output))
            assert aid(await settle(resources, city, visit(9, a_2304(city.member)))) == "0.00"
    chain = "SELECT bill_id::text, place_bill_id::text FROM bill WHERE replaces_bill_id IS NOT NULL ORDER BY bill_id"
    assert rows_of(database, chain) == [(bill.answer["id"], bills[0].answer["id"]) for bill in bills[1:]]
    assert await examined(database) == {}


async def test_re_settlement_that_never_comes(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    whole = visit(1, a_2304(city.member, **WHOLE))
    await reverse(resources, city, await settle(resources, city, whole), a_2305(whole))
    clock.forward(hours=37)
    assert aid(await settle(resources, city, visit(2, a_2304(city.member)))) == "0.00"
    clock.forward(hours=2)
    assert aid(await settle(resources, city, visit(3, a_2304(city.member, **WHOLE)))) == "30200.00"
    late = await settle(resources, city, visit(1, a_2304(city.member, **SMALLER)))
    assert (aid(late), late.answer["replaces"]) == ("0.00", None)
    assert rows_of(database, "SELECT count(*) FROM worklist_item") == [(0,)]
    assert await examined(database) == {}


async def test_another_hospitals_bill_takes_no_place(resources: Resources, city: City, database: DatabaseUrls):
    whole = visit(1, a_2304(city.member, **WHOLE))
    await reverse(resources, city, await settle(resources, city, whole), a_2305(whole))
    elsewhere = await settle(resources, city, visit(1, a_2304(city.member, **SMALLER)), facts(city, level=1))
    assert (aid(elsewhere), elsewhere.answer["replaces"]) == ("0.00", None)
    assert await examined(database) == {}


async def test_reversal_in_a_closed_books_day(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    output = visit(1, a_2304(city.member))
    settled = await settle(resources, city, output)
    await close_books_day(resources, city.fund_id)
    clock.forward(days=1)
    await reverse(resources, city, settled, a_2305(output))
    days = "SELECT 'settlement', books_day FROM settlement UNION ALL SELECT 'reversal', books_day FROM reversal"
    assert rows_of(database, days) == [("settlement", 1), ("reversal", 2)]
    assert await examined(database) == {}


async def test_reversal_and_re_settlement_twice_at_once(resources: Resources, city: City, database: DatabaseUrls):
    output = visit(1, a_2304(city.member, **WHOLE))
    settled = await settle(resources, city, output)
    undone = await asyncio.gather(
        *(reverse(resources, city, settled, a_2305(output)) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Outcome) and outcome.created for outcome in undone) == 1
    rest = visit(1, a_2304(city.member, **SMALLER))
    again = await asyncio.gather(*(settle(resources, city, rest) for _ in range(4)))
    assert sorted(outcome.created for outcome in again) == [False, False, False, True]
    assert {aid(outcome) for outcome in again} == {"30200.00"}
    assert rows_of(database, "SELECT count(*) FROM bill WHERE state = 'replaced'") == [(1,)]
    assert await examined(database) == {}


async def test_cancellation_before_its_bill_arrives(resources: Resources, city: City, database: DatabaseUrls):
    late = visit(1, a_2304(city.member))
    beside = {**facts(city), "init_setl_id": late["setlinfo"]["setl_id"]}
    await push_bills(resources, city.caller, [PushedBill(a_2305(late), beside, False)])
    assert (await settle(resources, city, late)).answer["state"] == "cancelled_unseen"
    again = await settle(resources, city, visit(1, a_2304(city.member, allowed="7900.00")))
    assert (again.answer["state"], again.answer["replaces"]) == ("live", None)
    assert await examined(database) == {}


async def test_reversal_undone_by_a_2601_while_its_room_is_kept(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = visit(1, a_2304(city.member, **WHOLE))
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, a_2305(output, medins_setl_id="M2208"))
    assert aid(await settle(resources, city, visit(2, a_2304(city.member)))) == "0.00"
    again = await reinstate(resources, city, settled)
    assert again.answer["mutual_aid"] == settled.answer["mutual_aid"]
    assert again.answer["receipt_hash"] == settled.answer["receipt_hash"]
    assert rows_of(database, "SELECT kind, state FROM hold") == [("successor", "taken")]
    assert await examined(database) == {}


async def test_reversal_undone_by_a_2601_after_another_bill_took_the_room(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    output = visit(1, a_2304(city.member, **WHOLE))
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, a_2305(output, medins_setl_id="M2208"))
    clock.forward(days=3)
    other = await settle(resources, city, visit(2, a_2304(city.member)))
    again = await reinstate(resources, city, settled)
    left = 30_200 - float(aid(other))
    assert float(again.answer["mutual_aid"]["on_bill"]) == left
    assert rows_of(database, "SELECT kind, figures FROM worklist_item") == [
        ("reinstated_with_less", {"aid_before": "30200.00", "aid_now": f"{left:.2f}"})
    ]
    assert await examined(database) == {}


@pytest.mark.parametrize("own_number", ["M2208", None], ids=["first_reported_by_5203", "region_without_numbers"])
async def test_a_cancellation_that_may_be_the_one_that_was_undone_is_asked_about(
    resources: Resources, city: City, database: DatabaseUrls, own_number: str | None
):
    output = visit(1, a_2304(city.member))
    number = own_number or output["setlinfo"]["setl_id"]
    cancelled = a_2305(output, setl_id=number)
    settled = await settle(resources, city, output)
    if own_number is None:
        await reverse(resources, city, settled, cancelled)
    else:
        seen = Seen("5203", None)
        await undo(resources, city.caller, bill_id_of(settled), ReversalReason.INSURER_CANCELLED, seen, None, None)
    assert (await reinstate(resources, city, settled)).answer["state"] == "live"
    beside = {**facts(city), "init_setl_id": output["setlinfo"]["setl_id"]}
    [late] = await push_bills(resources, city.caller, [PushedBill(cancelled, beside, False)])
    assert isinstance(late, Outcome)
    assert (late.created, late.answer["state"]) == (False, "live")
    asked = "SELECT asks, closed_at FROM pending_question"
    assert rows_of(database, asked) == [("cancellation", None)]
    last = f"SELECT type FROM event WHERE bill_id = '{bill_id_of(settled)}' ORDER BY sequence DESC LIMIT 1"
    assert rows_of(database, last) == [("settlement.cancellation_unclear.v1",)]
    assert await examined(database) == {}
    read = read_brought_cancellation(cancelled, await resources.rules.of(city.fund_id))
    reason, shown = ReversalReason.INSURER_CANCELLED, Seen("5203", read)
    gone = await undo(resources, city.caller, bill_id_of(settled), reason, shown, None, None)
    assert gone.answer["state"] == "reversed", "the insurer was asked, and says that it is cancelled"
    assert await examined(database) == {}


@pytest.mark.parametrize(
    ("minutes", "state"), [pytest.param(4, "live", id="asked"), pytest.param(6, "reversed", id="is_another")]
)
async def test_a_cancellation_without_a_known_number_is_another_one_when_it_is_dated_later(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, minutes: int, state: str
):
    output = visit(1, a_2304(city.member))
    seen = Seen("5203", None)
    settled = await settle(resources, city, output)
    await undo(resources, city.caller, bill_id_of(settled), ReversalReason.INSURER_CANCELLED, seen, None, None)
    await reinstate(resources, city, settled)
    at = f"{clock.now.astimezone(CHINA) + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}"
    clock.forward(hours=1)
    again = await reverse(resources, city, settled, a_2305(output, setl_id="M9", setl_time=at))
    assert again.answer["state"] == state
    assert await examined(database) == {}


async def test_a_second_cancellation_with_a_number_of_its_own_reverses_again_and_the_first_does_not(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = visit(1, a_2304(city.member))
    first, second = a_2305(output, setl_id="M1"), a_2305(output, setl_id="M2")
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, first)
    await reinstate(resources, city, settled)
    assert (await reverse(resources, city, settled, first)).answer["state"] == "live"
    assert (await reverse(resources, city, settled, second)).answer["state"] == "reversed"
    assert rows_of(database, "SELECT count(*) FROM pending_question") == [(0,)]
    assert await examined(database) == {}


async def test_cancelled_while_held(resources: Resources, city: City, database: DatabaseUrls):
    output = visit(1, a_2304(city.member))
    held = await settle(resources, city, output, facts(city, discharged_on=None))
    ended = await reverse(resources, city, held, a_2305(output))
    assert ended.answer["state"] == "cancelled_unseen"
    assert rows_of(database, "SELECT count(*) FROM hold") == [(0,)]
    assert await examined(database) == {}


async def test_self_pay_to_insurance_new_settled_first(resources: Resources, city: City, database: DatabaseUrls):
    self_pay = visit(1, a_2304(city.member, **WHOLE))
    first = await settle(resources, city, self_pay)
    insured = visit(1, a_2304(city.member, **INSURED))
    again = await settle(resources, city, insured, facts(city, chrg_bchno="2"))
    assert aid(again) == "0.00"
    undone = await reverse(resources, city, first, a_2305(self_pay))
    assert (undone.created, undone.answer["state"]) == (True, "replaced")
    assert undone.answer["replaced_by"] == again.answer["id"]
    now = (await settle(resources, city, insured, facts(city, chrg_bchno="2"))).answer
    assert (now["revision"], now["replaces"]) == (2, first.answer["id"])
    alone = await quoted(resources, city, visit(8, a_2304(city.members[1], **INSURED)))
    assert now["mutual_aid"]["to_card"] == now["mutual_aid"]["amount"] == alone
    assert now["cash_due"] == again.answer["cash_due"]
    assert rows_of(database, "SELECT count(*) FROM hold") == [(0,)]
    assert await examined(database) == {}


async def test_part_refund_at_the_cap_new_settled_first(resources: Resources, city: City, database: DatabaseUrls):
    whole, rest = visit(1, a_2304(city.member, **WHOLE)), visit(1, a_2304(city.member, **SMALLER))
    first = await settle(resources, city, whole)
    again = await settle(resources, city, rest)
    assert aid(again) == "0.00", "the term's limit is taken by the bill that is still to be cancelled"
    undone = await reverse(resources, city, first, a_2305(whole))
    assert (undone.answer["state"], undone.answer["replaced_by"]) == ("replaced", again.answer["id"])
    now = (await settle(resources, city, rest)).answer
    assert (now["mutual_aid"]["to_card"], now["cash_due"]) == ("30200.00", again.answer["cash_due"])
    assert aid(await settle(resources, city, visit(2, a_2304(city.member)))) == "0.00", "the limit counts once"
    assert await examined(database) == {}


async def test_forgotten_charge_after_discharge_new_settled_first(
    resources: Resources, city: City, database: DatabaseUrls
):
    """The whole stay is settled anew: another batch and another total, but the discharge is the same."""
    stay, longer = visit(1, a_2304(city.member)), visit(1, a_2304(city.member, allowed="8100.00"))
    first = await settle(resources, city, stay)
    await settle(resources, city, visit(2, a_2304(city.member)), facts(city, admitted_on="2025-03-11"))
    again = await settle(resources, city, longer, facts(city, chrg_bchno="2"))
    undone = await reverse(resources, city, first, a_2305(stay))
    assert (undone.answer["state"], undone.answer["replaced_by"]) == ("replaced", again.answer["id"])
    now = (await settle(resources, city, longer, facts(city, chrg_bchno="2"))).answer
    assert (now["replaces"], now["mutual_aid"]) == (first.answer["id"], again.answer["mutual_aid"])
    as_first_stay = await quoted(resources, city, visit(8, a_2304(city.members[1], allowed="8100.00")))
    lost = {"replaces": first.answer["id"], "aid_recorded": aid(again), "aid_now": as_first_stay}
    assert float(aid(again)) > float(as_first_stay), "it was settled as the third stay, with its lower deductible"
    assert rows_of(database, "SELECT kind, figures FROM worklist_item") == [("corrected_with_less", lost)]
    assert await examined(database) == {}


async def test_observation_to_admission_new_settled_first(resources: Resources, city: City, database: DatabaseUrls):
    """The stay has another number, so the hospital says which bill's fees it took over."""
    observed, stay = visit(1, a_2207(city.member)), visit(2, a_2304(city.member))
    first = await settle(resources, city, observed)
    again = await settle(resources, city, stay, resettles=observed["setlinfo"]["setl_id"])
    assert again.answer["replaces"] is None
    undone = await reverse(resources, city, first, a_2305(observed))
    assert (undone.answer["state"], undone.answer["replaced_by"]) == ("replaced", again.answer["id"])
    now = (await settle(resources, city, stay)).answer
    alone = await quoted(resources, city, visit(8, a_2304(city.members[1])))
    assert (now["replaces"], now["mutual_aid"]["amount"]) == (first.answer["id"], alone)
    assert await examined(database) == {}


async def test_second_correction_of_the_same_bill_new_settled_first(
    resources: Resources, city: City, database: DatabaseUrls
):
    outputs = [visit(1, a_2304(city.member, **{**NO_INSURANCE, "allowed": f"{60 - n}000.00"})) for n in range(3)]
    bills = [await settle(resources, city, outputs[0])]
    for number, output in enumerate(outputs[1:], start=2):
        bills.append(await settle(resources, city, output, facts(city, chrg_bchno=f"{number}")))
        undone = await reverse(resources, city, bills[-2], a_2305(outputs[number - 2]))
        assert undone.answer["replaced_by"] == bills[-1].answer["id"]
        assert aid(await settle(resources, city, output, facts(city, chrg_bchno=f"{number}"))) == "30200.00"
        assert aid(await settle(resources, city, visit(9, a_2304(city.member)))) == "0.00"
    chain = "SELECT bill_id::text, place_bill_id::text FROM bill WHERE replaces_bill_id IS NOT NULL ORDER BY bill_id"
    assert rows_of(database, chain) == [(bill.answer["id"], bills[0].answer["id"]) for bill in bills[1:]]
    assert await examined(database) == {}


async def test_a_mid_stay_settlement_corrects_no_other_of_its_stay(
    resources: Resources, city: City, database: DatabaseUrls
):
    early, late = visit(1, a_2304(city.member)), visit(1, a_2304(city.member, allowed="8100.00"))
    first = await settle(resources, city, early, facts(city, discharged_on="2025-03-05"))
    await settle(resources, city, late, facts(city, chrg_bchno="2"))
    undone = await reverse(resources, city, first, a_2305(early))
    assert undone.answer["state"] == "reversed"
    assert await examined(database) == {}


async def test_the_order_of_correction_makes_no_difference_to_the_aid(
    resources: Resources, city: City, database: DatabaseUrls
):
    aids = []
    for member, new_first in ((city.members[0], False), (city.members[1], True)):
        old = visit(1, a_2304(member, **WHOLE))
        new = visit(1, a_2304(member, **SMALLER))
        first = await settle(resources, city, old)
        if new_first:
            await settle(resources, city, new)
        await reverse(resources, city, first, a_2305(old))
        aids.append(aid(await settle(resources, city, new)))
    assert aids == ["30200.00", "30200.00"]
    assert await examined(database) == {}


async def test_another_batch_of_the_visit_corrects_nothing_when_one_is_refunded(
    resources: Resources, city: City, database: DatabaseUrls
):
    drugs, tests = visit(1, a_2207(city.member)), visit(1, a_2207(city.member, **SMALL))
    first = await settle(resources, city, drugs)
    laboratory = await settle(resources, city, tests, facts(city, chrg_bchno="2"))
    undone = await reverse(resources, city, first, a_2305(drugs))
    assert undone.answer["state"] == "reversed"
    assert rows_of(database, "SELECT count(*) FROM settlement") == [(2,)]
    assert laboratory.answer["replaces"] is None
    assert await examined(database) == {}


async def test_what_a_successor_would_lose_is_put_before_a_person(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, tmp_path: Any
):
    """The successor was settled under a version that pays more than that of the bill which it corrects."""
    old, new = visit(1, a_2304(city.member)), visit(1, a_2304(city.member))
    first = await settle(resources, city, old)
    file = tmp_path / "newer.yaml"
    text = HANGZHOU_FILE.read_text().replace("effective_from: 2018-01-01", "effective_from: 2018-01-02", 1)
    file.write_text(
        with_one_case(text.replace('version: "2018"', 'version: "2018b"', 1).replace('rate: "50%"', 'rate: "90%"'))
    )
    await city.office.publish(resources, file)
    clock.forward(hours=1)
    again = await settle(resources, city, new, facts(city, chrg_bchno="2"))
    assert again.answer["plan"]["version"] == "2018b"
    await reverse(resources, city, first, a_2305(old))
    now = (await settle(resources, city, new, facts(city, chrg_bchno="2"))).answer
    assert (now["revision"], now["mutual_aid"]) == (1, again.answer["mutual_aid"])
    assert now["replaces"] == first.answer["id"]
    [(kind, figures)] = rows_of(database, "SELECT kind, figures FROM worklist_item")
    assert kind == "corrected_with_less"
    assert figures["aid_now"] == aid(first)  # type: ignore[index]
    assert await examined(database) == {}


async def test_the_reversal_of_a_bill_from_a_cleared_day_makes_the_hospital_owe_its_aid(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """Once a day's payable is paid out, what is reversed later stands below zero: a receivable in the next clearing."""
    output = visit(1, a_2304(city.member))
    settled = await settle(resources, city, output)
    await close_books_day(resources, city.fund_id)
    clock.forward(days=1)
    await reverse(resources, city, settled, a_2305(output))
    by_day = """SELECT books_day, sum(fen)::bigint FROM (
        SELECT books_day, credit AS account, fen FROM posting UNION ALL SELECT books_day, debit, -fen FROM posting
    ) AS side WHERE account = 'payable:hospital' GROUP BY 1 ORDER BY 1"""
    assert rows_of(database, by_day) == [(1, 38983), (2, -38983)]
    assert await examined(database) == {}


async def test_a_mid_settlement_of_31_december_undone_on_1_january_keeps_its_term(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """The stay goes on; what is settled again at once has the place of the old one, in the old term."""
    clock.now = datetime(2025, 12, 31, 22, tzinfo=CHINA)
    until_new_year = {"admitted_on": "2025-12-20", "discharged_on": "2025-12-31"}
    middle = visit(1, a_2304(city.member, setl_time="2025-12-31 21:59:00", **WHOLE))
    first = await settle(resources, city, middle, facts(city, **until_new_year))
    clock.now = datetime(2026, 1, 1, 9, tzinfo=CHINA)
    await reverse(resources, city, first, a_2305(middle, setl_time="2026-01-01 08:59:00"))
    another = visit(2, a_2304(city.member, setl_time="2025-12-31 23:00:00"))
    assert aid(await settle(resources, city, another, facts(city, **until_new_year))) == "0.00"
    anew = visit(1, a_2304(city.member, setl_time="2026-01-01 10:00:00", **SMALLER))
    again = await settle(resources, city, anew, facts(city, **until_new_year))
    assert (aid(again), again.answer["replaces"]) == ("30200.00", first.answer["id"])
    days = "SELECT service_date::text, business_date::text FROM settlement ORDER BY recorded_at"
    assert rows_of(database, days)[-1] == ("2025-12-31", "2026-01-01")
    assert await examined(database) == {}
