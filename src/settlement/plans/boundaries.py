"""The boundary cases of a plan: what is paid a fen below, at, and a fen above each bound, and a day for bounds in days.

They are made from the file's ordinary facts, for the newest version, each as a member's first bill. A bound that one
bill cannot reach, such as a limit of a term above one of a stay, has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.errors import ensure
from settlement.domain.money import ZERO, Money
from settlement.plans.cases import case_figures
from settlement.plans.checks.limits import own_limits
from settlement.plans.choices import amount_for, fact_of, fits_facts
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.labels import SPANS, plain_yuan, rule_label
from settlement.plans.model import (
    Band,
    Bands,
    BenefitRules,
    CaseAmounts,
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
from settlement.plans.reached_facts import in_hospital, reached_facts
from settlement.plans.vocabulary import FUNDS, OTHER_PAID

LARGEST = 100_000_000_00
"""The largest amount that is tried, in fen: a hundred million yuan."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One bill beside a bound: the bound in words, what was put on the bill, and what came out, in fen."""

    benefit: str
    bound: str
    clause: str
    given: Mapping[str, str]
    base: Money
    aid: Money


def boundaries(plan: Plan) -> list[Boundary]:
    """Return the boundary cases of a plan's newest version. Call it for a plan without errors."""
    version = max(plan.versions, key=lambda version: version.effective_from)
    compiled = compile_version(version)
    found: list[Boundary] = []
    for benefit in version.body.benefits:
        if benefit.base is not None and benefit.manual is None:
            found += _of_base(plan, version, compiled, benefit)
        elif benefit.per_day is not None:
            found += _of_days(plan, version, compiled, benefit, benefit.per_day)
    return found


@dataclass(frozen=True)
class _Bills:
    """Bills of one set of facts whose only amount is the first that a benefit's base adds."""

    compiled: CompiledPlan
    benefit: BenefitRules
    facts: PlanFacts

    @cached_property
    def amount(self) -> str:
        """The name of the amount that is raised."""
        ensure(self.benefit.base is not None, "a bill by amounts needs a base")
        return self.benefit.base.plus[0]  # type: ignore[union-attr]

    def priced(self, fen: int) -> tuple[int, int]:
        """Return base and aid of the bill with so many fen."""
        return _priced(self.compiled, self.benefit, *_bill(self.amount, fen, self.facts))

    def with_base(self, base: int) -> int | None:
        """Return the amount whose base is so many fen; `None` where what another benefit pays leaps over it."""
        fen = base
        for _ in range(64):
            missing = base - self.priced(fen)[0]
            if missing == 0:
                return fen
            fen = max(0, fen + missing)
        return None

    def first_with_aid(self, aid: int) -> int | None:
        """Return the smallest amount that is paid so much; `None` where no bill is."""
        low, high = 0, LARGEST
        if self.priced(high)[1] < aid:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.priced(middle)[1] >= aid else (middle, high)
        return high


def _of_base(plan: Plan, version: PlanVersion, compiled: CompiledPlan, benefit: BenefitRules) -> Iterator[Boundary]:
    for place, rule in enumerate(benefit.rules):
        for whens in _choices_of(rule):
            facts = reached_facts(plan, version, compiled, benefit, whens)
            if facts is None:
                continue
            bills = _Bills(compiled, benefit, facts)
            borne = sum(amount_for(each.amount, facts) for each in benefit.rules if isinstance(each, Deductible))
            for label, clause, fen in _bounds(bills, rule, place, facts, borne):
                yield from _around(bills, label, clause, fen, facts, whens)


def _choices_of(rule: Rule) -> list[list[When | None]]:
    """Return, for each choice of a rule, its `when` behind those that come before it."""
    if isinstance(rule, Bands):
        whens = [choice.when for choice in rule.choices or ()]
    else:
        by: YuanBy | None = getattr(rule, "amount", None)
        whens = [choice.when for choice in by] if isinstance(by, tuple) else []
    return [whens[: place + 1] for place in range(len(whens))] or [[]]


def _bounds(bills: _Bills, rule: Rule, place: int, facts: PlanFacts, borne: int) -> Iterator[tuple[str, str, int]]:
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
        case TermLimit() | Limit() if any(rule is own for _, own, _ in own_limits(bills.benefit)):
            fen_limit = amount_for(rule.amount or ZERO, facts) * (_shares(bills) if rule.per_share else 1)
            if fen_limit and (fen := bills.first_with_aid(fen_limit)) is not None:
                yield _label(bills, rule, _shares(bills) if rule.per_share else 1), rule.clause, fen


def _around(
    bills: _Bills, label: str, clause: str, fen: int, facts: PlanFacts, whens: list[When | None]
) -> Iterator[Boundary]:
    """Yield the bills a fen below, at, and a fen above a bound."""
    assumed = {} if not whens else _shown_facts(whens, facts)
    for amount in (fen - 1, fen, fen + 1):
        if amount >= 0:
            base, aid = bills.priced(amount)
            given = {bills.amount: Money(amount).yuan(), **assumed}
            yield Boundary(bills.benefit.code, label, clause, given, Money(base), Money(aid))


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
    for label, clause, bound in bounds:
        for days in (bound - 1, bound, bound + 1):
            if days >= 1:
                nights = days - 1 if rule.counting == "both_days" else days
                figures, stay = _bill("allowed", 0, in_hospital(facts, nights))
                base, aid = _priced(compiled, benefit, figures, stay)
                yield Boundary(benefit.code, label, clause, {"days": str(days)}, Money(base), Money(aid))


def _priced(compiled: CompiledPlan, benefit: BenefitRules, figures: BillFigures, facts: PlanFacts) -> tuple[int, int]:
    """Return a benefit's base and aid for a bill, in fen; the parts of a split stay are added up."""
    priced = [each for each in compiled.adjudicate(figures, facts, {}) if each.code == benefit.code]
    return sum(int(each.base) for each in priced), sum(int(each.amount) for each in priced)


def _bill(name: str, fen: int, facts: PlanFacts) -> tuple[BillFigures, PlanFacts]:
    """Return a bill with one amount, and those that it cannot be without."""
    amount = Money(fen)
    own = name if name in CaseAmounts.model_fields and name not in (OTHER_PAID, "stated") else None
    beside = {} if own in ("excluded", "over_limit", "upfront_share") else {"allowed": amount}
    more = {"account_paid": amount} if own == "family_account_paid" else {}
    figures = case_figures(CaseAmounts.model_validate({**beside, **more, **({own: amount} if own else {})}))
    if name in FUNDS:
        figures = replace(figures, funds=InsurerFunds(**{name: amount}), patient_share=ZERO, cash_before_aid=ZERO)
    if name == OTHER_PAID:
        return figures, replace(facts, other_paid=amount)
    if name in facts.stated:
        return figures, replace(facts, stated={**facts.stated, name: amount})
    return figures, facts


def _table(rule: Bands, facts: PlanFacts) -> tuple[Band, ...]:
    if not rule.choices:
        return rule.bands or ()
    return next((choice.bands for choice in rule.choices if fits_facts(choice.when, facts)), ())


def _label(bills: _Bills, rule: Rule, times: int = 1) -> str:
    by: YuanBy | None = getattr(rule, "amount", None)
    amount = None if by is None else Money(amount_for(by, bills.facts) * times)
    return rule_label(rule, amount, None, accumulates=bills.benefit.span is Span.TERM)


def _shares(bills: _Bills) -> int:
    shares = bills.facts.shares or {}
    return shares.get(bills.benefit.module or "", 1)
