"""Open a question about every brought bill that nothing has confirmed yet; hasten those that answered themselves."""

from __future__ import annotations

from settlement.db.engine import fund_transaction
from settlement.db.pending import hasten_questions, open_questions
from settlement.domain.ids import FundId
from settlement.services.resources import Resources

AT_ONCE = 500


async def open_questions_of(resources: Resources, fund_id: FundId, *, all_times: bool) -> int:
    """Open and hasten a fund's questions; return how many were opened.

    Nothing is written when a bill is settled: the counter does not wait for it, and what a killed worker did not open
    is opened in the next round.
    """
    patience = (await resources.rules.of(fund_id)).profile.patience
    opened = 0
    while True:
        now = resources.clock()
        ids = [resources.ids.new() for _ in range(AT_ONCE)]
        async with fund_transaction(resources.engine, fund_id) as connection:
            some = await open_questions(
                connection,
                fund_id,
                ids,
                now,
                now + patience.first_pause,
                now + patience.deadline,
                all_times=all_times,
            )
            await hasten_questions(connection, fund_id, now)
        opened += some
        if some < AT_ONCE:
            return opened
