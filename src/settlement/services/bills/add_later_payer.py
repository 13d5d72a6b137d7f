"""Record that somebody paid for a settled bill later; where the plan counts it, a person is asked to re-rate."""

from __future__ import annotations

from dataclasses import dataclass

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.later_payers import find_later_payment, insert_later_payer
from settlement.db.parts import write_together
from settlement.db.settling import lock_member
from settlement.domain.answers import Answer
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId
from settlement.domain.settlements import BillState, OtherPayer
from settlement.services.bills.commands import Caller
from settlement.services.bills.decide_rerating import NothingToRate, ProposeRerating, propose_rerating
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.turns import run_in_turn
from settlement.services.bills.work import Work
from settlement.services.resources import Resources


class LaterPaymentDiffers(SettlementError):
    """The payer's payment of this reference was recorded with another amount; what is recorded is not overwritten."""

    code = "later_payment_differs"


@dataclass(frozen=True, slots=True)
class AddLaterPayer:
    """Somebody else who paid for a bill after it was settled, with the payer's own reference."""

    caller: Caller
    bill_id: BillId
    payer: OtherPayer
    reference: str


async def add_later_payer(resources: Resources, command: AddLaterPayer) -> Answer:
    """Keep the fact; the same payer and reference again change nothing. Returns the proposal it led to, if any.

    The bill's record stays as it is: what was paid too much is a person's decision. Raises `BillNotFound` for a bill
    that is not live, `LaterPaymentDiffers`, and what `run` raises.
    """
    caller, fund_id = command.caller, command.caller.fund_id

    async def transaction() -> bool:
        async with fund_transaction(resources.engine, fund_id) as connection:
            await lock_member(connection, fund_id, f"payer\x1f{command.bill_id}", bill_id=command.bill_id)
            settled = await bills.find_settled_bill(connection, fund_id, command.bill_id)
            if settled is None or settled.priced is None or settled.head.state is not BillState.LIVE:
                raise BillNotFound(id=str(command.bill_id))
            rules = await resources.rules.knowing(fund_id, settled.priced.plan_digest, within=connection)
            version = rules.version_by_digest(settled.priced.plan_digest or "")
            others = version.plan.header.other_payers if version else None
            name, reference = command.payer.name, command.reference
            recorded = await find_later_payment(connection, fund_id, command.bill_id, name, reference)
            if recorded is not None and recorded != command.payer.amount:
                raise LaterPaymentDiffers(recorded=recorded.yuan(), brought=command.payer.amount.yuan())
            if recorded is None:
                work = Work(resources, caller, None, resources.clock())
                payer_id, actor = resources.ids.new(), str(caller.client_id)
                part = insert_later_payer(fund_id, command.bill_id, payer_id, command.payer, reference, actor, work.at)
                await write_together(connection, [part])
            return others is not None and others.later_payer == "propose"

    counts = await run_in_turn(resources, fund_id, command.bill_id, transaction)
    answer: Answer = {"id": str(command.bill_id), "counts": counts, "rerating": None}
    if counts:
        try:
            answer["rerating"] = await propose_rerating(
                resources, ProposeRerating(caller, command.bill_id, declined_stands=True)
            )
        except NothingToRate:
            return answer
    return answer
