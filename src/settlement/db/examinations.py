"""Examinations of the record that were made and kept, one row per fund and run, and those that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import bill, examination, examination_request
from settlement.domain.ids import FundId, StaffId


@dataclass(frozen=True, slots=True)
class Kept:
    """One run: when it began and ended, how many invariants it examined, how many are broken, each one's finding."""

    at: datetime
    ended_at: datetime
    examined: int
    broken: int
    findings: Sequence[Mapping[str, Any]]


async def add_request(
    connection: AsyncConnection, fund_id: FundId, request_id: UUID, staff_id: StaffId, at: datetime
) -> None:
    """Insert that an examination is wanted."""
    values = {"fund_id": fund_id, "request_id": request_id, "staff_id": staff_id, "at": at}
    await connection.execute(insert(examination_request).values(values))


async def add_examination(connection: AsyncConnection, fund_id: FundId, examination_id: UUID, kept: Kept) -> None:
    """Insert what an examination found, as one fund may know it."""
    values = {
        "fund_id": fund_id,
        "examination_id": examination_id,
        "at": kept.at,
        "ended_at": kept.ended_at,
        "examined": kept.examined,
        "broken": kept.broken,
        "findings": list(kept.findings),
    }
    await connection.execute(insert(examination).values(values))


async def list_examinations(connection: AsyncConnection, fund_id: FundId, limit: int) -> list[Kept]:
    """Return a fund's newest examinations, the newest first."""
    columns = examination.c
    statement = (
        select(columns.at, columns.ended_at, columns.examined, columns.broken, columns.findings)
        .where(columns.fund_id == fund_id)
        .order_by(columns.at.desc())
        .limit(limit)
    )
    return [Kept(*row) for row in await connection.execute(statement)]


async def find_waiting_request(connection: AsyncConnection, fund_id: FundId) -> datetime | None:
    """Return since when an examination is waited for, if one is."""
    made = select(func.max(examination.c.at)).where(examination.c.fund_id == fund_id).scalar_subquery()
    statement = select(func.min(examination_request.c.at)).where(
        examination_request.c.fund_id == fund_id, or_(made.is_(None), examination_request.c.at >= made)
    )
    found: datetime | None = (await connection.execute(statement)).scalar_one()
    return found


async def is_examination_due(connection: AsyncConnection, earliest: datetime) -> bool:
    """Say whether no examination of any fund began at or after an instant, or one was asked for since the last."""
    made = select(func.max(examination.c.at)).scalar_subquery()
    asked = select(func.max(examination_request.c.at)).scalar_subquery()
    last, wanted = (await connection.execute(select(made, asked))).one()
    return last is None or last < earliest or (wanted is not None and wanted >= last)


async def only_bills_of(connection: AsyncConnection, fund_id: FundId, ids: Collection[str]) -> frozenset[str]:
    """Return those of the ids that are bills of a fund."""
    if not ids:
        return frozenset()
    statement = select(bill.c.bill_id).where(bill.c.fund_id == fund_id, bill.c.bill_id.in_([UUID(id_) for id_ in ids]))
    return frozenset(str(found) for found in (await connection.execute(statement)).scalars())
