"""Instants and Chinese calendar dates. Time enters as an argument or through a `Clock`; nothing here reads one."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

Clock = Callable[[], datetime]
"""Returns the present instant, aware, in UTC."""

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one offset, without summer time, since 1991."""


def china_date(instant: datetime) -> date:
    """Return the Chinese calendar date of an aware instant."""
    return instant.astimezone(CHINA).date()


def from_china(wall_clock: datetime) -> datetime:
    """Return the instant at which clocks in China show this naive wall-clock time."""
    return wall_clock.replace(tzinfo=CHINA)


def clock_offset_seconds(before: datetime, theirs: datetime, after: datetime) -> float:
    """Return by how many seconds another clock is surely ahead of ours (negative: behind).

    It was read between our `before` and `after`: what lies between them is in agreement, however long that was.
    """
    if theirs > after:
        return (theirs - after).total_seconds()
    return min(0.0, (theirs - before).total_seconds())
