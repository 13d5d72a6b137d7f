"""Charts and a fund's months as text; `test_shown.py` holds it against `tests/plans/shown/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction

from simulation_builders import a_visit_or_stay

from settlement.plans.simulation.balance import Fund, run_down
from settlement.plans.simulation.charts import Series, columns, lines
from settlement.plans.simulation.columns import Columns
from settlement.plans.simulation.grouping import Period, bills_of, by_member
from settlement.plans.simulation.page import change_class
from settlement.plans.simulation.tally import CHANGE_STEPS, Priced, Tally

FEW = ["a<", "三级", "a label of more than eighteen letters"]
MANY = [f"2025-{month:02d}" for month in range(1, 18)]


def charts() -> Iterator[str]:
    """Yield charts of few and many labels, of values of every size and sign, and of none."""

    def written(value: int) -> str:
        return f"{value}&"

    yield columns(FEW, [Series("before", "before", [0, -250, 999]), Series("after", "after", [7, 5_001, -1])], written)
    yield columns(MANY, [Series("one", "one", range(17))], written)
    yield columns(["x"], [Series("one", "one", [2_000_000])], written)
    yield columns([], [Series("one", "one", [])], written)
    yield lines(MANY, [Series("a<", "before", range(-80, 90, 10)), Series("after", "after", [3] * 17)], written)
    yield lines(MANY[:9], [Series("nine", "after", [-5] * 9)], written)
    yield lines(["only"], [Series("one", "after", [0])], written)
    yield lines([], [Series("none", "after", [])], written)
    for steps in ((1, 1), (0, 5), (0, 8), (0, 9), (-41, 0), (0, 81), (0, 799), (0, 801), (-10_000, 30_000)):
        yield lines(["a", "b"], [Series("", "", steps)], written)
    starts = (None, *CHANGE_STEPS)
    yield " | ".join(change_class(start, after) for start, after in zip(starts, (*CHANGE_STEPS, None), strict=True))


def funds() -> Iterator[str]:
    """Yield months of funds that get dues or incomes, whose costs grow, over leap years and past their end."""
    days = {date(2024, 2, 28): (1_000, 2_000), date(2024, 2, 29): (100, 333), date(2024, 11, 30): (70_007, 1)}
    first, last = date(2024, 1, 15), date(2024, 12, 10)
    incomes = {date(2024, 3, 1): 900, date(2025, 2, 1): 50}
    for fund in (
        Fund(5_000),
        Fund(5_000, 100),
        Fund(0, 10, incomes, years=3, growth=Fraction(1, 7)),
        Fund(60_000, 0, incomes, years=5, growth=Fraction(-1, 10)),
        Fund(-1, years=0),
        Fund(0),
    ):
        balance = run_down(fund, days, first, last)
        yield f"## {fund.opening_fen} {fund.every_month_fen} {fund.years}: {balance.dry_before} {balance.dry_after}"
        yield from (f"{month.day} {month.before_fen} {month.after_fen}" for month in balance.months)
    two_years = run_down(Fund(0, 1), {**days, date(2025, 2, 28): (5, 5)}, first, date(2025, 3, 1))
    yield f"## {[(str(month.day), month.before_fen, month.after_fen) for month in two_years.months]}"


def tallies() -> Iterator[str]:
    """Yield what is added up of members with several bills, bad rows, late bills, and changes of every class."""
    header = ["member", "settled_on", "care", "allowed", "insurer_paid", "paid", "unit", "hospital_level"]
    rows = [
        (2, ["M1", "2025-03-01", "outpatient", "100", "40", "5", "U", "3"]),
        (3, ["M2", "2025-02-01", "outpatient", "100", "40", "0", "", ""]),
        (4, ["M1", "2025-01-01", "outpatient", "x", "40", "5", "U", "3"]),
        (5, ["", "2025-01-01", "outpatient", "1", "40", "5", "U", "3"]),
        (6, ["M1", "2025-02-01", "outpatient", "1"]),
        (7, ["M1", "2025-01-31", "outpatient", "1", "0", "1", "U", "2"]),
        (8, ["M1", "2025-06-01", "outpatient", "1", "0", "1", "U", "2"]),
        (9, ["M1", "2024-12-31", "outpatient", "1", "0", "1", "U", "2"]),
        (10, ["M1", "2025-01-01", "outpatient", "1", "0", "1", "U", "2"]),
        (11, ["M1", "2025-05-31", "outpatient", "1", "0", "1", "V", "2"]),
    ]
    reader, tally = Columns.of(header), Tally()
    for member in by_member(rows, reader, tally):
        bills = bills_of(member, reader, Period(date(2025, 1, 1), date(2025, 5, 31)), tally)
        yield f"{[(bill.number, bill.counts, bill.paid, bill.unit) for bill in bills]}"
        tally.add_member([Priced(bill, bill.paid, {"a": bill.number, "b": 0}) for bill in bills])
    yield f"{tally}"
    many, other = Tally(), Tally()
    for number, step in enumerate(CHANGE_STEPS):
        for beside in (-1, 0, 1):
            bill = a_visit_or_stay(3 * number + beside, date(2025, 1 + number // 2, 5), None, 0, 0)
            bill = replace(bill, label=f"row {bill.number}", counts=number != 4 or beside != 0)
            of_member = [Priced(bill, {"paid": max(0, -step - beside)}, {"a": max(0, step + beside)})]
            (many if number % 2 else other).add_member([*of_member, *of_member] if beside == 1 else of_member)
            (many if number % 2 else other).refuse(number, f"why {beside}")
    other.held["age"] += 1
    many.held["age"] += 2
    yield f"{many}\n{other}"
    many.merge(other)
    yield f"{many}"
    nothing_before = Tally()
    nothing_before.add_member([Priced(a_visit_or_stay(1, date(2025, 1, 1), 3, 0, 0), None, {"a": 0})])
    nothing_before.add_member([])
    yield f"{nothing_before}"


SHOWN_SIMULATION: dict[str, Callable[[], Iterator[str]]] = {
    "charts.html": charts,
    "funds.txt": funds,
    "tallies.txt": tallies,
}
