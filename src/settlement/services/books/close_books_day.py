"""Close a fund's books day: what was recorded is in it, what is recorded from now on is in the next."""

from __future__ import annotations

import asyncio
from datetime import datetime, time

from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.books import close_open_day, list_open_days, lock_books
from settlement.db.engine import fund_transaction
from settlement.domain.books import is_due
from settlement.domain.errors import SettlementError
from settlement.domain.ids import FundId
from settlement.domain.time import china_date, from_china
from settlement.services.resources import Resources

WAIT_MILLISECONDS = 500
"""So long at most new settlements of the fund stand behind a close that waits for a slow one."""
TRIES = 10


class BooksClosedToday(SettlementError):
    """The fund has closed a books day on this date in China already; the next is closed on another date."""

    code = "books_closed_today"


class BooksBusy(SettlementError):
    """A transaction kept the books day open longer than a close waits; nothing was changed, close it again."""

    code = "books_busy"


async def close_books_day(resources: Resources, fund_id: FundId, tries: int = TRIES) -> int:
    """Close the open books day and open the next; return the number of the closed one.

    Of two who close at once one does, the other gets `BooksClosedToday`: a fund closes once a date in China. Waits for
    settlements under way, half a second at a time; raises `BooksBusy` when none of the tries was enough.
    """
    for left in reversed(range(tries)):
        try:
            closed = await _close(resources, fund_id)
        except OperationalError as refused:
            if not isinstance(refused.orig, LockNotAvailable):
                raise
            if left:
                await asyncio.sleep(WAIT_MILLISECONDS / 1000)
            continue
        if closed is None:
            raise BooksClosedToday
        return closed
    raise BooksBusy


async def close_due_books_days(resources: Resources, ops: AsyncEngine, close_at: time) -> list[tuple[FundId, int]]:
    """Close the open day of every fund whose hour has come; return what was closed.

    `close_at` is an hour in China. Each fund is a transaction of its own; a fund that is busy is closed in a later
    round. `ops` is the login that sees every fund.
    """
    now = resources.clock()
    async with ops.connect() as connection:
        due = [day.fund_id for day in await list_open_days(connection) if is_due(day, now, close_at)]
    closed = []
    for fund_id in due:
        try:
            closed.append((fund_id, await close_books_day(resources, fund_id, tries=1)))
        except (BooksClosedToday, BooksBusy):
            continue
    return closed


async def _close(resources: Resources, fund_id: FundId) -> int | None:
    async with fund_transaction(resources.engine, fund_id) as connection:
        await lock_books(connection, fund_id, WAIT_MILLISECONDS)
        at = resources.clock()
        return await close_open_day(connection, fund_id, at, _beginning_of(at))


def _beginning_of(at: datetime) -> datetime:
    return from_china(datetime.combine(china_date(at), time()))
