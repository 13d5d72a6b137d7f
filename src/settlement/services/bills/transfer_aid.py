"""Transfer the aid of a bill to the member's card: what was not shown at the counter was not delivered there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.settling import lock_member, take_books_day
from settlement.domain.answers import settlement_answer
from settlement.domain.ids import BillId
from settlement.domain.money import ZERO
from settlement.domain.settlements import BillState, RevisionReason, SettledBill
from settlement.services.bills.commands import Caller, Once, Outcome
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.revise import revise
from settlement.services.bills.settle_bill import answered_before
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class TransferAid:
    """Move all aid on a bill to the card, with the reason why it does not count as delivered."""

    caller: Caller
    bill_id: BillId
    reason: RevisionReason
    once: Once | None


Within = Callable[[AsyncConnection, SettledBill], Awaitable[None]]
"""What else is written in the transaction, once the bill is known under its lock; what it raises undoes all."""


async def transfer_aid(resources: Resources, command: TransferAid, within: Within | None = None) -> Outcome:
    """Owe the aid of a live bill to the member instead of the hospital; cash due rises by the same fen.

    Room and receipt stay. A bill without aid on it is answered as it is. Raises `BillNotFound`, and what `run` raises.
    """
    caller, fund_id, once = command.caller, command.caller.fund_id, command.once

    async def transaction() -> Outcome:
        async with fund_transaction(resources.engine, fund_id) as connection:
            name = once.lock_name if once else f"bill\x1f{command.bill_id}"
            await lock_member(connection, fund_id, name, bill_id=command.bill_id)
            if (answered := await answered_before(connection, fund_id, once)) is not None:
                return answered
            await take_books_day(connection, fund_id)
            settled = await bills.find_settled_bill(connection, fund_id, command.bill_id)
            if settled is None or not caller.may_act_for(settled.head.hospital_code):
                raise BillNotFound(id=str(command.bill_id))
            if within is not None:
                await within(connection, settled)
            work, priced = Work(resources, caller, once, resources.clock()), settled.priced
            shown = settled.head.state is BillState.LIVE and priced is not None and priced.split.aid_on_bill != ZERO
            if shown and priced is not None:
                settled = revise(work, settled, command.reason, replace(priced, split=priced.split.all_to_card))
            outcome = work.answered(settlement_answer(settled, caller.language), created=shown)
            if work.parts:
                await write_together(connection, work.parts)
            return outcome

    return await run_in_turn(resources, fund_id, command.bill_id, transaction)
