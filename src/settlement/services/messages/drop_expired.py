"""Drop the sealed raw messages whose time is over."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.messages import delete_expired_messages
from settlement.domain.time import Clock


async def drop_expired_messages(ops: AsyncEngine, clock: Clock) -> int:
    """Drop them; return how many. Works as `settlement_ops`, the only login that may."""
    async with ops.connect() as connection:
        return await delete_expired_messages(connection, clock())
