"""What must be known of a bill before a benefit can be computed: fields of `PlanFacts` and stated amounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from settlement.plans.generate_benefit import conditions_of
from settlement.plans.layout import splits, term_of
from settlement.plans.model import BenefitRules, GroupLimit, Modifier, PlanVersion, Span, When
from settlement.plans.model.membership import OwnCover
from settlement.plans.vocabulary import FACTS

STAY_DATE_FACTS = {"discharge": "discharged_on", "admission": "admitted_on"}
DATES_OF_A_STAY = frozenset({"admitted_on", "discharged_on", "counted_from"})
"""Fields that only a stay has; for a visit they are not missed."""


def facts_needed(version: PlanVersion, benefit: BenefitRules) -> tuple[str, ...]:
    """Return the fields without which a benefit cannot be computed, the stay's date first."""
    asked = _fields_of(facts_asked(version, benefit))
    return tuple(dict.fromkeys([_stay_date(version), *asked, *_of_days_and_term(version, benefit)]))


def _stay_date(version: PlanVersion) -> str:
    return STAY_DATE_FACTS[version.header.stay_date]


def _fields_of(facts: Iterable[str]) -> list[str]:
    """Return the fields that facts need; the day from which a stay counts follows from its admission."""
    fields = [field for fact in facts for field in FACTS[fact].needs]
    return ["admitted_on" if field == "counted_from" else field for field in fields]


def _of_days_and_term(version: PlanVersion, benefit: BenefitRules) -> list[str]:
    """Return the fields without which the days that a benefit pays, or its term, are not known."""
    days = ["admitted_on", "discharged_on"] if benefit.per_day is not None or splits(version.header) else []
    return [*days, *(["cover_first_day"] if isinstance(term_of(version.body, benefit), OwnCover) else [])]


def asked_when(version: PlanVersion, benefit: BenefitRules) -> Mapping[str, tuple[When, ...]]:
    """Return the fields that only conditions with a `when` ask for, each with those: no other bill needs them."""
    always = {_stay_date(version), *_of_days_and_term(version, benefit), *_fields_of(_asked_of_all(version, benefit))}
    whens: dict[str, tuple[When, ...]] = {}
    for condition in conditions_of(version, benefit):
        for field in () if condition.when is None else _fields_of([condition.fact]):
            whens[field] = (*whens.get(field, ()), condition.when or {})
    return {field: when for field, when in whens.items() if field not in always}


def facts_asked(version: PlanVersion, benefit: BenefitRules) -> tuple[str, ...]:
    """Return every fact that a benefit's conditions, choices and waiting ask for."""
    facts = [condition.fact for condition in conditions_of(version, benefit)]
    return tuple(dict.fromkeys([*facts, *_asked_of_all(version, benefit)]))


def _asked_of_all(version: PlanVersion, benefit: BenefitRules) -> tuple[str, ...]:
    """Return the facts that are asked of every bill which the benefit could reach."""
    conditions = conditions_of(version, benefit)
    facts = [condition.fact for condition in conditions if condition.when is None]
    facts += [fact for condition in conditions for fact in condition.when or ()]
    module = version.body.module(benefit.module)
    waiting = benefit.waiting or (module.waiting if module else None)
    if waiting is not None:
        facts += ["days_covered", *(["accident"] if waiting.waived_for_accidents else [])]
    facts += _chosen_by(benefit)
    for limit in _limits_of(version, benefit):
        facts += _chosen_by(limit)
    return tuple(dict.fromkeys(facts))


def _limits_of(version: PlanVersion, benefit: BenefitRules) -> list[GroupLimit]:
    return [limit for limit in version.body.limits if isinstance(limit.of, str) or benefit.code in limit.of]


def stated_needed(version: PlanVersion, benefit: BenefitRules) -> tuple[str, ...]:
    """Return the stated amounts that a benefit or a limit over it counts, and that hold the bill when not stated."""
    held = {stated.code for stated in version.header.stated if stated.if_not_stated == "hold"}
    sums = [amounts for amounts in (benefit.base, benefit.burden) if amounts is not None]
    sums += [limit.burden for limit in _limits_of(version, benefit) if limit.burden is not None]
    named = [name for amounts in sums for name in (*amounts.plus, *amounts.minus)]
    return tuple(dict.fromkeys(name for name in named if name in held))


def facts_of_version(version: PlanVersion) -> frozenset[str]:
    """Return every fact that a version asks for, merging its stays included."""
    asked = {fact for benefit in version.body.benefits for fact in facts_asked(version, benefit)}
    merges = version.header.stays is not None and version.header.stays.same == "diagnosis"
    return frozenset(asked | {"diagnosis"}) if merges else frozenset(asked)


def counts_stays(version: PlanVersion) -> bool:
    """Say whether a version asks which stay this is, or which days of it: then the records keep its stays."""
    asked = facts_of_version(version)
    if splits(version.header) or any(benefit.per_day is not None for benefit in version.body.benefits):
        return True
    return not asked.isdisjoint({"stay_ordinal", "stay_days"}) or Span.STAY.value in _spans(version.body)


def _spans(part: object) -> Iterator[str]:
    for model in _parts(part):
        for name in ("over", "once_per"):
            if isinstance(span := getattr(model, name, None), Span):
                yield span.value


def _chosen_by(part: BaseModel) -> list[str]:
    """Return the facts that choices and modifiers anywhere below a part ask for."""
    facts: list[str] = []
    for model in _parts(part):
        facts += list(getattr(model, "when", None) or ())
        if isinstance(model, Modifier) and model.per is not None:
            facts.append(model.per)
    return facts


def _parts(value: Any) -> Iterator[BaseModel]:
    """Walk through a part of a plan and all parts below it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
