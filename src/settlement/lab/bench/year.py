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
    "setting",
    "place",
    "admitted_on",
    "discharged_on",
    "hospital",
    "hospital_level",
    "visit",
    "insurance_type",
    "person_category",
    "age",
    "sex",
    "union_member",
    "cover_first_day",
    "cover_last_day",
    "covered_since",
    "shares",
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
_INSURER_BY_LEVEL = {1: 90, 2: 86, 3: 82}


def year_of_bills(seed: int, members: int, year: int, version: PlanVersion | None) -> Iterator[list[list[str]]]:
    """Yield each member's bills of one year as rows under `HEADER`, in the order of settlement.

    Members hold the basic modules of the version, and by chance each of the others.
    """
    for number in range(members):
        yield _member(Random(f"{seed} {number}"), number, year, version)


def simulated_members(seed: int, members: int, year: int, version: PlanVersion) -> list[list[SimulatedBill]]:
    """Return the same members as a simulation takes them."""
    columns, found = Columns.of(HEADER), []
    number = 1
    for rows in year_of_bills(seed, members, year, version):
        bills = []
        for cells in rows:
            number += 1
            bills.append(columns.bill(number, cells))
        found.append(bills)
    return found


def write_year(path: Path, seed: int, members: int, year: int, present: PlanVersion | None = None) -> int:
    """Write a year of bills as CSV, in the order of settlement within members; return how many there are.

    With the present plan, `paid` says what it paid those who claim on paper; all others got nothing.
    """
    columns, count = Columns.of(HEADER), 0
    each = simulator(Plans(present.canonical())) if present else None
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER, *(["paid"] if each else [])])
        for rows in year_of_bills(seed, members, year, present):
            count += len(rows)
            if each:
                claims = Random(f"{seed} {rows[0][0]} claims").random() < CLAIMED if rows else False
                bills = [columns.bill(at, cells) for at, cells in enumerate(rows)]
                paid = {priced.bill.number: sum(priced.after.values()) for priced in each.member(bills, Tally())}
                for at, cells in enumerate(rows):
                    cells.append(Money(paid.get(at, 0) if claims else 0).yuan())
            writer.writerows(rows)
    return count


def _member(chance: Random, number: int, year: int, version: PlanVersion | None) -> list[list[str]]:
    category = _drawn(chance, _CATEGORIES)
    age = chance.randint(20, 59) if category == "active" else chance.randint(55, 88)
    sex = chance.choice(("female", "male"))
    ill = chance.random() ** 3 * (1 + age / 60)
    visits = min(40, int(chance.expovariate(1 / (1 + 6 * ill))))
    stays = sum(chance.random() < 0.10 * (1 + 3 * ill) for _ in range(4))
    unit = f"U{int(chance.paretovariate(0.9)) % 400:03d}"
    since = date(year - chance.randint(0, 9), 1, 1).isoformat()
    union_member = "true" if chance.random() < 0.95 else "false"
    who = (
        "310",
        category,
        str(age),
        sex,
        union_member,
        f"{year}-01-01",
        f"{year}-12-31",
        since,
        _shares(chance, version),
    )
    bills = [_visit(chance, year) for _ in range(visits)] + [_stay(chance, year, age) for _ in range(stays)]
    bills.sort(key=lambda bill: bill[0])
    rows = []
    for serial, (settled, setting, admitted, level, amounts) in enumerate(bills, 1):
        care = "inpatient" if setting == "inpatient" else "outpatient"
        place = "local" if chance.random() < 0.93 else "elsewhere"
        hospital = f"H37160009{level}{chance.randint(1, 9 if level < 3 else 4):02d}"
        billed, excluded, upfront, allowed, insurer, account = (Money(fen).yuan() for fen in amounts)
        dates = (admitted.isoformat(), settled.isoformat()) if care == "inpatient" else ("", "")
        visit = f"{number}-{serial}"
        money = (billed, excluded, upfront, allowed, insurer, account)
        rows.append(
            [
                *(f"M{number:07d}", settled.isoformat(), care, setting, place, *dates),
                *(hospital, str(level), visit, *who, *money, unit),
            ]
        )
    return rows


_Bill = tuple[date, str, date, int, tuple[int, ...]]
"""Day of settlement, setting, admission, hospital level, amounts."""
_SETTINGS = (("outpatient", 78), ("special_outpatient", 12), ("emergency", 10))


def _visit(chance: Random, year: int) -> _Bill:
    day = date(year, 1, 1) + timedelta(days=chance.randrange(365))
    level = _drawn(chance, ((1, 35), (2, 35), (3, 30)))
    amounts = _amounts(chance, visit_total(chance), 30_000, 60 if level == 3 else 70)
    return day, _drawn(chance, _SETTINGS), day, level, amounts


def _stay(chance: Random, year: int, age: int) -> _Bill:
    nights = min(60, 1 + int(chance.expovariate(1 / (4 + age / 20))))
    settled = date(year, 1, 1) + timedelta(days=chance.randrange(365))
    level = _drawn(chance, ((1, 12), (2, 38), (3, 50)))
    amounts = _amounts(chance, stay_total(chance), 40_000 * level, _INSURER_BY_LEVEL[level])
    return settled, "inpatient", settled - timedelta(days=nights), level, amounts


def _shares(chance: Random, version: PlanVersion | None) -> str:
    modules = version.body.modules if version else ()
    return ";".join(f"{module.code}:1" for module in modules if module.basic or chance.random() < 0.4)


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
