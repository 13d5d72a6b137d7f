"""A city to which everything has happened that can happen to a bill so far, and every law still holds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from builders import (
    City,
    Node,
    SteeredClock,
    a_2207,
    a_2304,
    a_2305,
    a_city,
    a_person,
    bill_id_of,
    facts,
    once,
    open_test_resources,
    reverse,
    settle,
)
from database import ops_engine
from sealing import SIGNER
from settlement.db.embedded import DatabaseUrls
from settlement.domain.money import Money
from settlement.domain.promises import HoldKind
from settlement.domain.settlements import OtherPayer
from settlement.services.bills.answer_bill import AnswerBill, answer_bill
from settlement.services.bills.commands import Brought, Outcome
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.push_bills import PushedBill, push_bills
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.books.close_books_day import close_books_day
from settlement.services.books.seal_books_days import seal_closed_days
from settlement.services.events.number_events import number_all_events
from settlement.services.pending.report_message import ReportMessage, report_message
from settlement.services.resources import Resources

STAY_OF_JUNE = {"admitted_on": "2025-06-01", "discharged_on": "2025-06-11"}
STAY_OF_2026 = {"admitted_on": "2025-12-20", "discharged_on": "2026-01-05"}


@dataclass(frozen=True, slots=True)
class Eventful:
    """The bills by what became of them, as ids."""

    city: City
    bills: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.bills[name]


async def make_eventful(urls: DatabaseUrls) -> Eventful:
    """Fill an empty database through the use cases alone."""
    clock = SteeredClock()
    async with open_test_resources(urls, clock) as resources, ops_engine(urls) as ops:
        city = await a_city(resources, members=6)
        bills = await _on_the_first_day(resources, city)
        await number_all_events(ops)
        await _close_and_seal(resources, ops, city)
        clock.forward(days=1)
        bills |= await _on_the_second_day(resources, city)
        small = await a_city(resources, code="small", profile="simulator", members=1)
        bills["of_the_small_fund"] = _id(await settle(resources, small, a_2304(small.member)))
        await number_all_events(ops)
        bills["not_numbered"] = _id(
            await settle(resources, city, a_2207(city.members[1], med_type="11", mdtrt_id="V00000004"))
        )
    return Eventful(city, bills)


async def _on_the_first_day(resources: Resources, city: City) -> dict[str, str]:
    first, second, third, fourth, fifth, _ = city.members
    live = await settle(resources, city, a_2304(first))
    split = await settle(resources, city, a_2304(first, allowed="60000.00", hifp="1000.00", account="58000.00"))
    reversed_output = a_2304(second)
    undone = await settle(resources, city, reversed_output)
    await reverse(resources, city, undone, a_2305(reversed_output))
    june = a_2304(second, setl_time="2025-06-11 10:00:00", mdtrt_id="V00000002")
    after = await settle(resources, city, june, facts(city, **STAY_OF_JUNE))
    january = a_2304(second, setl_time="2026-01-05 10:00:00", mdtrt_id="V00000003")
    next_term = await settle(resources, city, january, facts(city, **STAY_OF_2026))
    with_other = await settle(
        resources, city, a_2304(third), other_payers=(OtherPayer("商业保险", Money.from_yuan("100.00")),)
    )
    await settle(resources, city, a_2304(fourth, psn_type="1300"))
    await settle(resources, city, a_2304(a_person(99)))
    await quote_bill(resources, QuoteBill(city.caller, Brought(a_2304(fourth), facts(city))))
    for batch in ("kept", "overtaken", "open", "open"):
        await _hold(resources, city, a_2304(fifth), batch)
    kept = await settle(resources, city, a_2304(fifth), facts(city, chrg_bchno="kept"))
    overtaken = await settle(resources, city, a_2304(fifth, allowed="8100.00"), facts(city, chrg_bchno="overtaken"))
    held = await settle(resources, city, a_2304(fourth), facts(city, discharged_on=None))
    released = await settle(resources, city, a_2304(fifth), facts(city, discharged_on=None))
    await _answer(resources, city, released, discharged_on="2025-03-11")
    return {
        "live": _id(live),
        "split": _id(split),
        "reversed": _id(undone),
        "after_reversal": _id(after),
        "next_term": _id(next_term),
        "with_other": _id(with_other),
        "kept_promise": _id(kept),
        "overtook_promise": _id(overtaken),
        "held": _id(held),
        "released": _id(released),
    }


async def _on_the_second_day(resources: Resources, city: City) -> dict[str, str]:
    sixth = city.members[5]
    excluded = await settle(resources, city, a_2304(a_person(98), certno="9901011980*******X"))
    certificate = {"type": "01", "number": a_person(98).certificate.number}
    await _answer(resources, city, excluded, answers={"certificate": certificate})
    ended_output = a_2304(city.members[3])
    ended = await settle(resources, city, ended_output, facts(city, discharged_on=None))
    await reverse(resources, city, ended, a_2305(ended_output))
    not_closing = await settle(resources, city, a_2304(city.members[4], medfee_sumamt="9000.01"))
    small_hospital = await settle(resources, city, a_2304(city.members[4]), facts(city, level=1))
    pushed = await _push(resources, city, a_2304(sixth), present=True)
    late, twice = a_2304(sixth), a_2304(sixth)
    unseen = await _push(resources, city, a_2305(late), cancelled=late["setlinfo"]["setl_id"])
    await _push(resources, city, late)
    await _push(resources, city, twice)
    await settle(resources, city, a_2304(sixth, twice["setlinfo"]["setl_id"], account="0.00"))
    unanswered = ReportMessage(
        city.caller, "msg-1", sixth.insured_person_no, "visit-1", None, facts(city), once(city.caller)
    )
    pending = await report_message(resources, unanswered)
    return {
        "pending": _id(pending),
        "excluded": _id(excluded),
        "ended_while_held": _id(ended),
        "not_closing": _id(not_closing),
        "in_a_small_hospital": _id(small_hospital),
        "pushed": _id(pushed),
        "cancelled_unseen": _id(unseen),
    }


async def _answer(
    resources: Resources, city: City, held: Outcome, answers: Node | None = None, **given: object
) -> Outcome:
    command = AnswerBill(city.caller, bill_id_of(held), given, answers or {}, None, once(city.caller))
    return await answer_bill(resources, command)


async def _hold(resources: Resources, city: City, output: Node, batch: str) -> None:
    quote = QuoteBill(city.caller, Brought(output, facts(city, chrg_bchno=batch)))
    await promise_bill(resources, PromiseBill(quote, HoldKind.COUNTER, None))


async def _push(
    resources: Resources, city: City, output: Node, *, present: bool = False, cancelled: str | None = None
) -> Outcome:
    beside = {**facts(city), "init_setl_id": cancelled}
    [result] = await push_bills(resources, city.caller, [PushedBill(output, beside, present)])
    assert isinstance(result, Outcome), result
    return result


async def _close_and_seal(resources: Resources, ops: AsyncEngine, city: City) -> None:
    await close_books_day(resources, city.fund_id)
    await seal_closed_days(resources, ops, SIGNER)


def _id(outcome: Outcome) -> str:
    return str(bill_id_of(outcome))
