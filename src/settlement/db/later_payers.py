"""Payers who came after a bill was settled: facts on the settlement that change no figure of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part
from settlement.db.tables import bill, later_payer
from settlement.domain.ids import BillId, FundId
from settlement.domain.money import Money
from settlement.domain.settlements import BillState, OtherPayer


def insert_later_payer(
    fund_id: FundId, bill_id: BillId, payer_id: UUID, payer: OtherPayer, reference: str, actor: str, at: datetime
) -> Part:
    """Part of a write: somebody paid for a bill later, named by a reference of his own, once."""
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "payer_id": payer_id,
        "name": payer.name,
        "amount_fen": int(payer.amount),
        "reference": reference,
        "actor": actor,
        "recorded_at": at,
    }
    return insert_part("later_payer", values)


async def sum_later_payers(
    connection: AsyncConnection, fund_id: FundId, bill_ids: Sequence[BillId]
) -> dict[BillId, Money]:
    """Return what later payers paid for each live bill, in fen; a bill that had none is left out.

    What was paid for a bill that lives no more was paid for the same care: it counts for the newest live one of its
    correction chain.
    """
    paid, mine, newer = bill.alias("paid"), bill.alias("mine"), bill.alias("newer")
    has_newer = exists().where(
        newer.c.fund_id == mine.c.fund_id,
        newer.c.member_id == mine.c.member_id,
        newer.c.state == BillState.LIVE.value,
        newer.c.bill_id > mine.c.bill_id,
        _place(newer) == _place(mine),
    )
    of_chain = and_(paid.c.state != BillState.LIVE.value, _place(paid) == _place(mine), ~has_newer)
    same_care = or_(paid.c.bill_id == mine.c.bill_id, of_chain)
    statement = (
        select(mine.c.bill_id, func.sum(later_payer.c.amount_fen))
        .select_from(mine)
        .join(paid, and_(paid.c.fund_id == mine.c.fund_id, paid.c.member_id == mine.c.member_id, same_care))
        .join(later_payer, and_(later_payer.c.fund_id == paid.c.fund_id, later_payer.c.bill_id == paid.c.bill_id))
        .where(mine.c.fund_id == fund_id, mine.c.bill_id.in_(list(bill_ids)))
        .group_by(mine.c.bill_id)
    )
    return {BillId(bill_id): Money(int(fen)) for bill_id, fen in await connection.execute(statement)}


def _place(of: FromClause) -> ColumnElement[UUID]:
    return func.coalesce(of.c.place_bill_id, of.c.bill_id)


async def find_later_payment(
    connection: AsyncConnection, fund_id: FundId, bill_id: BillId, name: str, reference: str
) -> Money | None:
    """Return what a payer paid under a reference for a bill, or for another of its correction chain, in fen."""
    paid, mine = bill.alias("paid"), bill.alias("mine")
    of_chain = and_(
        paid.c.fund_id == mine.c.fund_id, paid.c.member_id == mine.c.member_id, _place(paid) == _place(mine)
    )
    statement = (
        select(later_payer.c.amount_fen)
        .select_from(mine)
        .join(paid, of_chain)
        .join(later_payer, and_(later_payer.c.fund_id == paid.c.fund_id, later_payer.c.bill_id == paid.c.bill_id))
        .where(mine.c.fund_id == fund_id, mine.c.bill_id == bill_id)
        .where(later_payer.c.name == name, later_payer.c.reference == reference)
        .order_by(paid.c.bill_id.desc())
        .limit(1)
    )
    fen = (await connection.execute(statement)).scalar_one_or_none()
    return Money(int(fen)) if fen is not None else None
