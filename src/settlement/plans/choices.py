"""Which of several choices fits a bill: the words of a step need it; the amounts come from the generated function."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

from settlement.domain.benefits import PlanFacts
from settlement.domain.money import Money
from settlement.plans.facts import days_covered, stay_days
from settlement.plans.model import Between, RateBy, When, YuanBy
from settlement.plans.model.parts import Choice

C = TypeVar("C", bound=Choice[Any])
_DERIVED = {"days_covered": days_covered, "stay_days": stay_days}


def fact_of(facts: PlanFacts, name: str) -> object:
    """Return a fact by its name in the plan file."""
    derived = _DERIVED.get(name)
    return derived(facts) if derived else getattr(facts, name)


def fits_facts(when: When | None, facts: PlanFacts | None) -> bool:
    """Say whether all facts of a `when` fit; no `when` always does, and so do no facts."""
    return when is None or facts is None or all(_fits(fact_of(facts, name), wanted) for name, wanted in when.items())


def clause_for(rule: object, facts: PlanFacts | None) -> str | None:
    """Return the clause of the choice that a rule takes for a bill, where its value is a choice that has one."""
    for by in (getattr(rule, "amount", None), getattr(rule, "rate", None)):
        if isinstance(by, tuple):
            choice = _taken(by, facts)
            return str(choice.clause) if choice.clause else None
    return None


def amount_for(by: YuanBy, facts: PlanFacts | None) -> Money:
    """Return the amount that holds for a bill, in fen."""
    return _taken(by, facts).value if isinstance(by, tuple) else by


def rate_for(by: RateBy, facts: PlanFacts | None) -> Fraction:
    """Return the rate that holds for a bill, before modifiers."""
    return _taken(by, facts).value if isinstance(by, tuple) else by


def _taken(choices: tuple[C, ...], facts: PlanFacts | None) -> C:
    """Return the first choice that fits; the last one holds otherwise."""
    *tested, last = choices
    return next((choice for choice in tested if fits_facts(choice.when, facts)), last)


def _fits(value: object, wanted: tuple[object, ...] | Between) -> bool:
    if not isinstance(wanted, Between):
        return value in wanted
    if not isinstance(value, int):
        return False
    low = wanted.at_least is None or wanted.at_least <= value
    return low and (wanted.at_most is None or value <= wanted.at_most)
