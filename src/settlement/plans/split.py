"""A stay over two terms, split by its days: each part has its share of every sum, and together they are the bill's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from settlement.domain.benefits import PlanFacts, Term
from settlement.domain.bills import Care
from settlement.plans.facts import StayDate, nights, service_date, states_event
from settlement.plans.layout import term_of
from settlement.plans.model import TermRule, VersionBody
from settlement.plans.terms import term_on

ONE_DAY = timedelta(days=1)


class Share(NamedTuple):
    """What a part has of a sum of the whole bill: the days before it, those up to its end, and those of the bill."""

    before: int
    up_to: int
    total: int

    def of(self, amount: int) -> int:
        """Return the part's share of a sum, in fen; what does not divide falls to later parts."""
        return share(amount, *self)


WHOLE = Share(0, 1, 1)


def share(amount: int, before: int, up_to: int, total: int) -> int:
    """Return what some of a bill's days have of a sum of the whole bill, in fen; the parts' shares add up to it.

    No share has another sign than the sum, so that parts of nothing are nothing.
    """
    return amount * up_to // total - amount * before // total


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a split stay: its days, its share of the bill's sums, and the facts with its own days."""

    first_day: date
    day: date
    """Its last day; it picks the part's term."""
    own_date: date
    """The date on which it must be covered: its last day, or its first where stays count by their admission."""
    share: Share
    facts: PlanFacts
    is_before_plan: bool
    """Whether its term was over before the fund had a plan at all: nothing was promised for it."""
    is_not_covered: bool
    """Whether its own date is in no span of the member's cover, and it is not of the term of a covered stay's date."""

    @property
    def is_paid(self) -> bool:
        """Whether the plan pays for it at all."""
        return not (self.is_before_plan or self.is_not_covered)


def segments_of(body: VersionBody, stay_date: StayDate, facts: PlanFacts) -> Sequence[Segment]:
    """Return the parts of a stay that lies in several terms of the first benefit; of any other bill none.

    What is stated for an event lies in one term, that of the event's own day or else of the stay's: paid for each part,
    a lump sum would be paid several times.

    The days from admission (or where an earlier bill of the stay ended) to discharge count, both included; every sum
    of the bill's amounts is shared by them.
    """
    first, last = facts.counted_from, facts.discharged_on
    if facts.care != Care.INPATIENT or first is None or last is None or states_event(facts):
        return ()
    rule, total = term_of(body, body.benefits[0]), (last - first).days + 1
    days = [first + number * ONE_DAY for number in range(total)]
    spans = [list(each) for _, each in groupby(days, lambda day: term_on(rule, day, facts))]
    if len(spans) < 2:
        return ()
    of_stay = service_date(stay_date, facts) or last
    home = term_on(rule, of_stay, facts) if _is_covered(facts, of_stay) else None
    return [_segment(rule, stay_date, facts, span, total, home) for span in spans]


def _segment(
    rule: TermRule, stay_date: StayDate, facts: PlanFacts, span: list[date], total: int, home: Term | None
) -> Segment:
    begin, end = span[0], span[-1]
    first, own_date = facts.counted_from or begin, end if stay_date == "discharge" else begin
    term = term_on(rule, end, facts)
    return Segment(
        first_day=begin,
        day=end,
        own_date=own_date,
        share=Share((begin - first).days, (end - first).days + 1, total),
        facts=_own_days(facts, begin, end),
        is_before_plan=facts.plan_since is not None and (term.last_day if term else end) < facts.plan_since,
        is_not_covered=not _is_covered(facts, own_date) and (home is None or term != home),
    )


def _is_covered(facts: PlanFacts, day: date) -> bool:
    """Say whether a day is in a span of the member's cover; where that is not asked for, every day is."""
    return facts.covers is None or any(first <= day <= last for first, last in facts.covers)


def _own_days(facts: PlanFacts, begin: date, end: date) -> PlanFacts:
    """Return the facts of one part; days of the stay that earlier parts hold are days before it."""
    facts = replace(facts, night_before=begin != facts.counted_from, night_after=end != facts.discharged_on)
    if begin == facts.counted_from:
        return replace(facts, discharged_on=end)
    day_before = begin - ONE_DAY
    return replace(
        facts,
        counted_from=day_before,
        discharged_on=end,
        goes_on=True,
        stay_days_before=facts.stay_days_before + nights(replace(facts, discharged_on=day_before)),
        stay_parts_before=facts.stay_parts_before + (0 if facts.goes_on else 1),
    )
