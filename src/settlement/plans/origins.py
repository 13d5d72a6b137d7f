"""What each benefit of a bill started from: the amounts that its base adds and takes off, or the days of the stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from settlement.domain.benefits import Benefit, PlanFacts
from settlement.domain.bills import BillFigures
from settlement.domain.money import ZERO, Money
from settlement.plans.choices import clause_for
from settlement.plans.compile import CompiledPlan
from settlement.plans.labels import AMOUNT_NAMES
from settlement.plans.model import BenefitRules
from settlement.plans.source import summed
from settlement.plans.vocabulary import AID, FUNDS, OTHER_PAID


@dataclass(frozen=True, slots=True)
class NamedAmount:
    """One amount of a sum in both languages; it is negative where the sum takes it off."""

    zh: str
    en: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Origin:
    """What a benefit started from: its rules, the amounts of its base, and the clause of a fixed sum."""

    rules: BenefitRules
    amounts: tuple[NamedAmount, ...]
    clause: str | None


def origins(
    compiled: CompiledPlan, figures: BillFigures, facts: PlanFacts, benefits: Sequence[Benefit]
) -> tuple[Origin, ...]:
    """Return what each benefit of an adjudicated bill started from, in their order; parts of a stay have their own."""
    parts = [(part.figures, part.facts) for part in compiled.parts_of(figures, facts)] or [(figures, facts)]
    found: list[Origin] = []
    for number, (own, own_facts) in enumerate(parts):
        first = number * len(compiled.benefits)
        aid = {benefit.code: benefit.amount for benefit in benefits[first : first + len(compiled.benefits)]}
        found += [_origin(compiled, rules, own, own_facts, aid) for rules in compiled.benefits]
    return tuple(found)


def _origin(
    compiled: CompiledPlan, rules: BenefitRules, figures: BillFigures, facts: PlanFacts, aid: Mapping[str, Money]
) -> Origin:
    if rules.base is None:
        fixed = rules.lump_sum
        return Origin(rules, (), None if fixed is None else clause_for(fixed, facts) or fixed.clause)
    plus, minus = summed(rules.base, compiled.header)
    amounts = [_named(compiled, name, _amount(name, figures, facts, aid)) for name in plus]
    amounts += [_named(compiled, name, Money(-_amount(name, figures, facts, aid))) for name in minus]
    return Origin(rules, tuple(amounts), rules.base.clause)


def _amount(name: str, figures: BillFigures, facts: PlanFacts, aid: Mapping[str, Money]) -> Money:
    if name.startswith(AID):
        return aid[name.removeprefix(AID)]
    if name == OTHER_PAID:
        return facts.other_paid
    if name in AMOUNT_NAMES:
        return Money(getattr(figures.funds if name in FUNDS else figures, name))
    return facts.stated.get(name, ZERO)


def _named(compiled: CompiledPlan, name: str, amount: Money) -> NamedAmount:
    if name.startswith(AID):
        code = name.removeprefix(AID)
        names = next(benefit.names for benefit in compiled.benefits if benefit.code == code)
        return NamedAmount(f"「{names.zh}」已付", f"paid by {names.en}", amount)
    if name in AMOUNT_NAMES and name not in compiled.stated:
        return NamedAmount(*AMOUNT_NAMES[name], amount)
    stated = next(each.names for each in compiled.header.stated if each.code == name)
    return NamedAmount(stated.zh, stated.en, amount)
