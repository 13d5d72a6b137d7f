"""Simulates a draft on the fund's own settlements: their receipts say from what each was computed, and what it paid."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.audit import snapshot
from settlement.db.simulation import count_recorded, stream_recorded
from settlement.domain.ids import FundId
from settlement.domain.money import Money
from settlement.plans.history import BillKeys, not_placed
from settlement.plans.receipt import Inputs
from settlement.plans.simulation.bills import BadRow, SimulatedBill
from settlement.services.simulation.run_simulation import Request, Simulated, Told, simulate_parts
from settlement.services.simulation.spool import spooled

_TOLD_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Receipts:
    """Reads the rows in which this module sets settlements aside."""

    def member(self, cells: Sequence[str]) -> str:
        """Return the member's id."""
        return cells[0]

    def bill(self, number: int, cells: Sequence[str]) -> SimulatedBill:
        """Read a settlement's receipt. Raises `BadRow` for one that cannot be read."""
        _, label, hospital, visit, receipt_no, inputs_text, result_text = cells
        try:
            inputs = Inputs.from_json(json.loads(inputs_text))
            paid: Counter[str] = Counter()
            for benefit in json.loads(result_text):
                paid[benefit["code"]] += int(Money.from_yuan(benefit["amount"]))
        except (KeyError, TypeError, ValueError) as unreadable:
            raise BadRow(f"the receipt of {label} cannot be read: {unreadable}") from None
        keys = BillKeys(hospital, visit, receipt_no or None)
        return SimulatedBill(number, label, inputs.figures, not_placed(inputs.facts), keys, dict(paid))

    def order(self, bill: SimulatedBill) -> tuple[date, int]:
        """Return its place in the order of recording."""
        return date.min, bill.number


async def simulate_recorded(
    engine: AsyncEngine, fund_id: FundId, history_from: date, request: Request, told: Told
) -> Simulated:
    """Simulate the live settlements of the period; those since `history_from` only use room.

    `engine` connects as the login `settlement_ops`; one snapshot is read, and nothing is written.
    """
    last_day = request.period.last_day
    async with snapshot(engine) as connection:
        count, size = await count_recorded(connection, fund_id, history_from, last_day)
        with spooled(size) as (spool, writing):
            number = 0
            async for bill in stream_recorded(connection, fund_id, history_from, last_day):
                number += 1
                row = (bill.settlement_no, bill.hospital_code, bill.visit, bill.receipt_no or "")
                spool.add(number, bill.member_id, (bill.member_id, *row, bill.inputs, bill.result))
                if number % _TOLD_EVERY == 0:
                    told("reading", number, count)
            writing.close()
            await connection.rollback()
            return Simulated(simulate_parts(spool.paths, Receipts(), request, told), has_before=True)
