"""The worker's examination: a job of its own, because on a large database it lasts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.secrets import KeyRing
from settlement.domain.ids import IdSource
from settlement.services.audit.keep_examination import examine_when_due

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


def examining(ops: AsyncEngine, keys: KeyRing, ids: IdSource) -> Callable[[], Awaitable[float]]:
    """Return the job: examine what is recorded when it is time or somebody asked for it."""

    async def examine() -> float:
        broken = await examine_when_due(ops, keys, ids)
        if broken is not None:
            log.info("worker.examined", invariants_broken=broken)
        return PAUSE_SECONDS

    return examine
