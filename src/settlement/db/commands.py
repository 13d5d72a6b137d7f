"""Stored answers by idempotency key, the worklist, and the tally of bills that are not ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_unless_there
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.settling import CommandKey, StoredAnswer
from settlement.db.tables import idempotency, uncovered, worklist_item
from settlement.domain.ids import BillId, FundId


def insert_answer(fund_id: FundId, command: CommandKey, answer: StoredAnswer, at: datetime) -> Insert:
    """Part of a write: the answer to a command, in the commit of its effect."""
    return insert(idempotency).values(
        fund_id=fund_id,
        client_id=command.client_id,
        key=command.key,
        fingerprint=answer.fingerprint,
        status=answer.status,
        body=answer.body,
        recorded_at=at,
    )


async def find_answer(connection: AsyncConnection, fund_id: FundId, command: CommandKey) -> StoredAnswer | None:
    """Return what a command under this key was answered."""
    statement = select(idempotency.c.fingerprint, idempotency.c.status, idempotency.c.body).where(
        idempotency.c.fund_id == fund_id,
        idempotency.c.client_id == command.client_id,
        idempotency.c.key == command.key,
    )
    row = (await connection.execute(statement)).one_or_none()
    return StoredAnswer(row.fingerprint, row.status, row.body) if row else None


def insert_worklist_item(
    fund_id: FundId, item_id: UUID, bill_id: BillId, kind: str, figures: Mapping[str, Any], at: datetime
) -> Insert:
    """Part of a write: something a person has to look at, unless the same is open for this bill already."""
    return (
        insert_unless_there(worklist_item)
        .values(fund_id=fund_id, item_id=item_id, bill_id=bill_id, kind=kind, figures=dict(figures), opened_at=at)
        .on_conflict_do_nothing()
    )


def insert_uncovered(fund_id: FundId, tally_id: UUID, business_date: date, door: str, reason: str) -> Insert:
    """Part of a write: one more bill that is not ours. Neither the bill nor the person is kept."""
    return insert(uncovered).values(
        fund_id=fund_id, tally_id=tally_id, business_date=business_date, door=door, reason=reason
    )
