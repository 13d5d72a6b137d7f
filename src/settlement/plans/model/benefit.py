"""One benefit of a plan: whom it reaches, what it starts from, its rules in their order, and who funds it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settlement.plans.model.membership import TermRule, Waiting
from settlement.plans.model.parts import AmountSum, Clause, Code, Condition, Names, Part, Span, Text, YuanBy
from settlement.plans.model.rules import Bands, LumpSum, PerDay, Rule
from settlement.plans.values import Rate, Yuan


class Accumulation(Part):
    """The span whose sums the rules see: each bill by itself, what belongs together, or the whole term."""

    over: Span
    clause: Clause


class Manual(Part):
    """What a person decides: the bill lands on the worklist, where there is a threshold once the bases reach it."""

    threshold: Yuan | None = None
    clause: Clause
    label: Text


class FundingShare(Part):
    """What one purse bears of a benefit; the last one bears the rest."""

    purse: Code
    rate: Rate | None = None


class BenefitRules(Part):
    """One benefit. It pays a part of the bill (`base`), for days (`per_day`), a fixed sum (`lump_sum`), or by a person.

    What the module declares (term, waiting) holds unless the benefit declares its own.
    """

    code: Code
    names: Names
    module: Code | None = None
    conditions: tuple[Condition, ...] = ()
    base: Annotated[AmountSum | None, Field(description="Of one bill; below zero it counts as zero.")] = None
    burden: Annotated[AmountSum | None, Field(description="What the member bears of one bill.")] = None
    per_day: PerDay | None = None
    lump_sum: LumpSum | None = None
    manual: Manual | None = None
    term: TermRule | None = None
    waiting: Waiting | None = None
    accumulation: Accumulation | None = None
    rules: tuple[Rule, ...] = ()
    funding: tuple[FundingShare, ...] = ()

    @property
    def starts_from(self) -> str:
        """What the benefit starts from: `manual`, `per_day`, `lump_sum` or `base`."""
        return next((kind for kind in ("manual", "per_day", "lump_sum") if getattr(self, kind) is not None), "base")

    @property
    def span(self) -> Span:
        """The span whose sums the rules see."""
        return Span.SETTLEMENT if self.accumulation is None else self.accumulation.over

    @property
    def bands(self) -> Bands | None:
        """The bands among the rules, if there are any."""
        return next((rule for rule in self.rules if isinstance(rule, Bands)), None)


class GroupLimit(Part):
    """What several benefits, a module, the whole plan or all of the fund's plans pay together at most in a span."""

    code: Code
    names: Names
    of: Annotated[
        tuple[Code, ...] | Literal["all", "all_plans"],
        Field(description="Codes of benefits, `all` of this plan, or `all_plans` of the fund."),
    ]
    over: Span
    amount: YuanBy | None = None
    burden: Annotated[AmountSum | None, Field(description="Instead of an amount: what the member bears.")] = None
    clause: Clause


class Purse(Part):
    """A purse that bears a part of what is paid."""

    code: Code
    names: Names
    clause: Clause
