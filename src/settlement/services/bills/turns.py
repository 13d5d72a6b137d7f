"""Waiting for a member's turn in memory: commands about a bill of his, which know him only by the bill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from settlement.db.engine import fund_transaction
from settlement.db.people import find_certificate_index_of_bill
from settlement.domain.ids import BillId, FundId
from settlement.services.resources import Resources
from settlement.services.transactions import run

T = TypeVar("T")


async def run_in_turn(
    resources: Resources, fund_id: FundId, bill_id: BillId, transaction: Callable[[], Awaitable[T]]
) -> T:
    """Run a transaction that locks the bill's member, in one of his two places, so that he does not fill the pool.

    They are the places of bills that come with his certificate. Which it is costs a read of its own, which the settle
    path does not pay. Raises `MemberBusy`, and what `run` raises.
    """
    async with fund_transaction(resources.engine, fund_id) as connection:
        certificate = await find_certificate_index_of_bill(connection, fund_id, bill_id)
    async with resources.queue.place((fund_id, certificate or bill_id)):
        return await run(transaction)
