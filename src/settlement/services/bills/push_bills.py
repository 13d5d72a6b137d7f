"""Take bills and cancellations that the bureau hands over, one or many; each has its own transaction and result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settlement.db.bills import find_head_by_insurer_id
from settlement.db.engine import fund_transaction
from settlement.db.parts import RecordedMeanwhile, write_together
from settlement.domain.answers import settlement_answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId
from settlement.domain.settlements import BillHead, BillState, Door, ReversalReason, SettledBill
from settlement.gateway.mapping import is_cancellation, read_visit
from settlement.gateway.readings import Unreadable
from settlement.services.bills.commands import Brought, Caller, Outcome, SettleBill
from settlement.services.bills.errors import MessageUnreadable
from settlement.services.bills.reverse_bill import Seen, read_brought_cancellation, undo
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.bills.work import Work
from settlement.services.resources import Resources

BY_EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class PushedBill:
    """One line of the bureau: an `output` as its interface writes it, and the facts of the visit.

    `cancelled_settlement_id` names what a cancellation cancelled, where that is not its own id. `present`: the
    platform shows our answer on its own bill.
    """

    output: Mapping[str, Any]
    facts: Mapping[str, Any]
    cancelled_settlement_id: str | None
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
    original = item.cancelled_settlement_id or cancellation.insurer_settlement_id
    while True:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            head = await find_head_by_insurer_id(connection, caller.fund_id, visit.area, original)
        if head is not None:
            seen = Seen(BY_EXCHANGE, cancellation)
            return await undo(
                resources, caller, head.bill_id, ReversalReason.INSURER_CANCELLED, seen, item.output, None
            )
        try:
            return await _remember(resources, caller, item, visit.area, original)
        except RecordedMeanwhile:
            continue


async def _remember(resources: Resources, caller: Caller, item: PushedBill, area: str, original: str) -> Outcome:
    work = Work(resources, caller, None, resources.clock())
    bill_id = BillId(resources.ids.new())
    head = BillHead(
        bill_id=bill_id,
        settlement_no=resources.ids.settlement_no(bill_id),
        state=BillState.CANCELLED_UNSEEN,
        area=area,
        insurer_settlement_id=original,
        door=Door.EXCHANGE,
        created_at=work.at,
    )
    head = work.new_head(head, "settlement.cancelled_unseen.v1", {})
    work.message(head, "cancellation", {"output": item.output})
    outcome = work.answered(settlement_answer(SettledBill(head, None, None), caller.language), created=True)
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        await write_together(connection, work.parts)
    return outcome
