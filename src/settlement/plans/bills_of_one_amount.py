"""Bills of one amount, to see a plan at its bounds: what a benefit makes of them, and which lands on a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.errors import ensure
from settlement.domain.money import ZERO, Money
from settlement.plans.cases import case_figures
from settlement.plans.compile import CompiledPlan
from settlement.plans.model import BenefitRules, CaseAmounts
from settlement.plans.vocabulary import FUNDS, OTHER_PAID

LARGEST = 100_000_000_00
"""The largest amount that is tried, in fen: a hundred million yuan."""


@dataclass(frozen=True)
class Bills:
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
        return priced(self.compiled, self.benefit, *bill_of(self.amount, fen, self.facts))

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


def priced(compiled: CompiledPlan, benefit: BenefitRules, figures: BillFigures, facts: PlanFacts) -> tuple[int, int]:
    """Return a benefit's base and aid for a bill, in fen; the parts of a split stay are added up."""
    own = [each for each in compiled.adjudicate(figures, facts, {}) if each.code == benefit.code]
    return sum(int(each.base) for each in own), sum(int(each.amount) for each in own)


def bill_of(name: str, fen: int, facts: PlanFacts) -> tuple[BillFigures, PlanFacts]:
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
