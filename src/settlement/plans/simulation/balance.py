"""The fund over time: what comes in by month, what is paid by day, and the day on which nothing is left."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from settlement.domain.money import Rounding, rounded

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fund:
    """What the fund has and gets, in fen, and for how many years the bills of the period are repeated."""

    opening_fen: int
    every_month_fen: int = 0
    incomes: Mapping[date, int] = field(default_factory=dict)
    """By the first day of a month; a month that has none gets `every_month_fen`."""
    years: int = 1
    growth: Fraction = Fraction(0)
    """By how much costs grow from year to year."""


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """What the fund has at the end of a month, in fen, before and after."""

    day: date
    before_fen: int
    after_fen: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The fund's months, and the first day on whose evening it owes more than it has; `None` is never."""

    opening_fen: int
    months: tuple[MonthEnd, ...]
    dry_before: date | None
    dry_after: date | None


def run_down(fund: Fund, days: Mapping[date, tuple[int, int]], first_day: date, last_day: date) -> Balance:
    """Follow the fund from the first month of the period to its last, and on through repeated years.

    Income comes on the first day of a month; costs are paid on the day of settlement. A repeated year's income is its
    own where the fund's incomes name it, else that of the same month of the first year.
    """
    before = after = fund.opening_fen
    dry_before = dry_after = None
    months = []
    day, end = first_day.replace(day=1), _month_end(_years_later(last_day, fund.years - 1))
    while day <= end:
        if day.day == 1:
            income = _income(fund, day, last_day)
            before, after = before + income, after + income
        paid = _paid(fund, days, day, last_day)
        before, after = before - paid[0], after - paid[1]
        dry_before = day if dry_before is None and before < 0 else dry_before
        dry_after = day if dry_after is None and after < 0 else dry_after
        if day == _month_end(day):
            months.append(MonthEnd(day, before, after))
        day += ONE_DAY
    return Balance(fund.opening_fen, tuple(months), dry_before, dry_after)


def _income(fund: Fund, month: date, last_day: date) -> int:
    while month not in fund.incomes and month > last_day:
        month = _years_later(month, -1)
    return fund.incomes.get(month, fund.every_month_fen)


def _paid(fund: Fund, days: Mapping[date, tuple[int, int]], day: date, last_day: date) -> tuple[int, int]:
    """Return what is paid on a day, before and after; the last day of February has the bills of a leap day, too."""
    years, own = 0, day
    while own > last_day and own not in days:
        own, years = _years_later(day, -(years + 1)), years + 1
    before, after = days.get(own, (0, 0))
    leap = date(own.year, 2, 29) if calendar.isleap(own.year) else None
    if years and (day.month, day.day) == (2, 28) and leap is not None and not calendar.isleap(day.year):
        more = days.get(leap, (0, 0))
        before, after = before + more[0], after + more[1]
    factor = (1 + fund.growth) ** years
    return rounded(before * factor, Rounding.HALF_UP), rounded(after * factor, Rounding.HALF_UP)


def _years_later(day: date, years: int) -> date:
    """Return the same day some years later, or earlier; a leap day becomes the last of February."""
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
