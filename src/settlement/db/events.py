"""Giving committed events their position, the order in which those who pull see them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import event_position
from settlement.domain.ids import FundId

LONGEST_TRANSACTION = timedelta(days=1)
"""An event's id carries the time of its making; those made up to so long before the last numbered are looked at."""

_NUMBER = text("""
WITH last AS (
    SELECT COALESCE(max(position), 0) AS position FROM event_position WHERE fund_id = :fund_id
), waiting AS (
    SELECT event.event_id, event.bill_id, event.sequence,
           max(event.recorded_at) OVER (PARTITION BY event.bill_id ORDER BY event.sequence) AS at
    FROM event
    WHERE event.fund_id = :fund_id AND event.event_id > :not_before
      AND NOT EXISTS (
          SELECT FROM event_position
          WHERE event_position.fund_id = :fund_id AND event_position.event_id = event.event_id)
), first_of_them AS (
    SELECT event_id, at, bill_id, sequence FROM waiting ORDER BY at, bill_id, sequence LIMIT :most
)
INSERT INTO event_position (fund_id, position, event_id)
SELECT :fund_id, last.position + row_number() OVER (ORDER BY at, bill_id, sequence), event_id
FROM first_of_them, last
""")


async def number_events(connection: AsyncConnection, fund_id: FundId, most: int, *, all_times: bool) -> int:
    """Give up to `most` committed events of a fund the next positions; return how many.

    Looks at those made since a day before the last numbered one (before now, where that one says it is from the
    future), or with `all_times` at every event: a host whose clock was wrong made some with ids far from the others'.
    One at a time per fund: the lock is held until the transaction ends. Within a bill the sequence decides, whatever
    the clocks of two processes said; a bill's second event is never visible without its first.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:fund, 1))"), {"fund": str(fund_id)})
    if all_times:
        return await _number(connection, fund_id, UUID(int=0), most)
    newest = (
        select(event_position.c.event_id, func.now().label("now"))
        .where(event_position.c.fund_id == fund_id)
        .order_by(event_position.c.position.desc())
        .limit(1)
    )
    last = (await connection.execute(newest)).one_or_none()
    not_before = UUID(int=0) if last is None else _made_before(last.event_id, last.now)
    return await _number(connection, fund_id, not_before, most)


async def _number(connection: AsyncConnection, fund_id: FundId, not_before: UUID, most: int) -> int:
    values = {"fund_id": fund_id, "not_before": not_before, "most": most}
    return (await connection.execute(_NUMBER, values)).rowcount


def _made_before(event_id: UUID, now: datetime) -> UUID:
    """Return the least UUIDv7 of the instant `LONGEST_TRANSACTION` before an event's making, or before now."""
    made = min(event_id.int >> 80, int(now.timestamp() * 1000))
    milliseconds = made - int(LONGEST_TRANSACTION.total_seconds() * 1000)
    return UUID(int=max(0, milliseconds) << 80)
