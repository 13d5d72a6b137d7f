"""Seal closed books days: hash the day's records, chain the seal to the day before, sign it, tell the witnesses."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.audit import snapshot
from settlement.db.books import find_last_seal, insert_fund_event, insert_seal, list_unsealed_days
from settlement.db.engine import fund_transaction
from settlement.db.parts import RecordedMeanwhile, write_together
from settlement.domain.books import FORMAT, BooksDay, Seal, Statement
from settlement.domain.ids import FundId
from settlement.services.books.hash_day import hash_day
from settlement.services.books.seal_keys import Signer
from settlement.services.resources import Resources

ACTOR = "worker"
SEALED = "books_day.sealed.v1"


async def seal_closed_days(
    resources: Resources, ops: AsyncEngine, signer: Signer, fund_id: FundId | None = None
) -> list[Seal]:
    """Seal every closed day that has no seal, of one fund or of all, the oldest first; return the new seals.

    A closed day changes no more, so it is read without a lock, as the login that reads every fund; seal and event are
    one short transaction. Killed at any point, the next call does what is missing. Of two at once one seals a day.
    """
    async with ops.connect() as connection:
        waiting = await list_unsealed_days(connection, fund_id)
    sealed = [await _seal(resources, ops, signer, day) for day in waiting]
    return [seal for seal in sealed if seal is not None]


async def _seal(resources: Resources, ops: AsyncEngine, signer: Signer, day: BooksDay) -> Seal | None:
    """Seal one day; `None` when another process sealed it, or the day before it is not sealed yet."""
    assert day.closed_at is not None
    async with snapshot(ops) as connection:
        last = await find_last_seal(connection, day.fund_id)
        if (last.statement.books_day if last else 0) != day.number - 1:
            return None
        content = await hash_day(connection, day, FORMAT)
    at = resources.clock()
    statement = Statement(
        fund_id=day.fund_id,
        books_day=day.number,
        format=FORMAT,
        closed_at=day.closed_at,
        content=content,
        previous_hash=last.seal_hash if last else None,
        key_id=signer.key_id,
        sealed_at=at,
    )
    seal = signer.sign(statement)
    event = insert_fund_event(day.fund_id, resources.ids.new(), SEALED, seal.to_json(), ACTOR, at)
    try:
        async with fund_transaction(resources.engine, day.fund_id) as connection:
            await write_together(connection, [insert_seal(day.fund_id, seal), event])
    except RecordedMeanwhile:
        return None
    return seal
