"""The term that a date falls in, by the term rule of a module or benefit."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from functools import lru_cache

from settlement.domain.benefits import PlanFacts, Term
from settlement.plans.model.membership import CalendarYear, MonthsFrom, NamedTerms, OwnCover, TermRule, YearFrom

ONE_DAY = timedelta(days=1)


def term_on(rule: TermRule, day: date, facts: PlanFacts | None = None) -> Term | None:
    """Return the term of a day; `None` where the named terms have none, or the member's own cover does not hold it."""
    match rule:
        case CalendarYear():
            return _calendar_year(day.year)
        case YearFrom():
            return _year_from(rule.starts, day)
        case MonthsFrom():
            return _months_from(rule.first_day, rule.months, day)
        case NamedTerms():
            return next(
                (
                    Term(term.code, term.first_day, term.last_day)
                    for term in rule.terms
                    if term.first_day <= day <= term.last_day
                ),
                None,
            )
        case OwnCover():
            return _own_cover(day, facts)


def month_and_day(text: str) -> tuple[int, int]:
    """Return month and day of a text such as `02-28`."""
    return int(text[:2]), int(text[3:])


def _own_cover(day: date, facts: PlanFacts | None) -> Term | None:
    if facts is None or facts.cover_first_day is None or facts.cover_last_day is None:
        return None
    if not facts.cover_first_day <= day <= facts.cover_last_day:
        return None
    return Term(facts.cover_first_day.isoformat(), facts.cover_first_day, facts.cover_last_day)


@lru_cache(maxsize=512)
def _calendar_year(year: int) -> Term:
    return Term(str(year), date(year, 1, 1), date(year, 12, 31))


@lru_cache(maxsize=4096)
def _year_from(starts: str, day: date) -> Term:
    month, day_of_month = month_and_day(starts)
    first = _date(day.year, month, day_of_month)
    if first > day:
        first = _date(day.year - 1, month, day_of_month)
    return _term(first, _date(first.year + 1, month, day_of_month) - ONE_DAY)


@lru_cache(maxsize=4096)
def _months_from(anchor: date, months: int, day: date) -> Term:
    passed = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    while _plus_months(anchor, passed * months) > day:
        passed -= 1
    while _plus_months(anchor, (passed + 1) * months) <= day:
        passed += 1
    return _term(_plus_months(anchor, passed * months), _plus_months(anchor, (passed + 1) * months) - ONE_DAY)


def _plus_months(anchor: date, months: int) -> date:
    years, month = divmod(anchor.month - 1 + months, 12)
    return _date(anchor.year + years, month + 1, anchor.day)


def _date(year: int, month: int, day: int) -> date:
    """Return the date, or the month's last day where the month is shorter."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _term(first_day: date, last_day: date) -> Term:
    return Term(first_day.isoformat(), first_day, last_day)
