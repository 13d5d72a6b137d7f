"""Cover over time: which span of a member's cover a day falls in, since when it has gone on without a break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CoverSpan:
    """One span of a member's cover, both days included, with what roster and unit say of the member in it."""

    first_day: date
    last_day: date
    person_category: str
    shares: Mapping[str, int] | None = field(default=None, hash=False)
    union_member: bool | None = None
    unit_class: str | None = None
    region: str | None = None
    unit_code: str | None = None
    renews_from: date | None = None
    """The first day of the newest term for which the unit has announced that it goes on."""

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
    provisional: bool = False
    """Whether the roster has still to confirm it."""


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


def span_from(spans: Sequence[CoverSpan], day: date, otherwise: CoverSpan) -> CoverSpan:
    """Return the span that holds a day, else the first one that begins after it."""
    holding = [span for span in spans if span.holds(day)]
    later = sorted((span for span in spans if span.first_day > day), key=lambda span: span.first_day)
    return holding[-1] if holding else later[0] if later else otherwise


def provisional_cover_on(
    spans: Sequence[CoverSpan], day: date, grace_days: int, until: tuple[int, int]
) -> CoverOnDay | None:
    """Return the cover that a day has until the roster comes: who was covered in the last term stays so for a while.

    `until` is month and day. The last term must have ended before the day, the unit must have announced a term
    that has begun, and the first `until` after the end must not have passed.
    """
    last = max((span for span in spans if span.last_day < day), key=lambda span: span.last_day, default=None)
    if last is None or last.renews_from is None or not last.last_day < last.renews_from <= day:
        return None
    ended = last.last_day + ONE_DAY
    end = _month_day(ended.year, until)
    if end < ended:
        end = _month_day(ended.year + 1, until)
    before = cover_on(spans, last.last_day, grace_days)
    if day > end or before is None:
        return None
    term = replace(last, first_day=last.renews_from, last_day=end)
    return CoverOnDay(term, before.since, before.consecutive_terms + 1, before.returned, provisional=True)


def _month_day(year: int, month_day: tuple[int, int]) -> date:
    month, day = month_day
    try:
        return date(year, month, day)
    except ValueError:  # 29 February
        return date(year, month, day - 1)
