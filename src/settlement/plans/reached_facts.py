"""Facts of a bill that a benefit reaches, made from a file's ordinary facts by changing as little as its tests ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import Care
from settlement.domain.money import ZERO
from settlement.plans.cases import case_facts, covered_facts
from settlement.plans.checks.reach import Numbers, Reach, both, is_empty, reach_by_fact, reach_of
from settlement.plans.checks.survey import Survey
from settlement.plans.choices import fact_of, fits_facts
from settlement.plans.compile import CompiledPlan
from settlement.plans.facts import day_of_test
from settlement.plans.history import BillKeys, place
from settlement.plans.model import BenefitRules, CaseFacts, Plan, PlanVersion, When
from settlement.plans.vocabulary import FACTS, FactKind

ONE_DAY = timedelta(days=1)
_KEYS = BillKeys("H", "boundary")
_LONG_AGO = 3650
_MISSING: Mapping[str, Any] = {"age": 30, "hospital_level": 3, "consecutive_terms": 1, "stay_ordinal": 1}


def reached_facts(
    plan: Plan, version: PlanVersion, compiled: CompiledPlan, benefit: BenefitRules, when: Sequence[When | None]
) -> PlanFacts | None:
    """Return facts of a first bill that a benefit reaches and that fit the last `when` and none before it.

    `None` where they cannot be made from the ordinary facts by changing one fact after another.
    """
    reach = reach_by_fact(Survey(version), benefit)
    ordinary = plan.file.case_facts
    facts = covered_facts(compiled, case_facts(ordinary, CaseFacts()), ordinary, CaseFacts())
    facts = replace(facts, stated={each.code: ZERO for each in plan.header.stated})
    facts = _held(version, benefit, facts)
    for fact, wanted in _wanted(reach, when[-1] if when else None).items():
        facts = with_fact(facts, fact, _nearest_value(fact_of(facts, fact), wanted))
    facts = place(compiled, facts, _KEYS, ()).facts
    facts = _complete(compiled, facts, {} if not when or when[-1] is None else when[-1])
    for earlier in when[:-1]:
        if earlier is not None and fits_facts(earlier, facts):
            facts = next(_escapes(facts, earlier, reach, when), facts)
    fits = not when or (fits_facts(when[-1], facts) and not any(fits_facts(each, facts) for each in when[:-1]))
    return facts if fits else None


def with_fact(facts: PlanFacts, name: str, value: Any) -> PlanFacts:
    """Return the facts with one of them changed, and with what follows from it."""
    match name:
        case "care" if value == Care.INPATIENT:
            left = facts.discharged_on or facts.settled_on
            came = facts.admitted_on or left - 9 * ONE_DAY
            return replace(facts, care=value, setting=value, admitted_on=came, discharged_on=left, counted_from=came)
        case "care":
            return replace(facts, care=value, setting=value, admitted_on=None, discharged_on=None, counted_from=None)
        case "days_covered":
            return replace(facts, covered_since=day_of_test(facts) - (value - 1) * ONE_DAY)
        case "stay_days":
            return in_hospital(facts, value - 1)
        case _:
            return replace(facts, **{name: value})


def in_hospital(facts: PlanFacts, nights: int) -> PlanFacts:
    """Return the facts with a stay of so many nights that ends on the same day."""
    left = facts.discharged_on or facts.settled_on
    return replace(facts, discharged_on=left, admitted_on=left - nights * ONE_DAY, counted_from=left - nights * ONE_DAY)


def _wanted(reach: Mapping[str, Reach], when: When | None) -> dict[str, Reach]:
    """Return what each fact must be; `care` is the vocabulary's first, and the dates of a stay hang on it."""
    wanted = {fact: values for fact, values in reach.items() if FACTS[fact].source is not None}
    for fact, test in (when or {}).items():
        wanted[fact] = both(wanted.get(fact), reach_of(test)) or reach_of(test)
    return wanted


def _nearest_value(value: Any, reach: Reach) -> Any:
    """Return a fact's own value where it will do, or the nearest that does."""
    if isinstance(reach, Numbers):
        number = value if isinstance(value, int) else (reach.low or reach.high or 0)
        number = max(number, reach.low) if reach.low is not None else number
        return min(number, reach.high) if reach.high is not None else number
    return value if value is None or value in reach else min(reach, key=str)


def _held(version: PlanVersion, benefit: BenefitRules, facts: PlanFacts) -> PlanFacts:
    """Return the facts of a member who holds the benefit's module and whose waiting is over."""
    module = version.body.module(benefit.module)
    if module is not None and facts.shares is not None and not facts.shares.get(module.code):
        facts = replace(facts, shares={**facts.shares, module.code: 1})
    elif module is not None and facts.shares is None and not module.basic:
        facts = replace(facts, shares={each.code: 1 for each in version.body.modules})
    return facts if facts.covered_since is None else replace(facts, covered_since=_since(facts))


def _since(facts: PlanFacts) -> date:
    return min(facts.covered_since or facts.settled_on, facts.settled_on - _LONG_AGO * ONE_DAY)


def _complete(compiled: CompiledPlan, facts: PlanFacts, when: When) -> PlanFacts:
    """Fill in what the ordinary facts do not say and a benefit asks for."""
    for _ in range(len(FACTS) + 1):
        missing = compiled.missing_fact(facts)
        if missing is None:
            break
        facts = replace(facts, **_filled(missing, facts))
    if "stay_ordinal" in when:
        facts = replace(facts, stay_ordinal=_nearest_value(1, reach_of(when["stay_ordinal"])))
    return facts


def _filled(name: str, facts: PlanFacts) -> dict[str, Any]:
    """Return a fact that is missing; of a member's own term, which no roster gives, both ends: the year's."""
    if name == "cover_first_day":
        year = facts.settled_on.year
        return {name: date(year, 1, 1), "cover_last_day": date(year, 12, 31)}
    return {name: _ordinary_value(name, facts)}


def _ordinary_value(name: str, facts: PlanFacts) -> Any:
    if name in ("admitted_on", "discharged_on"):
        return facts.settled_on
    if name == "covered_since":
        return _since(facts)
    fact = FACTS.get(name)
    if fact is None or name in _MISSING:
        return _MISSING.get(name)
    return False if fact.kind is FactKind.FLAG else min(fact.words, key=str, default="x")


def _escapes(
    facts: PlanFacts, earlier: When, reach: Mapping[str, Reach], when: Sequence[When | None]
) -> Iterator[PlanFacts]:
    """Yield facts that no longer fit an earlier choice: each differs in one fact that the choice tests."""
    for fact, test in earlier.items():
        for value in _others(reach_of(test), reach.get(fact)):
            changed = with_fact(facts, fact, value)
            if fits_facts(when[-1], changed) and not any(fits_facts(each, changed) for each in when[:-1]):
                yield changed


def _others(inside: Reach, reach: Reach | None) -> Iterator[Any]:
    if isinstance(inside, Numbers):
        beside = [bound for bound in (_plus(inside.low, -1), _plus(inside.high, 1)) if bound is not None and bound >= 1]
        yield from (number for number in beside if not is_empty(both(frozenset({number}), reach)))
    elif isinstance(reach, frozenset):
        yield from sorted(reach - inside, key=str)
    elif all(isinstance(value, int) for value in inside):
        yield max(int(value) for value in inside) + 1
    else:
        yield "other"


def _plus(bound: int | None, more: int) -> int | None:
    return None if bound is None else bound + more
