"""Checks of the file as a whole: versions that can be told apart, worked cases about what the plan really has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from settlement.domain.bills import Care
from settlement.domain.money import ZERO
from settlement.plans.checks.names import named_amounts
from settlement.plans.checks.registry import ERROR, WARNING, Place, file_check
from settlement.plans.checks.survey import Survey
from settlement.plans.findings import FilePath
from settlement.plans.model import BenefitRules, CaseBill, Plan
from settlement.plans.vocabulary import FACTS, nearest

_DERIVED = frozenset(field for fact in FACTS.values() for field in fact.needs)


def _bills(plan: Plan) -> Iterator[tuple[CaseBill, FilePath]]:
    for number, case in enumerate(plan.file.cases):
        for position, bill in enumerate(case.bills):
            yield bill, ("cases", number, "bills", position)


def _benefits(plan: Plan) -> dict[str, BenefitRules]:
    return {benefit.code: benefit for version in plan.versions for benefit in version.body.benefits}


@file_check("version_twice", ERROR)
def version_twice(plan: Plan) -> Iterator[Place]:
    """Find two versions of one name."""
    names = [version.version for version in plan.versions]
    for position, name in enumerate(names):
        if name in names[:position]:
            yield Place(
                ("versions", position, "version"),
                None,
                f"version {name} 重复，请改",
                f"the version {name} is given twice: change one",
            )


@file_check("first_day_twice", ERROR)
def first_day_twice(plan: Plan) -> Iterator[Place]:
    """Find two versions that begin on one day: nobody could say which one counts."""
    days = [version.effective_from for version in plan.versions]
    for position, day in enumerate(days):
        if day in days[:position]:
            yield Place(
                ("versions", position, "effective_from"),
                None,
                f"effective_from {day} 重复：两个版本同日生效，无法区分，请改",
                f"effective_from {day} is given twice: two versions begin on one day, change one",
            )


@file_check("unknown_benefit_in_case", ERROR)
def unknown_benefit_in_case(plan: Plan) -> Iterator[Place]:
    """Find a worked case that expects something of a benefit that there is not."""
    known = _benefits(plan)
    for bill, path in _bills(plan):
        named: list[tuple[str, FilePath]] = [(code, (*path, "pays", code)) for code in bill.pays]
        named += [(code, (*path, "asks", position)) for position, code in enumerate(bill.asks)]
        for code, place in named:
            if code not in known:
                guess = nearest(code, known)
                yield Place(
                    place,
                    None,
                    f"没有 {code} 这个待遇，是否应为 {guess}",
                    f"there is no benefit {code}; the nearest known is: {guess}",
                )


@file_check("unknown_name_in_case", ERROR)
def unknown_name_in_case(plan: Plan) -> Iterator[Place]:
    """Find a worked case that holds shares of no module, or states an amount that the plan does not know."""
    modules = {module.code for version in plan.versions for module in version.body.modules}
    stated = {stated.code for stated in plan.header.stated}
    named: list[tuple[str, set[str], FilePath]] = []
    for facts, path in _facts(plan):
        named += [(code, modules, (*path, "shares", code)) for code in facts.shares or ()]
    for bill, path in _bills(plan):
        named += [(code, stated, (*path, "amounts", "stated", code)) for code in bill.amounts.stated]
        if bill.missing is not None:
            named.append((bill.missing, {*_DERIVED, *stated}, (*path, "missing")))
    for code, known, path in named:
        if code not in known:
            guess = nearest(code, known) or "—"
            yield Place(
                path,
                None,
                f"方案里没有 {code}，是否应为 {guess}",
                f"the plan has no {code}; the nearest known is: {guess}",
            )


@file_check("impossible_fact_in_case", ERROR)
def impossible_fact_in_case(plan: Plan) -> Iterator[Place]:
    """Find a worked case whose bill has a fact that no bill can have."""
    events = {"none", *(event.code for event in plan.header.events)}
    severities = {severity for event in plan.header.events for severity in event.severities}
    for facts, path in _facts(plan):
        for name in (fact for fact in FACTS if fact in facts.model_fields_set):
            value = getattr(facts, name)
            known: Any = {"event": events, "severity": severities}.get(name, FACTS[name].words)
            if value is not None and name != "care" and (known or name == "severity") and value not in known:
                guess = nearest(value, known) or "—"
                yield Place(
                    (*path, name),
                    None,
                    f"{name} 没有 {value} 这个值，是否应为 {guess}",
                    f"{name} cannot be {value}; the nearest known is: {guess}",
                )
        if facts.admitted_on and facts.discharged_on and facts.discharged_on < facts.admitted_on:
            yield Place(
                (*path, "discharged_on"),
                None,
                f"出院日期 {facts.discharged_on} 早于入院日期 {facts.admitted_on}",
                f"the discharge on {facts.discharged_on} is before the admission on {facts.admitted_on}: mend one",
            )


def _facts(plan: Plan) -> Iterator[tuple[Any, FilePath]]:
    yield plan.file.case_facts, ("case_facts",)
    for bill, path in _bills(plan):
        yield bill.facts, (*path, "facts")


@file_check("impossible_bill_in_case", WARNING)
def impossible_bill_in_case(plan: Plan) -> Iterator[Place]:
    """Find a worked case whose amounts cannot stand on one bill."""
    for bill, path in _bills(plan):
        amounts = bill.amounts
        billed = amounts.allowed + amounts.excluded + amounts.over_limit + amounts.upfront_share
        own = billed - amounts.insurer_paid - amounts.provider_absorbed
        negative = any(getattr(amounts, name) < ZERO for name in type(amounts).model_fields if name != "stated")
        if negative or own < ZERO or amounts.account_paid > own or amounts.family_account_paid > amounts.account_paid:
            yield Place(
                (*path, "amounts"),
                None,
                f"这些金额不能在一张账单上：总额 {billed}，个人 {own}，账户支付 {amounts.account_paid}；请核对",
                f"these amounts cannot stand on one bill: total {billed}, patient {own}, "
                f"from the account {amounts.account_paid}; compare them",
            )


@file_check("case_before_versions", ERROR)
def case_before_versions(plan: Plan) -> Iterator[Place]:
    """Find a worked case whose bill is earlier than every version."""
    first = min(version.effective_from for version in plan.versions)
    for bill, path in _bills(plan):
        day = _day_of(plan, bill)
        if day < first:
            yield Place(
                path,
                None,
                f"这张账单归入 {day}，当时还没有版本，最早的版本自 {first} 起：改账单的日期，或版本的 effective_from",
                f"this bill counts on {day}, before the first version, which begins on {first}: change the bill's "
                "dates, or `effective_from`",
            )


def _day_of(plan: Plan, bill: CaseBill) -> date:
    """Return the service date of a case's bill."""
    given = {**plan.file.case_facts.model_dump(), **bill.facts.model_dump(exclude_unset=True)}
    of_stay = given["discharged_on" if plan.header.stay_date == "discharge" else "admitted_on"]
    day: date = given["event_on"] or (of_stay if given["care"] == Care.INPATIENT else None) or given["settled_on"]
    return day


@file_check("benefit_without_case", WARNING)
def benefit_without_case(plan: Plan) -> Iterator[Place]:
    """Find a benefit that no worked case pays, or asks a person about."""
    shown = {code for bill, _ in _bills(plan) for code in (*bill.pays, *bill.asks)}
    last = len(plan.versions) - 1
    for position, benefit in enumerate(plan.versions[last].body.benefits):
        if benefit.code not in shown:
            yield Place(
                ("versions", last, "benefits", position),
                None,
                f"没有案例算出待遇 {benefit.code}：加一个案例",
                f"no worked case shows the benefit {benefit.code}: add one",
            )


@file_check("version_without_case", WARNING)
def version_without_case(plan: Plan) -> Iterator[Place]:
    """Find a version that prices no bill of a worked case."""
    priced = {version.version for bill, _ in _bills(plan) if (version := plan.version_on(_day_of(plan, bill)))}
    for position, version in enumerate(plan.versions):
        if version.version not in priced:
            yield Place(
                ("versions", position, "version"),
                version.body.clause,
                f"没有案例落在版本 {version.version} 的日期：加一个案例",
                f"no worked case lies in the dates of the version {version.version}: add one",
            )


@file_check("unused_stated", WARNING)
def unused_stated(plan: Plan) -> Iterator[Place]:
    """Find an amount that hospitals state and no version names."""
    used = {name for version in plan.versions for _, _, name, _ in named_amounts(Survey(version))}
    for position, stated in enumerate(plan.header.stated):
        if stated.code not in used:
            yield Place(
                ("plan", "stated", position),
                stated.clause,
                f"没有一处用到 {stated.code}：写入 base 或 burden，或删去",
                f"no sum names {stated.code}: use it in a base or a burden, or drop it",
            )


@file_check("unused_event", WARNING)
def unused_event(plan: Plan) -> Iterator[Place]:
    """Find an event for which no version pays anything."""
    tests = [test for version in plan.versions for test in Survey(version).tests if test.fact == "event"]
    used = {value for test in tests if isinstance(test.wanted, tuple) for value in test.wanted}
    for position, event in enumerate(plan.header.events):
        if event.code not in used:
            yield Place(
                ("plan", "events", position),
                event.clause,
                f"没有待遇用到事件 {event.code}：写入条件，或删去",
                f"no condition names the event {event.code}: use it in one, or drop it",
            )
