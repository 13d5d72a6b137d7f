"""Examine the record when it is time to, or when an operator asked for it, and keep what each fund may know of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from settlement.db.engine import fund_transaction
from settlement.db.examinations import Kept, add_examination, is_examination_due, only_bills_of
from settlement.db.registry import list_funds
from settlement.db.secrets import KeyRing
from settlement.domain.audit import Examination
from settlement.domain.ids import FundId, IdSource
from settlement.services.audit.examine import examine

EVERY = timedelta(hours=24)


async def examine_when_due(ops: AsyncEngine, keys: KeyRing | None, ids: IdSource) -> int | None:
    """Examine if the last examination is older than a day or one was asked for since; return the broken invariants.

    `None` when it was not time. Works as `settlement_ops`. One row per fund is kept; an examination that is cut off
    keeps none and is made again. Two workers at once make two, which does no harm: each only reads.
    """
    at = ids.clock()
    async with ops.connect() as connection:
        if not await is_examination_due(connection, at - EVERY):
            return None
        funds = await list_funds(connection)
    examination = await examine(ops, keys)
    for fund in funds:
        await _keep(ops, ids, fund.fund_id, examination, at)
    return len(examination.broken)


async def _keep(ops: AsyncEngine, ids: IdSource, fund_id: FundId, examination: Examination, at: datetime) -> None:
    """Keep one fund's row. Of the offenders it names the fund's own bills; `settlement doctor` names them all."""
    async with fund_transaction(ops, fund_id) as connection:
        named = {id_ for finding in examination.broken for id_ in finding.ids if _is_id(id_)}
        own = await only_bills_of(connection, fund_id, named)
        findings = [
            {**finding.to_json(), "ids": [id_ for id_ in finding.ids if id_ in own]} for finding in examination.findings
        ]
        kept = Kept(at, max(at, ids.clock()), len(examination.findings), len(examination.broken), findings)
        await add_examination(connection, fund_id, ids.new(), kept)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
