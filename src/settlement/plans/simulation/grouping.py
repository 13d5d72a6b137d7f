"""Rows of texts to members: those of one member together, unreadable ones refused, the rest in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from settlement.plans.simulation.bills import BadRow, BillReader, SimulatedBill
from settlement.plans.simulation.tally import Tally

Row = tuple[int, Sequence[str]]
"""A row's number and its cells."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of settlement that are simulated; what lies before them only uses room, what lies behind is not read."""

    first_day: date = date.min
    last_day: date = date.max


def bills_of(rows: Iterable[Row], reader: BillReader, period: Period, tally: Tally) -> list[SimulatedBill]:
    """Read one member's rows; return the bills of the period and before it, in their order."""
    bills = []
    for number, cells in rows:
        try:
            bill = reader.bill(number, cells)
        except BadRow as bad:
            tally.refuse(number, str(bad))
            continue
        day = bill.facts.settled_on
        if day <= period.last_day:
            bills.append(bill if day >= period.first_day else replace(bill, counts=False))
    bills.sort(key=reader.order)
    return bills


def by_member(rows: Iterable[Row], reader: BillReader, tally: Tally) -> Iterator[list[Row]]:
    """Gather rows by member, in the order in which members first appear. All rows are in memory meanwhile."""
    members: dict[str, list[Row]] = {}
    for number, cells in rows:
        try:
            members.setdefault(reader.member(cells), []).append((number, cells))
        except BadRow as bad:
            tally.refuse(number, str(bad))
    yield from members.values()
