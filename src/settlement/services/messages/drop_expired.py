"""Drop what is kept for a time only, once that is over: sealed raw messages, and the lines of reconciled lists."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.messages import delete_expired_messages
from settlement.db.reconciliation import delete_expired_lines
from settlement.domain.time import Clock

AT_ONCE = 1000
"""So many in one statement, that none runs into the time limit of statements."""


async def drop_expired_messages(ops: AsyncEngine, clock: Clock) -> int:
    """Drop them; return how many. Works as `settlement_ops`, the only login that may."""
    dropped = 0
    for delete_expired in (delete_expired_messages, delete_expired_lines):
        some = AT_ONCE
        while some == AT_ONCE:
            async with ops.connect() as connection:
                some = await delete_expired(connection, clock(), AT_ONCE)
            dropped += some
    return dropped
