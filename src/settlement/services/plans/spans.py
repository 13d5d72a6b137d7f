"""The service dates on which a version of a plan is in force. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from settlement.db.registry import PublishedVersion


@dataclass(frozen=True, slots=True)
class Span:
    """The service dates on which a version is in force: from `first_day`, and before `until` if that is known."""

    first_day: date
    until: date | None


def span_of(version: str, published: Sequence[PublishedVersion]) -> Span | None:
    """Return when a published version is in force; `None` for one that was corrected.

    `published` is in the order in which versions take each other's place.
    """
    by_start = {known.effective_from: known for known in published}
    first_day = next((known.effective_from for known in published if known.version == version), None)
    if first_day is None or by_start[first_day].version != version:
        return None
    return span_from(first_day, published)


def span_from(first_day: date, published: Sequence[PublishedVersion]) -> Span:
    """Return when a version is in force, or would be, that begins on a day and is the newest of that day."""
    later = [known.effective_from for known in published if known.effective_from > first_day]
    return Span(first_day, min(later, default=None))
