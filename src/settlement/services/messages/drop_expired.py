"""Drop the sealed raw messages whose time is over."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.messages import delete_expired_messages
from settlement.domain.time import Clock

AT_ONCE = 1000
"""So many in one statement, that none runs into the time limit of statements."""


async def drop_expired_messages(ops: AsyncEngine, clock: Clock) -> int:
    """Drop them; return how many. Works as `settlement_ops`, the only login that may."""
    dropped = 0
    while True:
        async with ops.connect() as connection:
            some = await delete_expired_messages(connection, clock(), AT_ONCE)
        dropped += some
        if some < AT_ONCE:
            return dropped
