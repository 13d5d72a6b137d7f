"""Run a business date: compare its lists with our records, confirm what agrees, look at the days beside it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from settlement.db import reconciling
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import lock_reconciliation
from settlement.db.reconciling import Compared, Lists, Run
from settlement.gateway.readings import QuestionCode
from settlement.services.bills.commands import Caller
from settlement.services.resources import Resources
from settlement.services.transactions import run as run_transaction

BY_BUREAU_FILE = "bureau_file"
LINES_CONFIRMED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class DayRun:
    """A day as it was run: which lists there were, what came out, and how many brought bills were confirmed by it."""

    run_id: UUID
    day: date
    lists: Lists
    compared: Compared
    confirmed_count: int
    neighbours: tuple[date, ...]
    """Days beside it that were run again, since what was missing on them may stand in this day's list."""


async def run_day(resources: Resources, caller: Caller, day: date) -> DayRun:
    """Compare a day, and the days beside it that have been run before.

    Running it again changes nothing unless a list or a record changed: an open break is not opened twice, and one that
    is gone is closed. Raises what `run` raises.
    """
    ran, compared, lists = await _compare(resources, caller, day)
    confirmed = await _confirm(resources, ran, lists.bureau_import_id) if lists.bureau_import_id else 0
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        neighbours = await reconciling.list_neighbouring_runs(connection, caller.fund_id, day)
    for neighbour in neighbours:
        await _compare(resources, caller, neighbour)
    return DayRun(ran.run_id, day, lists, compared, confirmed, tuple(neighbours))


async def _compare(resources: Resources, caller: Caller, day: date) -> tuple[Run, Compared, Lists]:
    async def transaction() -> tuple[Run, Compared, Lists]:
        at = resources.clock()
        ran = Run(caller.fund_id, resources.ids.new(), day, caller.client_id, at, at - resources.keep_messages)
        async with fund_transaction(resources.engine, caller.fund_id) as connection:
            await lock_reconciliation(connection, caller.fund_id)
            lists = await reconciling.read_lists(connection, ran)
            compared = await reconciling.compare_day(connection, ran, lists, [code.value for code in QuestionCode])
        return ran, compared, lists

    return await run_transaction(transaction)


async def _confirm(resources: Resources, ran: Run, import_id: UUID) -> int:
    """Confirm what agrees, in transactions that hold some bills for a moment each; killed between two, a rerun goes on.

    The lines keep the numbers that they have in the file, so the last number is asked for.
    """
    async with fund_transaction(resources.engine, ran.fund_id) as connection:
        last = await reconciling.find_last_line(connection, ran.fund_id, import_id)

    async def transaction(after: int) -> int:
        async with fund_transaction(resources.engine, ran.fund_id) as connection:
            until = after + LINES_CONFIRMED_AT_ONCE
            return await reconciling.confirm_agreed(connection, ran, import_id, BY_BUREAU_FILE, after, until)

    starts = range(0, last, LINES_CONFIRMED_AT_ONCE)
    return sum([await run_transaction(partial(transaction, after)) for after in starts])
