"""Bring a bill again that was found not to be covered: a roster that came late may say that it is."""

from __future__ import annotations

import structlog

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.domain.ids import BillId
from settlement.services.bills.commands import Brought, Caller, SettleBill
from settlement.services.bills.kept_message import merged
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.resources import Resources

log = structlog.get_logger()


async def settle_covered(resources: Resources, caller: Caller, bill_id: BillId) -> None:
    """Settle a bill with the message that is kept of it; what it gets goes to the card.

    Where no message is kept any more it stays as it is until somebody brings it. Raises what `settle_bill` raises.
    """
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        head = await bills.get_head(connection, caller.fund_id, bill_id)
        message = await find_message(connection, resources.keys, caller.fund_id, bill_id, "settlement")
    if message is None:
        log.warning("covered.message_gone", bill_id=str(bill_id))
        return
    brought = merged(Brought(message["output"], message["facts"]), message)
    await settle_bill(resources, SettleBill(caller, head.door, brought, at_counter=False))
