"""This machine's clock beside the database's: apart by more than two seconds it is refused at start, then alerted."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.engine import read_database_clock
from settlement.domain.errors import SettlementError
from settlement.domain.time import Clock, clock_offset_seconds

MOST_APART_SECONDS = 2.0

log = structlog.get_logger()


class ClockApart(SettlementError):
    """This machine's clock and the database's differ by more than two seconds; set both by NTP, then start again."""

    code = "clock_apart"


async def measure_clock(engine: AsyncEngine, clock: Clock) -> float | None:
    """Return by how many seconds the database's clock is surely ahead of ours (negative: behind).

    `None` when the database does not answer. A slow answer widens what is allowed rather than raising an alarm.
    """
    before = clock()
    theirs = await read_database_clock(engine)
    return None if theirs is None else clock_offset_seconds(before, theirs, clock())


async def refuse_clock_apart(engine: AsyncEngine, clock: Clock) -> None:
    """Raise `ClockApart` when the clocks differ too much; a database that does not answer is another's matter."""
    offset = await measure_clock(engine, clock)
    if offset is not None and is_apart(offset):
        raise ClockApart(offset_seconds=round(offset, 1))


def is_apart(offset_seconds: float) -> bool:
    """Say whether two clocks that differ by so much are too far apart."""
    return abs(offset_seconds) > MOST_APART_SECONDS
