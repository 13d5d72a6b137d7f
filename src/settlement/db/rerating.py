"""Re-ratings as they were proposed: the lines of one member's term, and what a person decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import rerating
from settlement.domain.ids import BillId, FundId, MemberId
from settlement.domain.money import Money


@dataclass(frozen=True, slots=True)
class StoredRerating:
    """A proposal with its lines as JSON (bill, revision, aid recorded and now in fen) and what became of it."""

    rerating_id: UUID
    member_id: MemberId
    of_bill_id: BillId
    plan_code: str
    term: str
    lines: Sequence[Mapping[str, Any]]
    net: Money
    state: str
    actor: str
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


async def add_rerating(connection: AsyncConnection, fund_id: FundId, proposed: StoredRerating) -> None:
    """Add a proposal; one of the same member and term that is still open lapses by it. Call it under the lock."""
    mine = (rerating.c.fund_id == fund_id) & (rerating.c.member_id == proposed.member_id)
    same = (rerating.c.plan_code == proposed.plan_code) & (rerating.c.term == proposed.term)
    ended = {"state": "lapsed", "decided_by": proposed.actor, "decided_at": proposed.created_at}
    await connection.execute(update(rerating).where(mine & same & (rerating.c.state == "proposed")).values(ended))
    values = {
        "fund_id": fund_id,
        "rerating_id": proposed.rerating_id,
        "member_id": proposed.member_id,
        "of_bill_id": proposed.of_bill_id,
        "plan_code": proposed.plan_code,
        "term": proposed.term,
        "lines": [dict(line) for line in proposed.lines],
        "net_fen": int(proposed.net),
        "state": proposed.state,
        "actor": proposed.actor,
        "created_at": proposed.created_at,
    }
    await connection.execute(insert(rerating).values(values))


async def find_rerating(connection: AsyncConnection, fund_id: FundId, rerating_id: UUID) -> StoredRerating | None:
    """Return one re-rating."""
    statement = select(rerating).where(rerating.c.fund_id == fund_id, rerating.c.rerating_id == rerating_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return _stored(dict(row)) if row else None


async def list_reratings(
    connection: AsyncConnection, fund_id: FundId, before: UUID | None, limit: int
) -> list[StoredRerating]:
    """Return up to `limit` re-ratings, the newest first."""
    statement = select(rerating).where(rerating.c.fund_id == fund_id)
    if before is not None:
        statement = statement.where(rerating.c.rerating_id < before)
    rows = await connection.execute(statement.order_by(rerating.c.rerating_id.desc()).limit(limit))
    return [_stored(dict(row)) for row in rows.mappings()]


async def decide_rerating(
    connection: AsyncConnection, fund_id: FundId, rerating_id: UUID, state: str, actor: str, at: datetime
) -> None:
    """Write what became of an open proposal."""
    mine = (rerating.c.fund_id == fund_id) & (rerating.c.rerating_id == rerating_id)
    decided = {"state": state, "decided_by": actor, "decided_at": at}
    await connection.execute(update(rerating).where(mine & (rerating.c.state == "proposed")).values(decided))


def _stored(row: Mapping[str, Any]) -> StoredRerating:
    names = ("rerating_id", "plan_code", "term", "lines", "state", "actor", "created_at", "decided_by", "decided_at")
    return StoredRerating(
        member_id=MemberId(row["member_id"]),
        of_bill_id=BillId(row["of_bill_id"]),
        net=Money(row["net_fen"]),
        **{name: row[name] for name in names},
    )
