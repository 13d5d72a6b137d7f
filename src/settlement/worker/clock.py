"""The worker's watch over its own clock: what it asks again, closes and lets expire, it does by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.domain.time import Clock
from settlement.services.clock.watched_clock import PAUSE_SECONDS, WatchedClock


def watching(ops: AsyncEngine, clock: Clock) -> Callable[[], Awaitable[float]]:
    """Return the job: measure, and tell the log when the clock is apart from the database's."""
    watched = WatchedClock()

    async def look() -> float:
        await watched.look(ops, clock)
        return PAUSE_SECONDS

    return look
