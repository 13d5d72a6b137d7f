"""The worker's re-rating: a job of its own, because it waits for members' locks."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.services.bills.rerate_what_changed import rerate_what_changed
from settlement.services.resources import Resources

PAUSE_SECONDS = 30.0
ROUNDS_BETWEEN_SEARCHES = 120


def rerating(resources: Resources, ops: AsyncEngine) -> Callable[[], Awaitable[float]]:
    """Return the job: look at what may have changed earlier bills' aid, and now and then at all of the past."""
    rounds = itertools.count()

    async def rerate() -> float:
        await rerate_what_changed(resources, ops, all_times=next(rounds) % ROUNDS_BETWEEN_SEARCHES == 0)
        return PAUSE_SECONDS

    return rerate
