"""Keep the receipt of one recorded bill outside the database, with the plan version that it was computed under."""

from __future__ import annotations

from settlement.db.bills import find_settled_bill
from settlement.db.engine import fund_transaction
from settlement.db.registry import list_plan_versions
from settlement.db.reports import BillSearch, list_bill_ids
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId
from settlement.plans.kept_receipt import keep_receipt
from settlement.services.resources import Resources


class ReceiptMissing(SettlementError):
    """There is no such bill, or it has no receipt: it is held, or turned out not to be ours."""

    code = "receipt_missing"


async def keep_bill_receipt(resources: Resources, fund_id: FundId, settlement_no: str) -> str:
    """Return a kept receipt as JSON text, for `replay_kept`. Raises `ReceiptMissing`."""
    search = BillSearch(frozenset(), settlement_no=settlement_no)
    async with fund_transaction(resources.engine, fund_id) as connection:
        found = await list_bill_ids(connection, fund_id, search, None, 1)
        settled = await find_settled_bill(connection, fund_id, found[0]) if found else None
        priced = settled.priced if settled else None
        if priced is None or priced.plan_code is None:
            raise ReceiptMissing(settlement_no=settlement_no)
        versions = await list_plan_versions(connection, fund_id, priced.plan_code)
    plan = next(version.document for version in versions if version.digest == priced.plan_digest)
    return keep_receipt(priced.receipt, priced.receipt_hash, plan)
