"""Re-rating by itself: whatever may have changed what earlier bills would get is looked at once.

The mark of a cause is written in the transaction that proposes or applies what it leads to, under the member's lock: so
two workers look once, and one that is killed leaves the whole look to the next round.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.engine import fund_transaction
from settlement.db.registry import list_funds
from settlement.db.rerating import COVERED, Cause, add_look, list_causes, was_looked_at
from settlement.db.settling import lock_member, take_books_day
from settlement.domain.errors import SettlementError
from settlement.domain.ids import ClientId, FundId
from settlement.gateway.profile import ProfileError
from settlement.services.bills.commands import Caller
from settlement.services.bills.decide_rerating import propose_under_lock
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.settle_covered import settle_covered
from settlement.services.bills.work import Work
from settlement.services.resources import Resources
from settlement.services.transactions import DATABASE_FAILURES, run

ACTOR = "rerating"
AT_ONCE = 200
LOOKED_BACK = timedelta(days=3)
"""A place is kept until the end of the next day in China; older causes are found where all times are looked at."""
ALL_TIMES = datetime(2000, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


async def rerate_what_changed(resources: Resources, ops: AsyncEngine, *, all_times: bool = False) -> int:
    """Look at the causes of the last three days that nobody looked at, with `all_times` at all; return how many.

    What cannot be looked at now, because the member is busy or the database away, is left to the next round.
    """
    async with ops.connect() as connection:
        funds = await list_funds(connection)
    return sum([await _rerate_fund(resources, fund.fund_id, all_times=all_times) for fund in funds])


async def _rerate_fund(resources: Resources, fund_id: FundId, *, all_times: bool) -> int:
    caller = Caller(ClientId(f"{fund_id}.{ACTOR}"), fund_id, frozenset())
    looked, now = 0, resources.clock()
    since = ALL_TIMES if all_times else now - LOOKED_BACK
    while True:
        async with fund_transaction(resources.engine, fund_id) as connection:
            causes = await list_causes(connection, fund_id, since, now, AT_ONCE)
        done = sum([await _looked_at(resources, caller, cause) for cause in causes])
        looked += done
        if done == 0:  # What was found may have led to revisions that are causes themselves.
            return looked


async def _looked_at(resources: Resources, caller: Caller, cause: Cause) -> bool:
    try:
        if cause.kind == COVERED:
            await settle_covered(resources, caller, cause.bill_id)
        return await _look(resources, caller, cause)
    except (SettlementError, ProfileError, *DATABASE_FAILURES) as failed:
        log.warning("rerating.not_looked_at", bill_id=str(cause.bill_id), fault=type(failed).__name__)
        return False


async def _look(resources: Resources, caller: Caller, cause: Cause) -> bool:
    """Propose or apply what a cause leads to, and mark it; say whether it was this call that did."""
    fund_id = caller.fund_id

    async def transaction() -> bool:
        async with fund_transaction(resources.engine, fund_id) as connection:
            await lock_member(connection, fund_id, f"look\x1f{cause.cause_id}", bill_id=cause.bill_id)
            await take_books_day(connection, fund_id)
            if await was_looked_at(connection, fund_id, cause):
                return False
            work = Work(resources, caller, None, resources.clock())
            try:
                stored = await propose_under_lock(connection, work, cause.bill_id, declined_stands=True)
            except BillNotFound:
                stored = None
            await add_look(connection, fund_id, cause, stored.rerating_id if stored else None, work.at)
            return True

    return await run(transaction)
