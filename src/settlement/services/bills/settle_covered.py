"""Settle bills that were recorded as not ours until a roster came late and said that they are."""

from __future__ import annotations

from uuid import UUID

import structlog

from settlement.db import bills
from settlement.db.engine import fund_transaction
from settlement.db.messages import find_message
from settlement.db.rerating import list_excluded_bills
from settlement.services.bills.commands import Brought, Caller, SettleBill
from settlement.services.bills.kept_message import merged
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.resources import Resources

log = structlog.get_logger()


async def settle_covered(resources: Resources, caller: Caller, membership_id: UUID) -> None:
    """Bring every bill again that has a record without a plan and falls in a membership recorded after it.

    What it gets goes to the card. A bill whose message is kept no longer stays as it is until it is brought again.
    Killed in between, what is settled is under a plan, and the same call settles the rest. Raises what `settle_bill`
    raises.
    """
    fund_id = caller.fund_id
    async with fund_transaction(resources.engine, fund_id) as connection:
        excluded = await list_excluded_bills(connection, fund_id, membership_id)
    for bill_id in excluded:
        async with fund_transaction(resources.engine, fund_id) as connection:
            head = await bills.get_head(connection, fund_id, bill_id)
            message = await find_message(connection, resources.keys, fund_id, bill_id, "settlement")
        if message is None:
            log.warning("covered.message_gone", bill_id=str(bill_id))
            continue
        brought = merged(Brought(message["output"], message["facts"]), message)
        await settle_bill(resources, SettleBill(caller, head.door, brought, at_counter=False))
