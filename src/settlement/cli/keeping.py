"""What `settlement plan receipt` does with the database."""

from __future__ import annotations

from settlement.cli.shell import with_fund
from settlement.db.registry import Fund
from settlement.services.audit.keep_bill_receipt import keep_bill_receipt
from settlement.services.resources import Resources


def kept_receipt_of(fund_code: str, settlement_no: str) -> str:
    """Return the kept receipt of a fund's bill as JSON text."""

    async def use(resources: Resources, of: Fund) -> str:
        return await keep_bill_receipt(resources, of.fund_id, settlement_no)

    return with_fund(fund_code, use)
