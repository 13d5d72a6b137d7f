"""Watching this machine's clock while a process runs: it works on while it is apart, and somebody is told."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.domain.time import Clock
from settlement.services.clock.compare_clocks import is_apart, measure_clock

PAUSE_SECONDS = 30.0

log = structlog.get_logger()


@dataclass(slots=True)
class WatchedClock:
    """What was measured last. Bills are settled on while it is apart: the insurer's time decides what one gets."""

    offset_seconds: float = 0.0

    @property
    def apart(self) -> bool:
        """Whether somebody must be told."""
        return is_apart(self.offset_seconds)

    async def look(self, engine: AsyncEngine, clock: Clock) -> None:
        """Measure once, and say so in the log. A database that does not answer leaves what was known."""
        measured = await measure_clock(engine, clock)
        if measured is None:
            return
        was_apart, self.offset_seconds = self.apart, measured
        if self.apart:
            log.error("clock.apart", offset_seconds=round(measured, 3))
        elif was_apart:
            log.info("clock.together", offset_seconds=round(measured, 3))
