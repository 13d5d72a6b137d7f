"""The worklist: open items with their owners, one item with all that was done with it, and the next action upon it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import bill, staff, worklist_action, worklist_item
from settlement.domain.ids import BillId, FundId, StaffId
from settlement.domain.worklist import Action, ClosingReason, Done


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """Something that a person has to look at. `owner` is the login of whoever took it and did not give it back."""

    item_id: UUID
    kind: str
    bill_id: BillId
    settlement_no: str
    figures: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """One thing that a person did with an item."""

    sequence: int
    action: Action
    login: str
    reason: ClosingReason | None
    remark: str | None
    at: datetime


async def list_open_items(
    connection: AsyncConnection,
    fund_id: FundId,
    kind: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[WorklistItem]:
    """Return up to `limit` open items, the oldest first; of a kind, and after an item, if these are given."""
    statement = _items(fund_id).where(worklist_item.c.closed_at.is_(None))
    if kind is not None:
        statement = statement.where(func.split_part(worklist_item.c.kind, ":", 1) == kind)
    if after is not None:
        statement = statement.where(tuple_(worklist_item.c.opened_at, worklist_item.c.item_id) > tuple_(*after))
    rows = await connection.execute(statement.order_by(worklist_item.c.opened_at, worklist_item.c.item_id).limit(limit))
    return [WorklistItem(*row) for row in rows]


async def list_items_of_bill(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> list[WorklistItem]:
    """Return every item about a bill, closed ones too, the oldest first."""
    statement = _items(fund_id).where(worklist_item.c.bill_id == bill_id).order_by(worklist_item.c.opened_at)
    return [WorklistItem(*row) for row in await connection.execute(statement)]


async def find_item(connection: AsyncConnection, fund_id: FundId, item_id: UUID) -> WorklistItem | None:
    """Return one item."""
    row = (await connection.execute(_items(fund_id).where(worklist_item.c.item_id == item_id))).one_or_none()
    return WorklistItem(*row) if row else None


async def lock_item(connection: AsyncConnection, fund_id: FundId, item_id: UUID) -> bool:
    """Make other actions upon an item wait until the transaction ends; return whether there is one."""
    mine = (worklist_item.c.fund_id == fund_id) & (worklist_item.c.item_id == item_id)
    found = await connection.execute(select(worklist_item.c.item_id).where(mine).with_for_update(key_share=True))
    return found.one_or_none() is not None


async def list_actions(connection: AsyncConnection, fund_id: FundId, item_id: UUID) -> list[RecordedAction]:
    """Return what was done with an item, in order."""
    of_staff = and_(staff.c.fund_id == worklist_action.c.fund_id, staff.c.staff_id == worklist_action.c.staff_id)
    columns = worklist_action.c
    statement = (
        select(columns.sequence, columns.action, staff.c.login, columns.reason, columns.remark, columns.at)
        .join(staff, of_staff)
        .where(columns.fund_id == fund_id, columns.item_id == item_id)
        .order_by(columns.sequence)
    )
    return [
        RecordedAction(
            row.sequence,
            Action(row.action),
            row.login,
            ClosingReason(row.reason) if row.reason else None,
            row.remark,
            row.at,
        )
        for row in await connection.execute(statement)
    ]


async def add_action(
    connection: AsyncConnection,
    fund_id: FundId,
    item_id: UUID,
    sequence: int,
    staff_id: StaffId,
    done: Done,
    at: datetime,
) -> None:
    """Insert what a person did with an item, and close the item if that is what was done. Call it after `lock_item`."""
    values = {
        "fund_id": fund_id,
        "item_id": item_id,
        "sequence": sequence,
        "action": done.action.value,
        "staff_id": staff_id,
        "reason": done.reason.value if done.reason else None,
        "remark": done.remark,
        "at": at,
    }
    await connection.execute(insert(worklist_action).values(values))
    if done.action is Action.CLOSED:
        mine = (worklist_item.c.fund_id == fund_id) & (worklist_item.c.item_id == item_id)
        await connection.execute(update(worklist_item).where(mine).values(closed_at=at))


@dataclass(frozen=True, slots=True)
class OpenKind:
    """How many items of a kind are open, and since when the oldest."""

    kind: str
    count: int
    oldest_at: datetime


async def list_open_kinds(connection: AsyncConnection, fund_id: FundId) -> list[OpenKind]:
    """Return the kinds of which items are open, the oldest first. A kind is what stands before a colon."""
    kind = func.split_part(worklist_item.c.kind, ":", 1).label("kind")
    oldest = func.min(worklist_item.c.opened_at)
    statement = (
        select(kind, func.count(), oldest)
        .where(worklist_item.c.fund_id == fund_id, worklist_item.c.closed_at.is_(None))
        .group_by(kind)
        .order_by(oldest)
    )
    return [OpenKind(*row) for row in await connection.execute(statement)]


def _items(fund_id: FundId) -> Select[Any]:
    """Select items with their owners: whoever was the last to take or give back, if that was a taking."""
    of_staff = and_(staff.c.fund_id == worklist_action.c.fund_id, staff.c.staff_id == worklist_action.c.staff_id)
    holder = (
        select(case((worklist_action.c.action == Action.TAKEN.value, staff.c.login)))
        .join(staff, of_staff)
        .where(
            worklist_action.c.fund_id == worklist_item.c.fund_id,
            worklist_action.c.item_id == worklist_item.c.item_id,
            worklist_action.c.action.in_((Action.TAKEN.value, Action.GIVEN_BACK.value)),
        )
        .order_by(worklist_action.c.sequence.desc())
        .limit(1)
        .correlate(worklist_item)
        .scalar_subquery()
    )
    columns = worklist_item.c
    return (
        select(
            columns.item_id,
            columns.kind,
            columns.bill_id,
            bill.c.settlement_no,
            columns.figures,
            columns.opened_at,
            columns.closed_at,
            holder.label("owner"),
        )
        .join(bill, and_(bill.c.fund_id == columns.fund_id, bill.c.bill_id == columns.bill_id))
        .where(columns.fund_id == fund_id)
    )
