"""A made-up year of a city's bills, seeded: what simulations are tried on. Skewed like real demand, and closing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from settlement.domain.money import Money
from settlement.lab.his.costs import stay_total, visit_total
from settlement.plans.model import PlanVersion
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.simulation.columns import Columns
from settlement.plans.simulation.simulate import Plans, simulator
from settlement.plans.simulation.tally import Tally

T = TypeVar("T")

HEADER = (
    "member",
    "settled_on",
    "care",
    "admitted_on",
    "discharged_on",
    "hospital",
    "hospital_level",
    "visit",
    "insurance_type",
    "person_category",
    "age",
    "sex",
    "billed",
    "excluded",
    "upfront_share",
    "allowed",
    "insurer_paid",
    "account_paid",
    "unit",
)
CLAIMED = 0.25
"""The part of members who claim on paper what their plan pays."""
_CATEGORIES = (("active", 78), ("retired", 22))
_LEVELS = (1, 2, 3)
_INSURER_BY_LEVEL = {1: 90, 2: 86, 3: 82}


def year_of_bills(seed: int, members: int, year: int, first: int = 0) -> Iterator[list[list[str]]]:
    """Yield each member's bills of one year as rows under `HEADER`, in the order of settlement."""
    for number in range(first, first + members):
        yield _member(Random(f"{seed} {number}"), number, year)


def simulated_members(seed: int, members: int, year: int) -> list[list[SimulatedBill]]:
    """Return the same members as a simulation takes them."""
    columns, found = Columns.of(HEADER), []
    number = 1
    for rows in year_of_bills(seed, members, year):
        bills = []
        for cells in rows:
            number += 1
            bills.append(columns.bill(number, cells))
        found.append(bills)
    return found


def write_year(
    path: Path, seed: int, members: int, year: int, present: PlanVersion | None = None, *, encoding: str = "utf-8"
) -> int:
    """Write a year of bills as CSV, in the order of settlement within members; return how many there are.

    With the present plan, `paid` says what it paid those who claim on paper; all others got nothing.
    """
    columns, count = Columns.of(HEADER), 0
    each = simulator(Plans(present.canonical())) if present else None
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER, *(["paid"] if each else [])])
        for rows in year_of_bills(seed, members, year):
            count += len(rows)
            if each:
                claims = Random(f"{seed} {rows[0][0]} claims").random() < CLAIMED if rows else False
                bills = [columns.bill(at, cells) for at, cells in enumerate(rows)]
                paid = {priced.bill.number: sum(priced.after.values()) for priced in each.member(bills, Tally())}
                for at, cells in enumerate(rows):
                    cells.append(Money(paid.get(at, 0) if claims else 0).yuan())
            writer.writerows(rows)
    return count


def _member(chance: Random, number: int, year: int) -> list[list[str]]:
    category = _drawn(chance, _CATEGORIES)
    age = chance.randint(20, 59) if category == "active" else chance.randint(55, 88)
    sex = chance.choice(("female", "male"))
    ill = chance.random() ** 3 * (1 + age / 60)
    visits = min(40, int(chance.expovariate(1 / (1 + 6 * ill))))
    stays = sum(chance.random() < 0.10 * (1 + 3 * ill) for _ in range(4))
    unit = f"U{int(chance.paretovariate(0.9)) % 400:03d}"
    bills = [_visit(chance, year) for _ in range(visits)] + [_stay(chance, year, age) for _ in range(stays)]
    bills.sort(key=lambda bill: bill[0])
    rows = []
    for serial, (_, care, admitted, settled, level, amounts) in enumerate(bills, 1):
        hospital = f"H37160009{level}{chance.randint(1, 9 if level < 3 else 4):02d}"
        billed, excluded, upfront, allowed, insurer, account = (Money(fen).yuan() for fen in amounts)
        dates = (admitted.isoformat(), settled.isoformat()) if care == "inpatient" else ("", "")
        who = ("310", category, str(age), sex)
        visit = f"{number}-{serial}"
        money = (billed, excluded, upfront, allowed, insurer, account)
        rows.append(
            [f"M{number:07d}", settled.isoformat(), care, *dates, hospital, str(level), visit, *who, *money, unit]
        )
    return rows


_Bill = tuple[date, str, date, date, int, tuple[int, ...]]


def _visit(chance: Random, year: int) -> _Bill:
    day = date(year, 1, 1) + timedelta(days=chance.randrange(365))
    level = _drawn(chance, ((1, 35), (2, 35), (3, 30)))
    return day, "outpatient", day, day, level, _amounts(chance, visit_total(chance), 30_000, 60 if level == 3 else 70)


def _stay(chance: Random, year: int, age: int) -> _Bill:
    nights = min(60, 1 + int(chance.expovariate(1 / (4 + age / 20))))
    settled = date(year, 1, 1) + timedelta(days=chance.randrange(365))
    level = _drawn(chance, ((1, 12), (2, 38), (3, 50)))
    amounts = _amounts(chance, stay_total(chance), 40_000 * level, _INSURER_BY_LEVEL[level])
    return settled, "inpatient", settled - timedelta(days=nights), settled, level, amounts


def _amounts(chance: Random, billed: int, deductible: int, percent: int) -> tuple[int, ...]:
    """Return total, excluded, upfront, allowed, insurer's part and account money, in fen; they close."""
    excluded = billed * chance.randint(0, 18) // 100
    upfront = billed * chance.randint(0, 9) // 100
    allowed = billed - excluded - upfront
    insurer = max(0, allowed - deductible) * percent // 100
    account = min(billed - insurer, chance.choice((0, 0, 20_000, 60_000, 150_000)))
    return billed, excluded, upfront, allowed, insurer, account


def _drawn(chance: Random, weighted: Sequence[tuple[T, int]]) -> T:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]
