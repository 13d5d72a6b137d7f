"""What later payers paid for bills, where the plan counts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.later_payers import sum_later_payers
from settlement.domain.ids import BillId, FundId
from settlement.domain.money import Money
from settlement.services.funds.rules import VersionInForce


async def later_paid(
    connection: AsyncConnection, fund_id: FundId, version: VersionInForce | None, bill_ids: Sequence[BillId]
) -> Mapping[BillId, Money]:
    """Return what is to be taken off beside the payers at the counter, in fen; nothing where the plan leaves it."""
    others = version.plan.header.other_payers if version else None
    if others is None or others.later_payer != "propose":
        return {}
    return await sum_later_payers(connection, fund_id, bill_ids)
