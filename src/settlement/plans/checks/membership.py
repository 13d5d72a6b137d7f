"""Checks of terms and modules: days that exist, terms that follow one another, shares and parts that are used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from settlement.plans.checks.registry import ERROR, WARNING, Place, check
from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import Module
from settlement.plans.model.membership import NamedTerm, NamedTerms, Provisional, YearFrom
from settlement.plans.model.parts import Part

_A_COMMON_YEAR = 2023


@check("no_such_day", ERROR)
def no_such_day(survey: Survey) -> Iterator[Place]:
    """Find a day of every year that some year lacks."""
    days: list[tuple[str, FilePath, str | None]] = [
        *((spot.part.starts, (*spot.path, "starts"), spot.clause) for spot in survey.all(YearFrom)),
        *((spot.part.until, (*spot.path, "until"), spot.clause) for spot in survey.all(Provisional)),
    ]
    for day, path, clause in days:
        try:
            date.fromisoformat(f"{_A_COMMON_YEAR}-{day}")
        except ValueError:
            yield Place(
                path, clause, f"不是每年都有 {day} 这一天：换一天", f"not every year has a {day}: choose another day"
            )


@check("term_reversed", ERROR)
def term_reversed(survey: Survey) -> Iterator[Place]:
    """Find a named term that ends before it begins."""
    for spot in survey.all(NamedTerm):
        if spot.part.last_day < spot.part.first_day:
            yield Place(
                (*spot.path, "last_day"),
                spot.clause,
                f"{spot.part.last_day} 早于 {spot.part.first_day}：对调或改正",
                f"{spot.part.last_day} is before {spot.part.first_day}: swap or mend them",
            )


@check("terms_overlap", ERROR)
def terms_overlap(survey: Survey) -> Iterator[Place]:
    """Find named terms that share a day, are out of order, or share a code."""
    for spot in survey.all(NamedTerms):
        codes: set[str] = set()
        for position, (before, after) in enumerate(pairwise(spot.part.terms), 1):
            codes.add(before.code)
            if after.first_day <= before.last_day or after.code in codes:
                yield Place(
                    (*spot.path, "terms", position),
                    spot.clause,
                    f"{after.code} 与前一期的日期或代码重叠：各期依次排列，日期不交叉，代码不重复",
                    f"{after.code} shares a day or its code with a term before: give the terms in order",
                )


@check("unused_module", WARNING)
def unused_module(survey: Survey) -> Iterator[Place]:
    """Find a module of which there is no benefit."""
    used = {benefit.module for benefit in survey.body.benefits}
    for spot in survey.all(Module):
        if spot.part.code not in used:
            yield Place(
                spot.path,
                spot.clause,
                f"没有待遇属于 {spot.part.code}：给待遇写 module，或删去",
                f"no benefit is of the module {spot.part.code}: name it in one, or drop it",
            )


@check("unused_shares", WARNING)
def unused_shares(survey: Survey) -> Iterator[Place]:
    """Find a module held in several shares that no benefit counts."""
    counting = {
        spot.benefit.module
        for spot in survey.any_of(Part)
        if spot.benefit is not None and getattr(spot.part, "per_share", False)
    }
    for spot in survey.all(Module):
        if spot.part.shares_at_most > 1 and spot.part.code not in counting:
            yield Place(
                (*spot.path, "shares_at_most"),
                spot.clause,
                "可参加多份，但没有一项待遇按份数计算：写 per_share: true，或删去 shares_at_most",
                "no benefit counts the shares: write `per_share: true`, or drop `shares_at_most`",
            )
