"""Cover over time: which span of a member's cover a day falls in, since when it has gone on without a break."""

from __future__ import annotations

from calendar import monthrange
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
    """The first day of the first term after the span for which the unit has announced that it goes on."""

    def holds(self, day: date) -> bool:
        """Say whether a day lies in the span."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class CoverOnDay:
    """The cover of one day: its span, and the spans that go on without a break up to it, the newest first."""

    span: CoverSpan
    row: tuple[CoverSpan, ...]
    returned: bool
    """Whether there was cover before a break."""
    provisional: bool = False
    """Whether the roster has still to confirm it."""

    @property
    def since(self) -> date:
        """The first day of unbroken cover."""
        return min(span.first_day for span in self.row)


def cover_on(spans: Sequence[CoverSpan], day: date, grace_days: int) -> CoverOnDay | None:
    """Return the cover of a day; of spans that overlap, the one given last counts. `None` is no cover.

    Up to `grace_days` between the end of one span and the start of the next are no break.
    """
    current = next((span for span in reversed(spans) if span.holds(day)), None)
    if current is None:
        return None
    rows = _unbroken([span for span in spans if span.first_day < current.first_day], grace_days)
    if rows and _joins(rows[-1], current.first_day, grace_days):
        return CoverOnDay(current, (current, *reversed(rows[-1])), returned=len(rows) > 1)
    return CoverOnDay(current, (current,), returned=bool(rows))


def _unbroken(spans: Sequence[CoverSpan], grace_days: int) -> list[list[CoverSpan]]:
    """Return spans in rows without a break, the oldest first. A span within a longer one ends nothing."""
    rows: list[list[CoverSpan]] = []
    for span in sorted(spans, key=lambda each: each.first_day):
        if rows and _joins(rows[-1], span.first_day, grace_days):
            rows[-1].append(span)
        else:
            rows.append([span])
    return rows


def _joins(row: Sequence[CoverSpan], first_day: date, grace_days: int) -> bool:
    """Say whether what begins on a day goes on from a row without a break."""
    return first_day <= max(span.last_day for span in row) + timedelta(days=grace_days + 1)


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
    if day > end:
        return None
    term = replace(last, first_day=last.renews_from, last_day=end)
    cover = cover_on([*spans, term], day, grace_days)
    return None if cover is None else replace(cover, provisional=True)


def _month_day(year: int, month_day: tuple[int, int]) -> date:
    month, day = month_day
    return date(year, month, min(day, monthrange(year, month)[1]))
