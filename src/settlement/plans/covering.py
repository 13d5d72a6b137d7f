"""The cover of a bill's day as facts that a plan asks for; the settle path and worked cases complete them here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import Care
from settlement.domain.cover import CoverOnDay, CoverSpan, cover_on, provisional_cover_on, span_from
from settlement.plans.compile import CompiledPlan
from settlement.plans.facts import states_event
from settlement.plans.model.file import Header
from settlement.plans.terms import month_and_day


def cover_for(spans: Sequence[CoverSpan], header: Header, day: date) -> CoverOnDay | None:
    """Return a member's cover on a day, a provisional one where the plan has it; `None` is no cover."""
    grace = header.continuity.grace_days if header.continuity else 0
    cover = cover_on(spans, day, grace)
    if cover is not None or header.provisional is None:
        return cover
    return provisional_cover_on(spans, day, grace, month_and_day(header.provisional.until))


def of_span(facts: PlanFacts, span: CoverSpan) -> PlanFacts:
    """Return the facts with what roster and unit say of the member in a span."""
    return replace(
        facts, region=span.region, unit_class=span.unit_class, union_member=span.union_member, shares=span.shares
    )


def days_of_cover(plan: CompiledPlan, facts: PlanFacts, spans: Sequence[CoverSpan]) -> Sequence[date]:
    """Return the days on which a bill may be covered: its service date, then the nearest ones within a split stay."""
    day, first, last = _day(plan, facts), facts.admitted_on, facts.discharged_on
    if not plan.splits_stays or facts.care != Care.INPATIENT or states_event(facts) or not first or not last:
        return [day]
    within = [span for span in spans if span.first_day <= last and first <= span.last_day]
    if plan.stay_date == "discharge":
        return [day, *sorted({min(span.last_day, last) for span in within}, reverse=True)]
    return [day, *sorted({max(span.first_day, first) for span in within})]


def is_covered(plan: CompiledPlan, facts: PlanFacts, cover: CoverOnDay) -> bool:
    """Say whether a bill in its place is ours by a cover: on its service date, or on the own date of a part."""
    if cover.span.holds(_day(plan, facts)):
        return True
    return any(part.is_paid and cover.span.holds(part.own_date) for part in plan.parts_of(facts))


def with_cover(plan: CompiledPlan, facts: PlanFacts, cover: CoverOnDay, spans: Sequence[CoverSpan]) -> PlanFacts:
    """Return the facts with what the cover says; the category is that of the day that the plan names."""
    span = cover.span
    covered = replace(
        facts,
        person_category=span.person_category or None,
        cover_first_day=span.first_day,
        cover_last_day=span.last_day,
        covered_since=cover.since,
        returned=cover.returned,
        covers=tuple((each.first_day, each.last_day) for each in (*spans, span)) if plan.splits_stays else None,
    )
    return replace(
        covered,
        person_category=_category(plan, covered, span, spans),
        consecutive_terms=_terms_in_a_row(plan, covered, cover),
    )


def day_of_age(plan: CompiledPlan, facts: PlanFacts) -> date:
    """Return the day on which the plan counts whole years of age; call it for facts that have their cover."""
    return _term_start(plan, facts) if plan.header.age_on == "term_start" else _day(plan, facts)


def _term_start(plan: CompiledPlan, facts: PlanFacts) -> date:
    """Return the first day of the term of the service date, or of the cover's last day where it ended before."""
    day = min(_day(plan, facts), facts.cover_last_day or date.max)
    return min(term.first_day for term in plan.terms(day, facts).values())


def _category(plan: CompiledPlan, facts: PlanFacts, span: CoverSpan, spans: Sequence[CoverSpan]) -> str | None:
    if plan.header.category_on == "term_start":
        span = span_from(spans, _term_start(plan, facts), span)
    return span.person_category or None


def _terms_in_a_row(plan: CompiledPlan, facts: PlanFacts, cover: CoverOnDay) -> int:
    """Return how many terms of the first benefit have been covered without a break, this one included.

    A roster may cut one term into several spans (a change of unit or category); they are one term all the same.
    """
    terms = set()
    for span in cover.row:
        own = replace(facts, cover_first_day=span.first_day, cover_last_day=span.last_day)
        terms.add(plan.terms(span.first_day, own)[plan.benefit_codes[0]].code)
    return len(terms)


def _day(plan: CompiledPlan, facts: PlanFacts) -> date:
    return plan.service_date(facts) or facts.settled_on
