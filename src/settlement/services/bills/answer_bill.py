"""Answer the one question of a held bill: it is decided anew with the fact, and its aid goes to the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settlement.db.bills import find_head
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.domain.ids import BillId
from settlement.domain.settlements import BillHead, BillState
from settlement.gateway.mapping import read_settlement
from settlement.gateway.readings import Unreadable
from settlement.services.bills.commands import Brought, Caller, Once, Outcome, SettleBill
from settlement.services.bills.errors import (
    AnswerUnusable,
    BillNotFound,
    MessageDropped,
    MessageUnreadable,
    NothingAsked,
)
from settlement.services.bills.kept_message import merged
from settlement.services.bills.settle_bill import answered_before, settle_bill
from settlement.services.funds.rules import FundRules
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
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        # The head first: whoever sees it changed by this command sees the command's answer too.
        head = await find_head(connection, fund_id, command.bill_id)
        if (answered := await answered_before(connection, fund_id, command.once)) is not None:
            return answered
        if head is None or not caller.may_act_for(head.hospital_code):
            raise BillNotFound(id=str(command.bill_id))
        if head.state is not BillState.HELD:
            raise NothingAsked(id=str(command.bill_id), state=head.state.value)
        earlier = await find_message(connection, resources.keys, fund_id, command.bill_id, "settlement")
    _check(command, head, rules)
    if earlier is None:
        raise MessageDropped(id=str(command.bill_id))
    told = Brought(command.output or earlier["output"], command.facts, answers=command.answers)
    brought = merged(told, earlier)
    return await settle_bill(resources, SettleBill(caller, head.door, brought, at_counter=False, once=command.once))


_DECLARATION_ASKED_FOR = {
    "liability_declaration": "third_party_liable",
    "name_disagrees": "same_person",
    "certificate_masked": "certificate",
}


def _check(command: AnswerBill, head: BillHead, rules: FundRules) -> None:
    """Raise `AnswerUnusable` for an empty answer, a declaration that nobody asked for, or another bill's message.

    A declaration changes whose bill it is or who is liable; so it counts only for the question that asks for it.
    """
    asked = _DECLARATION_ASKED_FOR.get(head.question.code) if head.question else None
    unasked = set(command.answers) - {asked}
    if unasked or not (command.facts or command.answers or command.output):
        raise AnswerUnusable(id=str(command.bill_id), question=head.question.code if head.question else None)
    if command.output is not None:
        read = read_settlement(command.output, rules.profile)
        if isinstance(read, Unreadable):
            raise MessageUnreadable(field=read.field, problem=read.problem)
        if (read.insurer_settlement_id, read.encounter_id) != (head.insurer_settlement_id, head.encounter_id):
            raise AnswerUnusable(id=str(command.bill_id), insurer_settlement_id=read.insurer_settlement_id)
