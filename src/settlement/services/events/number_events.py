"""Give every fund's committed events their positions, so that they can be pulled without a gap."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.engine import fund_transaction
from settlement.db.events import number_events
from settlement.db.registry import list_funds

AT_ONCE = 1000


async def number_all_events(ops: AsyncEngine, *, all_times: bool = False) -> int:
    """Number what is committed now; return how many events. Works as `settlement_ops`.

    With `all_times` it looks at every event ever, for those whose host had a wrong clock.
    """
    async with ops.connect() as connection:
        funds = await list_funds(connection)
    numbered = 0
    for fund in funds:
        while True:
            async with fund_transaction(ops, fund.fund_id) as connection:
                done = await number_events(connection, fund.fund_id, AT_ONCE, all_times=all_times)
            numbered += done
            if done < AT_ONCE:
                break
    return numbered
