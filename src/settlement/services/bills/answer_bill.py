"""Answer the one question of a held bill: it is decided anew with the fact, and its aid goes to the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settlement.db.bills import find_head
from settlement.db.commands import find_answer
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.domain.ids import BillId
from settlement.domain.settlements import BillState
from settlement.services.bills.commands import Brought, Caller, Once, Outcome, SettleBill
from settlement.services.bills.errors import AnswerUnusable, BillNotFound, MessageDropped, NothingAsked
from settlement.services.bills.settle_bill import replayed, settle_bill
from settlement.services.bills.settling import merged
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class AnswerBill:
    """The answer to a held bill's question: facts of the visit, declarations, or the insurer's answer anew."""

    caller: Caller
    bill_id: BillId
    facts: Mapping[str, Any]
    answers: Mapping[str, Any]
    output: Mapping[str, Any] | None
    once: Once


async def answer_bill(resources: Resources, command: AnswerBill) -> Outcome:
    """Release a held bill with the fact it asked for; if another question remains, the answer asks that one.

    Raises `BillNotFound`, `NothingAsked` when the bill is not held, `AnswerUnusable` for an empty answer,
    `MessageDropped` when what it was brought with is gone: then bring the bill again.
    """
    caller, fund_id = command.caller, command.caller.fund_id
    if not (command.facts or command.answers or command.output):
        raise AnswerUnusable
    async with fund_transaction(resources.engine, fund_id) as connection:
        stored = await find_answer(connection, fund_id, command.once.command)
        if stored is not None:
            return replayed(stored, command.once)
        head = await find_head(connection, fund_id, command.bill_id)
        if head is None or not caller.may_act_for(head.hospital_code):
            raise BillNotFound(id=str(command.bill_id))
        if head.state is not BillState.HELD:
            raise NothingAsked(id=str(command.bill_id), state=head.state.value)
        earlier = await find_message(connection, resources.keys, fund_id, command.bill_id, "settlement")
    if earlier is None:
        raise MessageDropped(id=str(command.bill_id))
    told = Brought(command.output or earlier["output"], command.facts, answers=command.answers)
    brought = merged(told, earlier)
    return await settle_bill(resources, SettleBill(caller, head.door, brought, at_counter=False, once=command.once))
