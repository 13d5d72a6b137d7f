"""A quote that holds is a promise: the settlement with the same insurer figures pays exactly what it showed."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any
from uuid import UUID

import psycopg
import pytest

from builders import (
    HANGZHOU_FILE,
    KEYS,
    City,
    SteeredClock,
    a_2304,
    a_2305,
    bill_id_of,
    facts,
    once,
    reverse,
    settle,
    with_one_case,
)
from database import ops_engine, rows_of, until_so_many_wait
from settlement.db.embedded import DatabaseUrls
from settlement.domain.ids import HoldId
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import Door, OtherPayer
from settlement.services.audit.examine import examine
from settlement.services.bills.answer_bill import AnswerBill, answer_bill
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.promise_bill import GuaranteeNotAllowed, PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.bills.release_hold import HoldNotFound, release_hold
from settlement.services.funds.set_guarantee import set_guarantee
from settlement.services.pending.report_message import ReportMessage, report_message
from settlement.services.resources import Resources

BIG = {"allowed": "90000.00"}
"""A bill whose aid takes whatever is left of the term's limit."""


async def hold(
    resources: Resources,
    city: City,
    output: dict[str, Any],
    beside: dict[str, Any] | None = None,
    *,
    kind: HoldKind = HoldKind.COUNTER,
    others: tuple[OtherPayer, ...] = (),
    key: str | None = None,
) -> Outcome:
    quote = QuoteBill(city.caller, Brought(output, beside or facts(city), others))
    return await promise_bill(resources, PromiseBill(quote, kind, once(city.caller, key) if key else None))


async def quoted(resources: Resources, city: City, output: dict[str, Any], **beside: object) -> dict[str, Any]:
    return await quote_bill(resources, QuoteBill(city.caller, Brought(output, facts(city, **beside))))


def another_visit(output: dict[str, Any], number: int) -> dict[str, Any]:
    other = deepcopy(output)
    other["setlinfo"]["mdtrt_id"] = f"V{number:08d}"
    return other


def aid_of(outcome: Outcome) -> Money:
    return Money.from_yuan(outcome.answer["mutual_aid"]["amount"])


async def limit(resources: Resources, city: City) -> Money:
    """The term's limit: what a bill far above it would be paid by somebody who had nothing yet."""
    answer = await quoted(resources, city, another_visit(a_2304(city.members[1], **BIG), 99))
    return Money.from_yuan(answer["mutual_aid"]["amount"])


async def broken(database: DatabaseUrls) -> list[str]:
    async with ops_engine(database) as engine:
        examination = await examine(engine, KEYS)
    return [finding.invariant.name for finding in examination.broken]


def states(database: DatabaseUrls) -> list[object]:
    return [state for (state,) in rows_of(database, "SELECT state FROM hold ORDER BY hold_id")]


async def test_the_settlement_of_a_held_batch_pays_what_was_shown(
    resources: Resources, city: City, database: DatabaseUrls
):
    shown = (await hold(resources, city, a_2304(city.member))).answer
    settled = (await settle(resources, city, a_2304(city.member))).answer
    assert shown["hold"]["cash_due"] == shown["cash_due"] == settled["cash_due"]
    assert settled["mutual_aid"] == shown["mutual_aid"]
    assert settled["receipt_hash"] == shown["hold"]["receipt_hash"]
    assert settled["promise"]["kept"] is True
    assert settled["promise"]["reason"]["code"] == "promise_kept"
    assert states(database) == ["kept"]
    assert await broken(database) == []


async def test_a_promise_is_kept_when_other_bills_have_taken_the_room(
    resources: Resources, city: City, database: DatabaseUrls
):
    output = a_2304(city.member)
    shown = (await hold(resources, city, output)).answer
    other = another_visit(a_2304(city.member, **BIG), 1)
    taken = aid_of(await settle(resources, city, other))
    assert taken == await limit(resources, city) - Money.from_yuan(shown["mutual_aid"]["amount"])
    settled = (await settle(resources, city, output)).answer
    assert settled["cash_due"] == shown["cash_due"]
    assert await broken(database) == []


async def leave_a_hundred(resources: Resources, city: City) -> None:
    """Settle one bill that leaves 100.00 of the term's limit; the size that does is found by quoting."""
    wanted = await limit(resources, city) - Money(100_00)
    low, high = 1, 9_000_000
    while low < high:
        middle = (low + high) // 2
        trial = another_visit(a_2304(city.member, allowed=Money(middle).yuan(), hifp="0.00"), 98)
        paid = Money.from_yuan((await quoted(resources, city, trial))["mutual_aid"]["amount"])
        low, high = (low, middle) if paid >= wanted else (middle + 1, high)
    bill = another_visit(a_2304(city.member, allowed=Money(low).yuan(), hifp="0.00"), 98)
    assert aid_of(await settle(resources, city, bill)) == wanted


async def test_of_twenty_bills_that_race_for_the_last_hundred_each_pays_what_it_was_shown(
    resources: Resources, city: City, database: DatabaseUrls
):
    await leave_a_hundred(resources, city)
    bills = [another_visit(a_2304(city.member), number) for number in range(20)]
    shown = await asyncio.gather(*(hold(resources, city, bill) for bill in bills))
    settled = await asyncio.gather(*(settle(resources, city, bill) for bill in reversed(bills)))
    paid = [outcome.answer["cash_due"] for outcome in reversed(settled)]
    assert paid == [outcome.answer["cash_due"] for outcome in shown]
    assert sum(int(aid_of(outcome)) for outcome in settled) == 100_00
    assert await broken(database) == []


async def test_of_twenty_bills_that_race_without_a_promise_the_limit_holds(
    resources: Resources, city: City, database: DatabaseUrls
):
    await leave_a_hundred(resources, city)
    bills = [another_visit(a_2304(city.member), number) for number in range(20)]
    # Connections are open before the race: opening one takes longer than a settlement.
    await asyncio.gather(*(quoted(resources, city, bill) for bill in bills))
    settled = await asyncio.gather(*(settle(resources, city, bill) for bill in bills))
    assert sum(int(aid_of(outcome)) for outcome in settled) == 100_00


async def test_a_bill_is_not_read_for_while_another_of_its_member_is_decided_and_not_yet_written(
    resources: Resources, city: City, database: DatabaseUrls
):
    """Somebody stands before the table that both write to; the second must not have read what the first will change."""
    await leave_a_hundred(resources, city)
    bills = [another_visit(a_2304(city.member), number) for number in (1, 2)]
    with psycopg.connect(database.owner) as in_the_way:
        in_the_way.execute("LOCK TABLE settlement IN SHARE MODE")
        first = asyncio.create_task(settle(resources, city, bills[0]))
        await asyncio.to_thread(until_so_many_wait, database, 1)
        second = asyncio.create_task(settle(resources, city, bills[1]))
        await asyncio.to_thread(until_so_many_wait, database, 2)
        in_the_way.rollback()
    assert [int(aid_of(await each)) for each in (first, second)] == [100_00, 0]


async def test_without_a_promise_the_last_hundred_goes_to_whom_it_was_promised(
    resources: Resources, city: City, database: DatabaseUrls
):
    await leave_a_hundred(resources, city)
    promised, other = (another_visit(a_2304(city.member), number) for number in (1, 2))
    shown = await hold(resources, city, promised)
    assert aid_of(await settle(resources, city, other)) == Money(0)
    assert aid_of(await settle(resources, city, promised)) == aid_of(shown) == Money(100_00)


async def test_other_figures_are_computed_anew_and_the_difference_is_told(
    resources: Resources, city: City, database: DatabaseUrls
):
    shown = (await hold(resources, city, a_2304(city.member))).answer
    settled = (await settle(resources, city, a_2304(city.member, allowed="9000.00"))).answer
    assert settled["mutual_aid"]["amount"] != shown["mutual_aid"]["amount"]
    assert settled["promise"] == {
        "hold_id": shown["hold"]["id"],
        "kept": False,
        "aid_on_bill": shown["mutual_aid"]["on_bill"],
        "aid_to_card": "0.00",
        "cash_due": shown["cash_due"],
        "reason": settled["promise"]["reason"],
    }
    assert settled["promise"]["reason"]["code"] == "promise_of_other_figures"
    assert states(database) == ["overtaken"]
    assert await broken(database) == []


async def test_other_payers_at_the_counter_are_other_figures(resources: Resources, city: City):
    await hold(resources, city, a_2304(city.member))
    other = (OtherPayer("惠民保", Money(200_000)),)
    settled = (await settle(resources, city, a_2304(city.member), other_payers=other)).answer
    assert settled["promise"]["kept"] is False


async def test_a_newer_quote_of_the_batch_replaces_the_older(resources: Resources, city: City, database: DatabaseUrls):
    await hold(resources, city, a_2304(city.member))
    newer = (await hold(resources, city, a_2304(city.member, allowed="9000.00"))).answer
    assert states(database) == ["replaced", "open"]
    settled = (await settle(resources, city, a_2304(city.member, allowed="9000.00"))).answer
    assert settled["cash_due"] == newer["cash_due"]
    assert states(database) == ["replaced", "kept"]
    assert await broken(database) == []


async def test_a_batch_does_not_take_its_own_room(resources: Resources, city: City):
    await leave_a_hundred(resources, city)
    first = await hold(resources, city, a_2304(city.member))
    second = await hold(resources, city, a_2304(city.member))
    assert aid_of(first) == aid_of(second) == Money(100_00)
    answer = await quoted(resources, city, a_2304(city.member))
    assert answer["mutual_aid"]["amount"] == "100.00"


async def test_an_unused_hold_expires_by_itself(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    await leave_a_hundred(resources, city)
    promised, other = (another_visit(a_2304(city.member), number) for number in (1, 2))
    await hold(resources, city, promised)
    clock.forward(minutes=31)
    assert aid_of(await settle(resources, city, other)) == Money(100_00)
    late = (await settle(resources, city, promised)).answer
    assert late["mutual_aid"]["amount"] == "0.00"
    assert late["promise"] is None
    assert await broken(database) == []


async def report(resources: Resources, city: City, output: dict[str, Any], message_id: str, **beside: object) -> None:
    """Report that the message which settles a visit at the insurer was not answered."""
    setlinfo = output["setlinfo"]
    message = ReportMessage(
        city.caller,
        message_id,
        setlinfo["psn_no"],
        setlinfo["mdtrt_id"],
        None,
        facts(city, **beside),
        once(city.caller),
    )
    await report_message(resources, message)


async def test_a_promise_stands_while_it_is_asked_what_became_of_its_message(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    await leave_a_hundred(resources, city)
    promised, other = (another_visit(a_2304(city.member), number) for number in (1, 2))
    shown = (await hold(resources, city, promised)).answer
    clock.forward(minutes=29)
    await report(resources, city, promised, "message-1")
    clock.forward(minutes=5)
    assert aid_of(await settle(resources, city, other)) == Money(0)
    assert await broken(database) == []
    settled = (await settle(resources, city, promised)).answer
    assert settled["promise"]["reason"]["code"] == "promise_kept"
    assert settled["cash_due"] == shown["cash_due"]
    assert await broken(database) == []


@pytest.mark.parametrize(
    ("minutes", "batch"), [pytest.param(31, "1", id="too_late"), pytest.param(29, "2", id="of_another_batch")]
)
async def test_a_message_prolongs_no_promise_that_is_over_or_of_another_batch(
    resources: Resources, city: City, clock: SteeredClock, minutes: int, batch: str
):
    await leave_a_hundred(resources, city)
    promised, other = (another_visit(a_2304(city.member), number) for number in (1, 2))
    await hold(resources, city, promised)
    clock.forward(minutes=minutes)
    await report(resources, city, promised, "message-1", chrg_bchno=batch)
    clock.forward(minutes=5)
    assert aid_of(await settle(resources, city, other)) == Money(100_00)


async def test_a_released_hold_frees_its_room(resources: Resources, city: City, database: DatabaseUrls):
    await leave_a_hundred(resources, city)
    promised, other = (another_visit(a_2304(city.member), number) for number in (1, 2))
    held = (await hold(resources, city, promised)).answer["hold"]
    released = await release_hold(resources, city.caller, HoldId(UUID(held["id"])))
    assert released["state"] == "released"
    assert aid_of(await settle(resources, city, other)) == Money(100_00)
    assert await release_hold(resources, city.caller, HoldId(UUID(held["id"]))) == released
    with pytest.raises(HoldNotFound):
        await release_hold(resources, city.caller, HoldId(UUID(int=7)))


async def test_a_promise_stands_over_midnight_and_a_new_plan_version(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls, tmp_path: Any
):
    shown = (await hold(resources, city, a_2304(city.member))).answer
    text = HANGZHOU_FILE.read_text().replace("effective_from: 2018-01-01", "effective_from: 2018-01-02", 1)
    file = tmp_path / "newer.yaml"
    file.write_text(
        with_one_case(text.replace('version: "2018"', 'version: "2018b"', 1).replace('rate: "50%"', 'rate: "40%"'))
    )
    await city.office.publish(resources, file)
    anew = await quoted(resources, city, another_visit(a_2304(city.member), 5))
    assert anew["mutual_aid"]["amount"] != shown["mutual_aid"]["amount"]
    settled = (await settle(resources, city, a_2304(city.member))).answer
    assert settled["cash_due"] == shown["cash_due"]
    assert settled["plan"] == shown["plan"]
    assert await broken(database) == []


@pytest.mark.parametrize("door", [Door.EXCHANGE, Door.CATCH_UP])
async def test_what_was_shown_at_the_counter_is_on_the_bill_through_whatever_door_it_comes(
    resources: Resources, city: City, door: Door
):
    shown = (await hold(resources, city, a_2304(city.member))).answer
    settled = (await settle(resources, city, a_2304(city.member), door=door, at_counter=False)).answer
    assert settled["mutual_aid"]["on_bill"] == shown["mutual_aid"]["on_bill"]


async def test_an_estimate_before_the_discharge_reserves_nothing(
    resources: Resources, city: City, database: DatabaseUrls
):
    answer = (await hold(resources, city, a_2304(city.member), facts(city, discharged_on=None))).answer
    assert answer["estimate"] is True
    assert answer["mutual_aid"]["amount"] == "389.83"
    assert answer["hold"] is None
    assert answer["not_held"]["code"] == "estimate_not_held"
    assert states(database) == []


async def test_a_guarantee_for_a_stay_needs_the_funds_rule_and_ends_at_the_discharge(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    during = facts(city, discharged_on=None)
    with pytest.raises(GuaranteeNotAllowed):
        await hold(resources, city, a_2304(city.member), during, kind=HoldKind.STAY)
    await set_guarantee(resources, city.fund_id, 60)
    guaranteed = (await hold(resources, city, a_2304(city.member), during, kind=HoldKind.STAY)).answer
    clock.forward(days=20)
    assert guaranteed["hold"]["kind"] == "stay"
    final, after = a_2304(city.member, allowed="9000.00"), facts(city, chrg_bchno="2")
    grown = (await hold(resources, city, final, after)).answer
    assert states(database) == ["replaced", "open"]
    settled = (await settle(resources, city, final, after)).answer
    assert settled["cash_due"] == grown["cash_due"]
    assert await broken(database) == []


async def test_a_pre_settlement_without_aid_ends_the_batchs_promise(
    resources: Resources, city: City, database: DatabaseUrls
):
    await hold(resources, city, a_2304(city.member))
    stranger = await hold(resources, city, a_2304(city.member, med_type="41"))
    assert stranger.answer["hold"] is None
    assert states(database) == ["replaced"]


async def test_a_held_quote_is_answered_once_per_key(resources: Resources, city: City, database: DatabaseUrls):
    first = await hold(resources, city, a_2304(city.member), key="key-hold-1")
    again = await hold(resources, city, a_2304(city.member), key="key-hold-1")
    assert again.replayed
    assert again.answer == first.answer
    assert states(database) == ["open"]


async def test_a_kept_promise_is_reversed_like_any_bill(resources: Resources, city: City, database: DatabaseUrls):
    await leave_a_hundred(resources, city)
    output = another_visit(a_2304(city.member), 1)
    await hold(resources, city, output)
    settled = await settle(resources, city, output)
    await reverse(resources, city, settled, a_2305(output))
    assert aid_of(await settle(resources, city, another_visit(a_2304(city.member), 1))) == Money(100_00)
    assert await broken(database) == []


async def test_the_database_refuses_a_settlement_that_breaks_its_promise(
    resources: Resources, city: City, database: DatabaseUrls
):
    await hold(resources, city, a_2304(city.member))
    await settle(resources, city, a_2304(city.member))
    with psycopg.connect(database.owner) as owner, pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("UPDATE settlement SET aid_on_bill_fen = aid_on_bill_fen - 1, cash_due_fen = cash_due_fen + 1")


async def test_a_held_bill_that_is_answered_ends_the_guarantee_for_its_stay(
    resources: Resources, city: City, clock: SteeredClock, database: DatabaseUrls
):
    """Otherwise bill and guarantee would both take the room, and the member's next bill would find none."""
    await set_guarantee(resources, city.fund_id, 60)
    during = facts(city, discharged_on=None)
    await hold(resources, city, a_2304(city.member, allowed="80000.00"), during, kind=HoldKind.STAY)
    waiting = await settle(resources, city, a_2304(city.member, **BIG), facts(city, discharged_on=None, chrg_bchno="2"))
    assert waiting.answer["state"] == "held"
    assert states(database) == ["open"]
    told = AnswerBill(city.caller, bill_id_of(waiting), {"discharged_on": "2025-03-11"}, {}, None, once(city.caller))
    answered = (await answer_bill(resources, told)).answer
    assert answered["mutual_aid"]["amount"] == (await limit(resources, city)).yuan()
    assert states(database) == ["overtaken"]
    assert answered["promise"]["kept"] is False
    assert await broken(database) == []


async def test_a_bill_that_turns_out_not_to_be_ours_releases_what_was_held_for_it(
    resources: Resources, city: City, database: DatabaseUrls
):
    await hold(resources, city, a_2304(city.member))
    settled = await settle(resources, city, a_2304(city.member, med_type="41", allowed="9000.00"))
    assert settled.answer["mutual_aid"]["status"] == "none"
    assert states(database) == ["released"]
