"""Facts that follow from others: the service date, days of cover, days of a stay. Compiled plans call these."""

from __future__ import annotations

from datetime import date
from typing import Literal

from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import Care

StayDate = Literal["discharge", "admission"]


def service_date(stay_date: StayDate, facts: PlanFacts) -> date | None:
    """Return the date that picks plan version and term: of an event its own, of a stay the one that the plan says.

    `None` when it is a stay's and not known.
    """
    if facts.event_on is not None:
        return facts.event_on
    if facts.care != Care.INPATIENT:
        return facts.settled_on
    return facts.discharged_on if stay_date == "discharge" else facts.admitted_on


def states_event(facts: PlanFacts) -> bool:
    """Say whether something that happened to the member is stated: then the bill is of one day and never split."""
    return facts.event_on is not None or facts.event not in (None, "none")


def day_of_test(facts: PlanFacts) -> date:
    """Return the day on which waiting is judged: of an event its own, of a stay the admission, else the settlement."""
    return facts.event_on or (facts.admitted_on if facts.care == Care.INPATIENT else None) or facts.settled_on


def days_covered(facts: PlanFacts) -> int | None:
    """Return which day of unbroken cover the day of test is, the first day being 1; `None` when it is not known."""
    if facts.covered_since is None:
        return None
    return (day_of_test(facts) - facts.covered_since).days + 1


def nights(facts: PlanFacts) -> int:
    """Return the nights that this bill adds to its stay; 0 where there is no stay."""
    if facts.care != Care.INPATIENT or facts.counted_from is None or facts.discharged_on is None:
        return 0
    return max(0, (facts.discharged_on - facts.counted_from).days)


def stay_days(facts: PlanFacts) -> int | None:
    """Return the days of the whole stay so far, both ends counted; `None` when not known, 0 for a visit."""
    if facts.care != Care.INPATIENT:
        return 0
    if facts.counted_from is None or facts.discharged_on is None:
        return None
    parts = facts.stay_parts_before + (0 if facts.goes_on else 1)
    return facts.stay_days_before + nights(facts) + parts


def shares_held(facts: PlanFacts, module: str, basic: bool) -> int:
    """Return the shares held of a module; where the roster names no modules, a basic one is held once."""
    if facts.shares is None:
        return 1 if basic else 0
    return facts.shares.get(module, 0)
