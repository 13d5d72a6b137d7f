"""What each benefit of a bill started from: the amounts that its base adds and takes off, or the days of the stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from settlement.domain.benefits import Benefit, PlanFacts
from settlement.domain.bills import BillFigures
from settlement.domain.money import ZERO, Money
from settlement.plans.choices import clause_for
from settlement.plans.compile import CompiledPlan
from settlement.plans.labels import AMOUNT_NAMES
from settlement.plans.model import BenefitRules
from settlement.plans.source import summed
from settlement.plans.split import WHOLE, Share
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
    parts = [(part.share, part.facts) for part in compiled.parts_of(facts)] or [(WHOLE, facts)]
    found: list[Origin] = []
    for number, (share, own_facts) in enumerate(parts):
        first = number * len(compiled.benefits)
        aid = {benefit.code: benefit.amount for benefit in benefits[first : first + len(compiled.benefits)]}
        found += [_origin(compiled, rules, figures, own_facts, share, aid) for rules in compiled.benefits]
    return tuple(found)


def _origin(
    compiled: CompiledPlan,
    rules: BenefitRules,
    figures: BillFigures,
    facts: PlanFacts,
    share: Share,
    aid: Mapping[str, Money],
) -> Origin:
    if rules.base is None:
        fixed = rules.lump_sum
        return Origin(rules, (), None if fixed is None else clause_for(fixed, facts) or fixed.clause)
    plus, minus = summed(rules.base, compiled.header)
    signed = [
        (name, sign * _amount(name, figures, facts, aid)) for sign, names in ((1, plus), (-1, minus)) for name in names
    ]
    own = _shared([amount for name, amount in signed if not name.startswith(AID)], share)
    amounts = [_named(compiled, name, amount if name.startswith(AID) else next(own)) for name, amount in signed]
    return Origin(rules, tuple(amounts), rules.base.clause)


def _shared(amounts: Sequence[int], share: Share) -> Iterator[int]:
    """Yield a part's shares of the amounts of a sum; the first has the fen by which they miss the share of the sum."""
    shares = [share.of(amount) for amount in amounts]
    rest = share.of(sum(amounts)) - sum(shares)
    yield from (each if place else each + rest for place, each in enumerate(shares))


def _amount(name: str, figures: BillFigures, facts: PlanFacts, aid: Mapping[str, Money]) -> int:
    if name.startswith(AID):
        return int(aid[name.removeprefix(AID)])
    if name == OTHER_PAID:
        return int(facts.other_paid)
    if name in AMOUNT_NAMES:
        return int(getattr(figures.funds if name in FUNDS else figures, name))
    return int(facts.stated.get(name, ZERO))


def _named(compiled: CompiledPlan, name: str, fen: int) -> NamedAmount:
    amount = Money(fen)
    if name.startswith(AID):
        code = name.removeprefix(AID)
        names = next(benefit.names for benefit in compiled.benefits if benefit.code == code)
        return NamedAmount(f"「{names.zh}」已付", f"paid by {names.en}", amount)
    if name in AMOUNT_NAMES:
        return NamedAmount(*AMOUNT_NAMES[name], amount)
    stated = next(each.names for each in compiled.header.stated if each.code == name)
    return NamedAmount(stated.zh, stated.en, amount)
