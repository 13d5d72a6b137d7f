"""Cover over time: which span of a member's cover a day falls in, since when it has gone on without a break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class CoverSpan:
    """One span of a member's cover, both days included, with what the roster says of the member in it."""

    first_day: date
    last_day: date
    person_category: str
    shares: Mapping[str, int] | None = field(default=None, hash=False)
    union_member: bool | None = None
    unit_class: str | None = None
    region: str | None = None

    def holds(self, day: date) -> bool:
        """Say whether a day lies in the span."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class CoverOnDay:
    """The cover of one day: its span, the first day of unbroken cover, and how many spans in a row that makes."""

    span: CoverSpan
    since: date
    consecutive_terms: int
    returned: bool
    """Whether there was cover before a break."""


def cover_on(spans: Sequence[CoverSpan], day: date, grace_days: int) -> CoverOnDay | None:
    """Return the cover of a day; of spans that overlap, the one given last counts. `None` is no cover.

    Up to `grace_days` between the end of one span and the start of the next are no break.
    """
    current = next((span for span in reversed(spans) if span.holds(day)), None)
    if current is None:
        return None
    since, terms = current.first_day, 1
    for span in sorted(spans, key=lambda each: each.first_day, reverse=True):
        if span.first_day >= since:
            continue
        if span.last_day + timedelta(days=grace_days + 1) < since:
            return CoverOnDay(current, since, terms, returned=True)
        since, terms = span.first_day, terms + 1
    return CoverOnDay(current, since, terms, returned=False)
