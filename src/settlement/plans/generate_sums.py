"""Writes the rules over sums: one function per benefit, from the sums of a span to what each rule makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from settlement.domain.errors import InvariantViolation
from settlement.plans.generate_rates import RateFunction, bands_function, rate_function
from settlement.plans.layout import Layout
from settlement.plans.model import (
    Bands,
    BenefitRules,
    BurdenLimit,
    Franchise,
    Limit,
    Minimum,
    RateRule,
    Rule,
    Span,
    TermLimit,
)
from settlement.plans.model.file import Header
from settlement.plans.source import function_of, yuan_by


@dataclass(frozen=True, slots=True)
class SumsFunction:
    """The generated function of a benefit's sums, the functions it calls by the place of their rule, and its keys."""

    name: str
    source: str
    keys: tuple[str, ...]
    rates: dict[int, RateFunction]
    rules: tuple[int, ...]
    """The places of its rules in the benefit's list, in the order of what it returns after the first."""

    def call(self, base: str, burden: str) -> str:
        """Return the call for sums of bases and burdens."""
        return f"{self.name}({', '.join((base, burden, *self.keys))})"


def is_over_sums(benefit: BenefitRules, rule: Rule, *, splits: bool = False) -> bool:
    """Say whether a rule works on the sums of the benefit's span; the others look at one bill and its room.

    Where stays are split, a limit over the settlement is one of the others: it counts what the parts were paid.
    """
    if isinstance(rule, Franchise | Bands | RateRule | Minimum | BurdenLimit):
        return True
    if benefit.lump_sum is not None and benefit.lump_sum.upgrade:
        return False
    if isinstance(rule, TermLimit):
        return benefit.span is Span.TERM
    if splits and benefit.span is Span.SETTLEMENT:
        return False
    return isinstance(rule, Limit) and rule.amount is not None and rule.over is benefit.span


def sums_function(benefit: BenefitRules, header: Header, outer: Layout) -> SumsFunction:
    """Write `_<benefit>_sums(base, burden, …)`: it returns the base and the amount after each of its rules."""
    layout = outer.part()
    name = function_of(benefit.code, "sums")
    rates: dict[int, RateFunction] = {}
    lines, names, places, due = [], ["base"], [], "base"
    for place, rule in enumerate(benefit.rules):
        if not is_over_sums(benefit, rule, splits=outer.splits):
            continue
        if isinstance(rule, Bands):
            rates[place] = bands_function(function_of(benefit.code, f"bands_{place + 1}"), rule, header, layout)
        elif isinstance(rule, RateRule):
            rates[place] = rate_function(function_of(benefit.code, f"rate_{place + 1}"), rule, header, layout)
        after = f"after_{place + 1}"
        lines.append(f"    {after} = {_after(layout, benefit, rule, names[-1], rates.get(place), due)}{_because(rule)}")
        if isinstance(rule, Franchise):
            due = after
        names.append(after)
        places.append(place)
    keys = outer.absorb(layout)
    head = f"def {name}({', '.join(('base', 'burden', *keys))}):"
    title = '    """Return the sum of bases and what it has become after each rule in turn."""'
    source = "\n".join([head, title, *lines, f"    return ({', '.join(names)},)"])
    return SumsFunction(name, source, keys, rates, tuple(places))


def _because(rule: Rule) -> str:
    clause = getattr(rule, "clause", None)
    return f"  # {clause!r}" if clause else ""


def _after(layout: Layout, benefit: BenefitRules, rule: Rule, before: str, rate: RateFunction | None, due: str) -> str:
    """Write one rule; there is a base at all where `due` is above zero: what a franchise refuses, no minimum raises."""
    if rate is not None:
        return rate.call(before)
    match rule:
        case Franchise():
            sign = ">=" if rule.reached == "at" else ">"
            return f"{before} if {before} {sign} {yuan_by(layout, rule.amount)} else 0"
        case Minimum():
            return f"max({before}, {yuan_by(layout, rule.amount)}) if {due} > 0 else {before}"
        case TermLimit() | Limit():
            return f"min({before}, {limit_amount(layout, benefit, rule)})"
        case _:
            return f"min({before}, max(burden, 0))"


def limit_amount(layout: Layout, benefit: BenefitRules, rule: TermLimit | Limit) -> str:
    """Return a limit's amount in fen, times the shares where it says so."""
    if rule.amount is None:
        raise InvariantViolation(f"a limit of {benefit.code} has no amount")
    amount = yuan_by(layout, rule.amount)
    return f"{amount} * {shares_of(layout, benefit)}" if rule.per_share else amount


def shares_of(layout: Layout, benefit: BenefitRules) -> str:
    """Return the input that holds the shares held of the benefit's module."""
    if benefit.module is None:
        raise InvariantViolation(f"{benefit.code} counts shares and is of no module")
    return layout.shares(benefit.module)
