"""Settle a bill that was cancelled before it had a record: its cancellation was undone, so the insurer's bill lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.settling import lock_member
from settlement.domain.settlements import BillHead, BillState, Question
from settlement.services.bills.commands import Brought, Caller, Once, Outcome, SettleBill
from settlement.services.bills.kept_message import merged
from settlement.services.bills.reverse_bill import AskedTooEarly
from settlement.services.bills.settle_bill import answered_before, settle_bill
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.resources import Resources

CANCELLATION_UNDONE = "cancellation_undone"
"""The question of a bill that is held until it is brought again."""


async def bring_again(
    resources: Resources,
    caller: Caller,
    checked: BillHead,
    undoing: Mapping[str, Any] | None,
    message: Mapping[str, Any],
    once: Once,
) -> Outcome:
    """Hold the bill again, then settle it with the message that it was brought with; its aid goes to the card.

    `checked` is the head as it was when its cancellation was seen to be undone. Killed between the two, the bill is
    held, and the same command or any other bringing settles it. Raises `AskedTooEarly` when it was changed meanwhile,
    and what `settle_bill` raises.
    """

    async def transaction() -> None:
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            await lock_member(connection, caller.fund_id, once.lock_name, bill_id=checked.bill_id)
            head = await bills.get_head(connection, caller.fund_id, checked.bill_id)
            if await answered_before(connection, caller.fund_id, once) is not None:
                return
            if head.event_count != checked.event_count:
                raise AskedTooEarly
            if head.state is BillState.CANCELLED_UNSEEN:
                work = Work(resources, caller, None, resources.clock())
                head = _held(work, head)
                if undoing is not None:
                    work.message(head, "undoing", {"input": undoing})
                await write_together(connection, work.parts)

    await run_in_turn(resources, caller.fund_id, checked.bill_id, transaction)
    brought = merged(Brought(message["output"], message["facts"]), message)
    return await settle_bill(resources, SettleBill(caller, checked.door, brought, at_counter=False, once=once))


def _held(work: Work, head: BillHead) -> BillHead:
    undone = {"cancellation": head.cancelling_settlement_id}
    question = Question(CANCELLATION_UNDONE, {})
    held = replace(head, state=BillState.HELD, question=question, cancelling_settlement_id=None)
    return work.changed_head(held, "settlement.cancellation_undone.v1", undone)
