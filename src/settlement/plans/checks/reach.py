"""Which values of a fact a bill can have: of the whole vocabulary, and of the bills that a benefit reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from settlement.plans.checks.survey import Survey
from settlement.plans.model import BenefitRules, Between
from settlement.plans.model.parts import FactValue
from settlement.plans.vocabulary import FACTS, FactKind


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers between two bounds, both included; `None` is no bound."""

    low: int | None
    high: int | None


Reach = frozenset[FactValue] | Numbers
"""The values that a fact can have; codes that no plan lists have no reach at all."""


def reach_of(wanted: tuple[FactValue, ...] | Between) -> Reach:
    """Return the values that a test lets through."""
    return Numbers(wanted.at_least, wanted.at_most) if isinstance(wanted, Between) else frozenset(wanted)


def both(one: Reach | None, other: Reach | None) -> Reach | None:
    """Return the values that lie in both; `None` where nothing is known of either."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, frozenset):
        return frozenset(value for value in one if _holds(other, value))
    if isinstance(other, frozenset):
        return both(other, one)
    low = max((bound for bound in (one.low, other.low) if bound is not None), default=None)
    high = min((bound for bound in (one.high, other.high) if bound is not None), default=None)
    return Numbers(low, high)


def is_empty(reach: Reach | None) -> bool:
    """Say whether there is no value left."""
    if isinstance(reach, Numbers):
        return reach.low is not None and reach.high is not None and reach.low > reach.high
    return reach is not None and not reach


def within(inner: Reach | None, outer: Reach) -> bool:
    """Say whether every value of one reach lies in the other; of an unknown reach nobody can say so."""
    if inner is None:
        return False
    if isinstance(inner, frozenset):
        return all(_holds(outer, value) for value in inner)
    if isinstance(outer, frozenset):
        if inner.low is None or inner.high is None or inner.high - inner.low > len(outer):
            return False
        return all(number in outer for number in range(inner.low, inner.high + 1))
    low = outer.low is None or (inner.low is not None and inner.low >= outer.low)
    return low and (outer.high is None or (inner.high is not None and inner.high <= outer.high))


def reach_by_fact(survey: Survey, benefit: BenefitRules | None) -> Mapping[str, Reach]:
    """Return what the plan's and a benefit's conditions leave of each fact; other facts can be anything."""
    found: dict[str, Reach] = _whole(survey)
    for test in survey.tests:
        if test.is_condition and (test.spot.benefit is None or test.spot.benefit is benefit):
            narrowed = both(found.get(test.fact), reach_of(test.wanted))
            if narrowed is not None:
                found[test.fact] = narrowed
    return found


def only_in_stays(survey: Survey, benefit: BenefitRules) -> bool:
    """Say whether a benefit reaches stays in hospital only."""
    return within(reach_by_fact(survey, benefit).get("care"), frozenset({"inpatient"}))


def is_sound(fact: str, wanted: tuple[FactValue, ...] | Between) -> bool:
    """Say whether a test asks for values that its fact has at all; otherwise other checks speak."""
    known = FACTS.get(fact)
    if known is None or isinstance(wanted, Between):
        return known is not None and known.kind is FactKind.NUMBER and not is_empty(reach_of(wanted))
    return bool(wanted) and all(value in known.words for value in wanted) if known.words else bool(wanted)


def _whole(survey: Survey) -> dict[str, Reach]:
    whole: dict[str, Reach] = {name: fact.words for name, fact in FACTS.items() if fact.words}
    whole |= {name: frozenset({True, False}) for name, fact in FACTS.items() if fact.kind is FactKind.FLAG}
    if survey.header.events:
        whole["event"] = frozenset({"none", *(event.code for event in survey.header.events)})
    return whole


def _holds(reach: Reach, value: FactValue) -> bool:
    if isinstance(reach, frozenset):
        return value in reach
    if not isinstance(value, int):
        return False
    return (reach.low is None or reach.low <= value) and (reach.high is None or value <= reach.high)
