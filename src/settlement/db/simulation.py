"""What a simulation reads of the record: the live settlements of a fund, with what each was computed from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.audit import ROWS_AT_ONCE
from settlement.domain.ids import FundId


@dataclass(frozen=True, slots=True)
class RecordedBill:
    """A live settlement: whose it is, what ties it to others, and of its receipt inputs and result as JSON."""

    member_id: str
    settlement_no: str
    hospital_code: str
    visit: str
    receipt_no: str | None
    inputs: str
    result: str


_LIVE = """
    FROM settlement JOIN bill USING (fund_id, bill_id)
    WHERE settlement.fund_id = :fund_id AND settlement.plan_version_id IS NOT NULL
      AND bill.business_date BETWEEN :first_day AND :last_day
      AND NOT EXISTS (
          SELECT FROM reversal
          WHERE reversal.fund_id = settlement.fund_id AND reversal.bill_id = settlement.bill_id
            AND reversal.revision = settlement.revision)
"""
_COUNT = text(f"SELECT count(*), COALESCE(sum(pg_column_size(receipt)), 0) * 4 {_LIVE}")
_BILLS = text(f"""
    SELECT CAST(settlement.member_id AS text) AS member_id, bill.settlement_no, bill.hospital_code,
           bill.encounter_id AS visit, bill.receipt_no,
           CAST(receipt -> 'inputs' AS text) AS inputs, CAST(receipt -> 'result' AS text) AS result
    {_LIVE}
    ORDER BY COALESCE(bill.place_bill_id, bill.bill_id), bill.bill_id
""")


async def count_recorded(
    connection: AsyncConnection, fund_id: FundId, first_day: date, last_day: date
) -> tuple[int, int]:
    """Return how many live settlements under a plan were settled on some days, and about how many bytes they are."""
    values = {"fund_id": fund_id, "first_day": first_day, "last_day": last_day}
    row = (await connection.execute(_COUNT, values)).one()
    return int(row[0]), int(row[1])


async def stream_recorded(
    connection: AsyncConnection, fund_id: FundId, first_day: date, last_day: date
) -> AsyncIterator[RecordedBill]:
    """Yield those settlements in the order in which they were recorded."""
    values = {"fund_id": fund_id, "first_day": first_day, "last_day": last_day}
    async with connection.stream(_BILLS, values, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        async for row in rows:
            yield RecordedBill(*row)
