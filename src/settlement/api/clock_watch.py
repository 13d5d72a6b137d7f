"""Watching this machine's clock while the process runs: a metric, a line in the log, and a word at /readyz."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.domain.time import Clock
from settlement.services.clock.compare_clocks import is_apart, measure_clock

PAUSE_SECONDS = 30.0

OFFSET = Gauge(
    "settlement_clock_offset_seconds", "By how much the database's clock is surely ahead of this machine's; 0 is well."
)

log = structlog.get_logger()


@dataclass(slots=True)
class WatchedClock:
    """What was measured last. It settles on while it is apart: the insurer's time decides what a bill gets."""

    offset_seconds: float = 0.0

    @property
    def apart(self) -> bool:
        """Whether somebody must be told."""
        return is_apart(self.offset_seconds)

    async def watch(self, engine: AsyncEngine, clock: Clock, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Measure now and then until cancelled. A database that does not answer leaves what was known."""
        while True:
            measured = await measure_clock(engine, clock)
            if measured is not None:
                self._note(measured)
            await asyncio.sleep(pause_seconds)

    def _note(self, offset_seconds: float) -> None:
        was_apart, self.offset_seconds = self.apart, offset_seconds
        OFFSET.set(offset_seconds)
        if self.apart:
            log.error("clock.apart", offset_seconds=round(offset_seconds, 3))
        elif was_apart:
            log.info("clock.together", offset_seconds=round(offset_seconds, 3))
