"""What is measured of this machine's clock, as a metric; `/readyz` says a word of it, too."""

from __future__ import annotations

import asyncio

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.domain.time import Clock
from settlement.services.clock.watched_clock import PAUSE_SECONDS, WatchedClock

OFFSET = Gauge(
    "settlement_clock_offset_seconds", "By how much the database's clock is surely ahead of this machine's; 0 is well."
)


async def watch_clock(
    watched: WatchedClock, engine: AsyncEngine, clock: Clock, pause_seconds: float = PAUSE_SECONDS
) -> None:
    """Measure now and then until cancelled."""
    while True:
        await watched.look(engine, clock)
        OFFSET.set(watched.offset_seconds)
        await asyncio.sleep(pause_seconds)
