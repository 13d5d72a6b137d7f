"""A member's bills priced as the settle path prices them, from the takings of all earlier ones; runs must agree."""

from __future__ import annotations

from typing import NamedTuple

from settlement.domain.benefits import Taking
from settlement.plans.compile import CompiledPlan
from settlement.plans.history import Placed, place, takings
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.simulation.run import Aid, Missing


class RecordsEntry(NamedTuple):
    """A bill in its place among the member's records."""

    bill: SimulatedBill
    placed: Placed


class RecordsRun:
    """Prices bills as the settle path does: placed after the takings of all earlier ones, with all the steps."""

    def __init__(self, plan: CompiledPlan) -> None:
        self.plan = plan

    def begin(self) -> list[Taking]:
        """Return the records of a member of whom nothing has been recorded."""
        return []

    def prepare(self, state: list[Taking], bill: SimulatedBill) -> RecordsEntry | Missing:
        """Place a bill after the earlier ones."""
        placed = place(self.plan, bill.facts, bill.keys, state)
        missing = self.plan.missing_fact(placed.facts)
        return RecordsEntry(bill, placed) if missing is None else Missing(missing)

    def keep(self, state: list[Taking], entry: RecordsEntry) -> None:
        """Do nothing: pricing records the stay, too."""

    def price(self, state: list[Taking], entry: RecordsEntry) -> Aid:
        """Price a bill and record what it took."""
        bill, placed = entry
        benefits = self.plan.adjudicate(bill.figures, placed.facts, placed.used)
        state += takings(self.plan, placed, benefits, bill.keys)
        paid = dict.fromkeys(self.plan.benefit_codes, 0)
        for benefit in benefits:
            paid[benefit.code] += int(benefit.amount)
        return tuple(paid.values())
