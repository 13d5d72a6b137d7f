"""The boundary cases of a plan: what is paid a fen below, at, and a fen above each bound, and a day for bounds in days.

They are made from the file's ordinary facts, for each version, each as a member's first bill. A bound that one
bill cannot reach, such as a limit of a term above one of a stay, has none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from settlement.domain.benefits import PlanFacts
from settlement.domain.money import ZERO, Money
from settlement.plans.bills_of_one_amount import Bills, bill_of, priced
from settlement.plans.checks.limits import own_limits
from settlement.plans.checks.survey import Survey
from settlement.plans.choices import amount_for, fact_of, fits_facts
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.labels import SPANS, group_label, plain_yuan, rule_label
from settlement.plans.model import (
    Band,
    Bands,
    BenefitRules,
    Between,
    BurdenLimit,
    Deductible,
    Franchise,
    Limit,
    Minimum,
    PerDay,
    Plan,
    PlanVersion,
    Rule,
    Span,
    TermLimit,
    When,
    YuanBy,
)
from settlement.plans.reached_facts import in_hospital, reached_facts, with_fact


@dataclass(frozen=True, slots=True)
class Boundary:
    """One bill beside a bound: the bound in words, what was put on the bill, and what came out, in fen."""

    version: str
    benefit: str
    bound: str
    clause: str
    given: Mapping[str, str]
    base: Money
    aid: Money


def boundaries(plan: Plan) -> list[Boundary]:
    """Return the boundary cases of each version of a plan. Call it for a plan without errors."""
    return [boundary for version in plan.versions for boundary in _of_version(plan, version)]


def _of_version(plan: Plan, version: PlanVersion) -> list[Boundary]:
    compiled = compile_version(version)
    found: list[Boundary] = []
    for benefit in version.body.benefits:
        if benefit.base is not None and benefit.manual is None:
            found += _of_base(plan, version, compiled, benefit)
        elif benefit.per_day is not None:
            found += _of_days(plan, version, compiled, benefit, benefit.per_day)
        elif benefit.lump_sum is not None:
            found += _of_numbers(plan, version, compiled, benefit)
    return found


def _of_base(plan: Plan, version: PlanVersion, compiled: CompiledPlan, benefit: BenefitRules) -> Iterator[Boundary]:
    for place, rule in enumerate(benefit.rules):
        for whens in _choices_of(rule):
            facts = reached_facts(plan, version, compiled, benefit, whens)
            if facts is None:
                continue
            bills = Bills(compiled, benefit, facts)
            borne = sum(amount_for(each.amount, facts) for each in benefit.rules if isinstance(each, Deductible))
            for label, clause, fen in _bounds(bills, rule, place, facts, borne):
                yield from _around(bills, label, clause, fen, facts, whens)
    facts = reached_facts(plan, version, compiled, benefit, [])
    if facts is not None:
        bills = Bills(compiled, benefit, facts)
        for label, clause, most in _group_bounds(version, benefit, facts):
            if (reached := bills.first_with_aid(most)) is not None:
                yield from _around(bills, label, clause, reached, facts, [])


def _group_bounds(version: PlanVersion, benefit: BenefitRules, facts: PlanFacts) -> Iterator[tuple[str, str, int]]:
    """Yield the group limits in money that a benefit meets: in words, with clause and amount in fen."""
    for limit in version.body.limits:
        if limit.amount is not None and (isinstance(limit.of, str) or benefit.code in limit.of):
            amount = amount_for(limit.amount, facts)
            yield group_label(limit, amount), limit.clause, amount


def _choices_of(rule: Rule) -> list[list[When | None]]:
    """Return, for each choice of a rule, its `when` behind those that come before it."""
    if isinstance(rule, Bands):
        whens = [choice.when for choice in rule.choices or ()]
    else:
        by: YuanBy | None = getattr(rule, "amount", None)
        whens = [choice.when for choice in by] if isinstance(by, tuple) else []
    return [whens[: place + 1] for place in range(len(whens))] or [[]]


def _bounds(bills: Bills, rule: Rule, place: int, facts: PlanFacts, borne: int) -> Iterator[tuple[str, str, int]]:
    """Yield the bounds of a rule: in words, with its clause, and the amount of the bill that lands on it."""
    before = bills.benefit.rules[:place]
    untouched = all(isinstance(each, Deductible | Franchise) for each in before)
    match rule:
        case Bands() if untouched:
            for band in _table(rule, facts):
                bound = band.below if band.below is not None else band.up_to
                if bound is not None and (fen := bills.with_base(int(bound) + borne)) is not None:
                    yield f"{plain_yuan(bound)} 元", band.clause, fen
        case Deductible() if untouched:
            if (fen := bills.with_base(amount_for(rule.amount, facts))) is not None:
                yield _label(bills, rule), rule.clause, fen
        case Franchise() if untouched:
            if (fen := bills.with_base(amount_for(rule.amount, facts) + borne)) is not None:
                yield _label(bills, rule), rule.clause, fen
        case Minimum():
            if (fen := bills.first_with_aid(amount_for(rule.amount, facts) + 1)) is not None:
                yield _label(bills, rule), rule.clause, fen - 1
        case BurdenLimit():
            for minimum in (each for each in before if isinstance(each, Minimum)):
                # The smallest bill that is paid the minimum: one that is smaller is paid what the member bears.
                if (fen := bills.first_with_aid(amount_for(minimum.amount, facts))) is not None:
                    yield _label(bills, rule), rule.clause, fen
        case TermLimit() | Limit() if any(rule is own for _, own, _ in own_limits(bills.benefit)):
            fen_limit = amount_for(rule.amount or ZERO, facts) * (_shares(bills) if rule.per_share else 1)
            if fen_limit and (fen := bills.first_with_aid(fen_limit)) is not None:
                yield _label(bills, rule, _shares(bills) if rule.per_share else 1), rule.clause, fen


def _around(
    bills: Bills, label: str, clause: str, fen: int, facts: PlanFacts, whens: list[When | None]
) -> Iterator[Boundary]:
    """Yield the bills a fen below, at, and a fen above a bound."""
    assumed = {} if not whens else _shown_facts(whens, facts)
    for amount in (fen - 1, fen, fen + 1):
        if amount >= 0:
            base, aid = bills.priced(amount)
            given = {bills.amount: Money(amount).yuan(), **assumed}
            yield Boundary(bills.compiled.version, bills.benefit.code, label, clause, given, Money(base), Money(aid))


def _shown_facts(whens: list[When | None], facts: PlanFacts) -> dict[str, str]:
    names = dict.fromkeys(name for when in whens for name in when or ())
    return {name: str(fact_of(facts, name)) for name in names}


def _of_days(
    plan: Plan, version: PlanVersion, compiled: CompiledPlan, benefit: BenefitRules, rule: PerDay
) -> Iterator[Boundary]:
    facts = reached_facts(plan, version, compiled, benefit, [])
    if facts is None:
        return
    bounds = [("最短住院", rule.clause, rule.minimum_stay)] if rule.minimum_stay > 1 else []
    bounds += [(f"第 {band.from_day} 天起", band.clause, band.from_day) for band in rule.days if band.from_day > 1]
    bounds += [(f"到第 {band.to_day} 天", band.clause, band.to_day) for band in rule.days if band.to_day is not None]
    for limit in benefit.rules:
        if isinstance(limit, Limit) and limit.days is not None:
            first = rule.days[0].from_day
            bounds.append((f"{SPANS[limit.over]} {limit.days} 天", limit.clause, first - 1 + limit.days))

    def stay(days: int) -> tuple[int, int]:
        nights = days - 1 if rule.counting == "both_days" else days
        return priced(compiled, benefit, *bill_of("allowed", 0, _within_term(compiled, benefit, facts, nights)))

    bills = Bills(compiled, benefit, facts)
    money = [
        (_label(bills, own, times := _shares(bills) if own.per_share else 1), own.clause, amount * times)
        for _, own, _ in own_limits(benefit)
        if (amount := amount_for(own.amount or ZERO, facts))
    ]
    for label, clause, most in (*money, *_group_bounds(version, benefit, facts)):
        bounds += [(label, clause, days) for days in _first_days(lambda days: stay(days)[1], most)]
    for label, clause, bound in bounds:
        for days in (bound - 1, bound, bound + 1):
            if days >= 1:
                base, aid = stay(days)
                yield Boundary(
                    version.version, benefit.code, label, clause, {"days": str(days)}, Money(base), Money(aid)
                )


def _within_term(compiled: CompiledPlan, benefit: BenefitRules, facts: PlanFacts, nights: int) -> PlanFacts:
    """Return the facts with a stay of so many nights that does not begin before the term: it ends later instead."""
    stay = in_hospital(facts, nights)
    left = stay.discharged_on or stay.settled_on
    first = compiled.terms(left, facts)[benefit.code].first_day
    late = first - (stay.admitted_on or left)
    if late <= timedelta(0):
        return stay
    left += late
    return replace(
        stay, admitted_on=first, counted_from=first, discharged_on=left, settled_on=max(stay.settled_on, left)
    )


def _first_days(aid_of: Callable[[int], int], most: int) -> list[int]:
    """Return the first number of days that is paid so much, if a stay of at most a year is."""
    return [days] if (days := bisect_left(range(1, 366), most, key=aid_of) + 1) < 366 else []


def _of_numbers(plan: Plan, version: PlanVersion, compiled: CompiledPlan, benefit: BenefitRules) -> Iterator[Boundary]:
    """Yield, for a fixed sum, what is paid around each bound of a number that it hangs on: an age, days of cover."""
    survey = Survey(version)
    tests = [test for test in survey.tests if test.spot.benefit is benefit or test.spot.path[0] == "plan"]
    bounds: list[tuple[str, int, str, When | None]] = [
        (test.fact, bound, test.spot.clause or "", getattr(test.spot.part, "when", None))
        for test in tests
        if isinstance(test.wanted, Between)
        for bound in (test.wanted.at_least, test.wanted.at_most)
        if bound is not None
    ]
    module = version.body.module(benefit.module)
    waiting = benefit.waiting or (module.waiting if module else None)
    if waiting is not None:
        bounds.append(("days_covered", waiting.days, waiting.clause, None))
    for name, bound, clause, when in bounds:
        facts = reached_facts(plan, version, compiled, benefit, [when] if when else [])
        for value in (bound - 1, bound, bound + 1):
            if facts is not None and value >= 0:
                base, aid = priced(compiled, benefit, *bill_of("allowed", 0, with_fact(facts, name, value)))
                given = {name: str(value)}
                yield Boundary(version.version, benefit.code, f"{name} {bound}", clause, given, Money(base), Money(aid))


def _table(rule: Bands, facts: PlanFacts) -> tuple[Band, ...]:
    if not rule.choices:
        return rule.bands or ()
    return next((choice.bands for choice in rule.choices if fits_facts(choice.when, facts)), ())


def _label(bills: Bills, rule: Rule, times: int = 1) -> str:
    by: YuanBy | None = getattr(rule, "amount", None)
    amount = None if by is None else Money(amount_for(by, bills.facts) * times)
    return rule_label(rule, amount, None, accumulates=bills.benefit.span is Span.TERM)


def _shares(bills: Bills) -> int:
    shares = bills.facts.shares or {}
    return shares.get(bills.benefit.module or "", 1)
