"""Take bills and cancellations that the bureau hands over, one or many; each has its own transaction and result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settlement.db.bills import find_head_by_insurer_id, list_live_bills_of_visit
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.domain.answers import settlement_answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId
from settlement.domain.settlements import BillHead, BillState, Door, ReversalReason, SettledBill
from settlement.gateway.mapping import cancels, is_cancellation, read_cancelled_settlement_id, read_visit
from settlement.gateway.readings import Cancellation, Unreadable
from settlement.services.bills.commands import Brought, Caller, Outcome, SettleBill
from settlement.services.bills.errors import MessageUnreadable
from settlement.services.bills.reverse_bill import Seen, read_brought_cancellation, undo
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.bills.work import Work
from settlement.services.resources import Resources
from settlement.services.transactions import DATABASE_FAILURES, run, told_plainly

BY_EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class PushedBill:
    """One line of the bureau: an `output` as its interface writes it, and the facts of the visit.

    `present`: the platform shows our answer on its own bill.
    """

    output: Mapping[str, Any]
    facts: Mapping[str, Any]
    present: bool


async def push_bills(
    resources: Resources, caller: Caller, pushed: Sequence[PushedBill]
) -> list[Outcome | SettlementError]:
    """Record each bill or cancellation; the outcome or the refusal of each, in their order.

    The insurer's area and settlement id are the key, so a batch may be pushed again as a whole.
    """
    rules = await resources.rules.of(caller.fund_id)
    results: list[Outcome | SettlementError] = []
    for item in pushed:
        try:
            if is_cancellation(item.output, rules.profile):
                results.append(await _cancel(resources, caller, item))
            else:
                results.append(await _settle(resources, caller, item))
        except SettlementError as refused:
            results.append(refused)
        except DATABASE_FAILURES as failed:
            plainly = told_plainly(failed)
            if plainly is None:
                raise
            results.append(plainly)
    return results


async def _settle(resources: Resources, caller: Caller, item: PushedBill) -> Outcome:
    brought = Brought(item.output, item.facts)
    return await settle_bill(
        resources,
        SettleBill(caller, Door.EXCHANGE, brought, at_counter=item.present, confirmed_by=BY_EXCHANGE),
    )


async def _cancel(resources: Resources, caller: Caller, item: PushedBill) -> Outcome:
    """Reverse the bill that the cancellation names; if it has not come yet, remember that it was cancelled."""
    rules = await resources.rules.of(caller.fund_id)
    cancellation = read_brought_cancellation(item.output, rules)
    visit = read_visit(item.facts)
    if isinstance(visit, Unreadable):
        raise MessageUnreadable(field=visit.field, problem=visit.problem)
    named = read_cancelled_settlement_id(item.facts)
    if isinstance(named, Unreadable):
        raise MessageUnreadable(field=named.field, problem=named.problem)
    original = named or cancellation.insurer_settlement_id

    async def transaction() -> Outcome | BillId:
        return await _find_or_remember(resources, caller, cancellation, visit.area, original)

    found = await run(transaction)
    if isinstance(found, Outcome):
        return found
    seen, reason = Seen(BY_EXCHANGE, cancellation), ReversalReason.INSURER_CANCELLED
    return await undo(resources, caller, found, reason, seen, item.output, None)


async def _find_or_remember(
    resources: Resources, caller: Caller, cancellation: Cancellation, area: str, original: str
) -> Outcome | BillId:
    """Return the cancelled bill; write a head for one that has not come yet, so that it is not paid when it comes.

    Nothing of the person is kept: whether he is a member shows when the bill comes. A live bill of the same visit
    that the cancellation would undo to the fen may be the one that was meant: that is a person's matter.
    """
    work = Work(resources, caller, None, resources.clock())
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        known = await find_head_by_insurer_id(connection, caller.fund_id, area, original)
        if known is not None:
            return known.bill_id
        alike = await list_live_bills_of_visit(connection, caller.fund_id, area, cancellation.encounter_id)
        head = _unseen(work, cancellation, area, original)
        for settled in alike:
            if settled.priced is not None and cancels(cancellation, settled.priced.figures):
                work.worklist(settled.head, "cancellation_unmatched", {"cancelled_unseen": str(head.bill_id)})
                break
        outcome = work.answered(settlement_answer(SettledBill(head, None, None), caller.language), created=True)
        await write_together(connection, work.parts)
        return outcome


def _unseen(work: Work, cancellation: Cancellation, area: str, original: str) -> BillHead:
    bill_id = BillId(work.resources.ids.new())
    head = BillHead(
        bill_id=bill_id,
        settlement_no=work.resources.ids.settlement_no(bill_id),
        state=BillState.CANCELLED_UNSEEN,
        area=area,
        insurer_settlement_id=original,
        door=Door.EXCHANGE,
        created_at=work.at,
        cancelling_settlement_id=cancellation.insurer_settlement_id,
    )
    return work.new_head(head, "settlement.cancelled_unseen.v1", {})
