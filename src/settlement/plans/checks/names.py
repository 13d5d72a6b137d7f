"""Checks of names: every name stands for something, once, and somebody delivers what it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from settlement.plans.checks.registry import ERROR, Place, check
from settlement.plans.checks.survey import Spot, Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import (
    AmountSum,
    BenefitRules,
    FundingShare,
    GroupLimit,
    Header,
    LessPaid,
    Modifier,
    NotBeside,
    OnlyBeside,
    VersionBody,
)
from settlement.plans.model.file import Event
from settlement.plans.vocabulary import AID, AMOUNTS, FACTS, UNDELIVERED_AMOUNTS, nearest

BESIDE = (LessPaid, NotBeside, OnlyBeside)


def named_amounts(survey: Survey) -> Iterator[tuple[Spot[AmountSum], str, str, FilePath]]:
    """Yield every amount that a sum names: the sum, `plus` or `minus`, the name and its path."""
    for spot in survey.all(AmountSum):
        for key, names in (("plus", spot.part.plus), ("minus", spot.part.minus)):
            for position, name in enumerate(names):
                yield spot, key, name, (*spot.path, key, position)


def benefits_beside(spot: Spot[Any]) -> Iterator[tuple[str, FilePath]]:
    """Yield the benefits that a rule looks at beside its own, with their paths."""
    key = "by" if isinstance(spot.part, LessPaid) else "benefits"
    for position, code in enumerate(getattr(spot.part, key)):
        yield code, (*spot.path, key, position)


def _facts_named(survey: Survey) -> Iterator[tuple[str, FilePath, str | None]]:
    for test in survey.tests:
        path = (*test.spot.path, "fact") if "when" not in test.path else test.path
        yield test.fact, path, test.spot.clause
    for spot in survey.all(Modifier):
        if spot.part.per is not None:
            yield spot.part.per, (*spot.path, "per"), spot.clause


def _benefits_named(survey: Survey) -> Iterator[tuple[str, FilePath, str | None]]:
    for spot, _, name, path in named_amounts(survey):
        if name.startswith(AID):
            yield name.removeprefix(AID), path, spot.clause
    for rule in survey.any_of(*BESIDE):
        for code, path in benefits_beside(rule):
            yield code, path, rule.clause
    for limit in survey.all(GroupLimit):
        for position, code in enumerate(() if isinstance(limit.part.of, str) else limit.part.of):
            yield code, (*limit.path, "of", position), limit.clause


def _unknown(what_zh: str, what_en: str, name: str, known: Iterable[str], path: FilePath, clause: str | None) -> Place:
    words = tuple(known)
    if not words:
        return Place(
            path, clause, f"没有声明任何{what_zh}：先声明 {name}", f"no {what_en} is declared: declare {name} first"
        )
    guess = nearest(name, words)
    return Place(
        path,
        clause,
        f"没有 {name} 这个{what_zh}，是否应为 {guess}",
        f"there is no {what_en} {name}; the nearest known is: {guess}",
    )


@check("unknown_fact", ERROR)
def unknown_fact(survey: Survey) -> Iterator[Place]:
    """Find a fact that does not exist."""
    for fact, path, clause in _facts_named(survey):
        if fact not in FACTS:
            yield _unknown("事实", "fact", fact, (name for name in FACTS if FACTS[name].source), path, clause)


@check("undelivered_fact", ERROR)
def undelivered_fact(survey: Survey) -> Iterator[Place]:
    """Find a fact that plans of the field ask for and that no door delivers."""
    for fact, path, clause in _facts_named(survey):
        if fact in FACTS and FACTS[fact].source is None:
            yield Place(
                path,
                clause,
                f"没有接口提供 {fact}：账单会一直挂起；改用 manual 由人工认定，或删去此条件",
                f"nobody delivers {fact}, bills would be held: let a person decide (`manual`), or drop the condition",
            )


@check("unknown_amount", ERROR)
def unknown_amount(survey: Survey) -> Iterator[Place]:
    """Find an amount that no bill has."""
    known = (*AMOUNTS, *(stated.code for stated in survey.header.stated))
    for spot, _, name, path in named_amounts(survey):
        if name not in known and name not in UNDELIVERED_AMOUNTS and not name.startswith(AID):
            guess = nearest(name, known)
            yield Place(
                path,
                spot.clause,
                f"账单上没有 {name} 这个金额，是否应为 {guess}",
                f"a bill has no amount {name}; the nearest known is: {guess}",
            )


@check("undelivered_amount", ERROR)
def undelivered_amount(survey: Survey) -> Iterator[Place]:
    """Find an amount that plans of the field speak of and that no bill has, unless hospitals state it."""
    stated = {stated.code for stated in survey.header.stated}
    for spot, _, name, path in named_amounts(survey):
        if name in UNDELIVERED_AMOUNTS - stated:
            yield Place(
                path,
                spot.clause,
                f"没有接口提供 {name}：在 plan.stated 声明由医院填报，或换一个金额",
                f"nobody delivers {name}: let hospitals state it under `plan.stated`, or use another amount",
            )


@check("unknown_benefit", ERROR)
def unknown_benefit(survey: Survey) -> Iterator[Place]:
    """Find a benefit that the version does not have, in a base, a rule or a group limit."""
    codes = [benefit.code for benefit in survey.body.benefits]
    for code, path, clause in _benefits_named(survey):
        if code not in codes:
            yield _unknown("待遇", "benefit", code, codes, path, clause)


@check("unknown_module", ERROR)
def unknown_module(survey: Survey) -> Iterator[Place]:
    """Find a benefit of a module that the version does not have."""
    codes = [module.code for module in survey.body.modules]
    for spot in survey.all(BenefitRules):
        if spot.part.module is not None and spot.part.module not in codes:
            yield _unknown("保障项目", "module", spot.part.module, codes, (*spot.path, "module"), None)


@check("unknown_purse", ERROR)
def unknown_purse(survey: Survey) -> Iterator[Place]:
    """Find a funding share of a purse that the version does not have."""
    codes = [purse.code for purse in survey.body.purses]
    for spot in survey.all(FundingShare):
        if spot.part.purse not in codes:
            yield _unknown("资金来源", "purse", spot.part.purse, codes, (*spot.path, "purse"), None)


@check("unknown_event", ERROR)
def unknown_event(survey: Survey) -> Iterator[Place]:
    """Find an event that the plan does not declare: nobody could state it."""
    codes = [event.code for event in survey.header.events]
    for test in survey.tests:
        if test.fact == "event" and isinstance(test.wanted, tuple):
            for position, value in enumerate(test.wanted):
                if value not in codes and value != "none":
                    yield _unknown("事件", "event", str(value), codes, (*test.path, position), test.spot.clause)


@check("unknown_severity", ERROR)
def unknown_severity(survey: Survey) -> Iterator[Place]:
    """Find a severity that no event of the plan has."""
    codes = list(dict.fromkeys(severity for event in survey.header.events for severity in event.severities))
    for test in survey.tests:
        if test.fact == "severity" and isinstance(test.wanted, tuple):
            for position, value in enumerate(test.wanted):
                if value not in codes:
                    yield _unknown("严重程度", "severity", str(value), codes, (*test.path, position), test.spot.clause)


@check("code_twice", ERROR)
def code_twice(survey: Survey) -> Iterator[Place]:
    """Find two things of one kind with one code."""
    kinds = ("benefits", "modules", "purses", "limits", "events", "stated", "severities")
    for spot, key in product(survey.any_of(VersionBody, Header, Event), kinds):
        codes = [getattr(each, "code", each) for each in getattr(spot.part, key, ())]
        for position, code in enumerate(codes):
            if code in codes[:position]:
                yield Place(
                    (*spot.path, key, position),
                    None,
                    f"代码 {code} 重复，请改",
                    f"the code {code} is given twice: change one",
                )


@check("stated_name_taken", ERROR)
def stated_name_taken(survey: Survey) -> Iterator[Place]:
    """Find a stated amount that is named like an amount or a fact of every bill."""
    for position, stated in enumerate(survey.header.stated):
        if stated.code in AMOUNTS or stated.code in FACTS:
            yield Place(
                ("plan", "stated", position, "code"),
                stated.clause,
                f"{stated.code} 是账单本来就有的名称：医院填报的金额请另取代码",
                f"{stated.code} is a name that every bill has: give the stated amount another code",
            )
