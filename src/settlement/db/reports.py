"""Reads that doors make by themselves: search, proof, timeline, events, and the figures for dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import (
    bill,
    books_day,
    event,
    event_position,
    hospital,
    hospital_code,
    posting,
    settlement,
    uncovered,
    worklist_item,
)
from settlement.domain.ids import BillId, FundId
from settlement.domain.money import Money
from settlement.domain.postings import Posting
from settlement.domain.settlements import BillState


@dataclass(frozen=True, slots=True)
class BillSearch:
    """What bills are looked for by; `None` does not limit. `hospital_codes` empty sees every hospital."""

    hospital_codes: frozenset[str]
    business_date: date | None = None
    state: BillState | None = None
    area: str | None = None
    insurer_settlement_id: str | None = None
    encounter_id: str | None = None
    visit_no: str | None = None
    receipt_no: str | None = None
    settlement_no: str | None = None


async def list_bill_ids(
    connection: AsyncConnection, fund_id: FundId, search: BillSearch, after: BillId | None, limit: int
) -> list[BillId]:
    """Return up to `limit` bills in the order of recording, those after a given one."""
    statement = select(bill.c.bill_id).where(bill.c.fund_id == fund_id, *_looked_for(search))
    if after is not None:
        statement = statement.where(bill.c.bill_id > after)
    return list((await connection.execute(statement.order_by(bill.c.bill_id).limit(limit))).scalars())


@dataclass(frozen=True, slots=True)
class BillRow:
    """One line of a list of bills, without any person's data; amounts of the shown revision, in fen, if it has one."""

    bill_id: BillId
    settlement_no: str
    insurer_settlement_id: str
    state: BillState
    hospital_code: str | None
    hospital_name: str | None
    business_date: date | None
    recorded_at: datetime
    billed: Money | None
    aid_on_bill: Money | None
    aid_to_card: Money | None
    cash_due: Money | None


async def list_bill_rows(
    connection: AsyncConnection, fund_id: FundId, search: BillSearch, before: BillId | None, limit: int
) -> list[BillRow]:
    """Return up to `limit` bills, the newest first, those recorded before a given one."""
    shown = and_(
        settlement.c.fund_id == bill.c.fund_id,
        settlement.c.bill_id == bill.c.bill_id,
        settlement.c.revision == bill.c.revision,
    )
    known = and_(hospital_code.c.fund_id == bill.c.fund_id, hospital_code.c.code == bill.c.hospital_code)
    named = and_(hospital.c.fund_id == hospital_code.c.fund_id, hospital.c.hospital_id == hospital_code.c.hospital_id)
    head = (
        bill.c.bill_id,
        bill.c.settlement_no,
        bill.c.insurer_settlement_id,
        bill.c.state,
        bill.c.hospital_code,
        hospital.c.name,
        bill.c.business_date,
        bill.c.created_at,
    )
    amounts = [settlement.c[f"{name}_fen"] for name in ("billed", "aid_on_bill", "aid_to_card", "cash_due")]
    statement = (
        select(*head, *amounts)
        .outerjoin(settlement, shown)
        .outerjoin(hospital_code, known)
        .outerjoin(hospital, named)
        .where(bill.c.fund_id == fund_id, *_looked_for(search))
    )
    if before is not None:
        statement = statement.where(bill.c.bill_id < before)
    rows = await connection.execute(statement.order_by(bill.c.bill_id.desc()).limit(limit))
    return [_bill_row(row) for row in rows]


def _bill_row(row: Row[Any]) -> BillRow:
    amounts = {name: getattr(row, f"{name}_fen") for name in ("billed", "aid_on_bill", "aid_to_card", "cash_due")}
    return BillRow(
        bill_id=BillId(row.bill_id),
        settlement_no=row.settlement_no,
        insurer_settlement_id=row.insurer_settlement_id,
        state=BillState(row.state),
        hospital_code=row.hospital_code,
        hospital_name=row.name,
        business_date=row.business_date,
        recorded_at=row.created_at,
        **{name: None if fen is None else Money(fen) for name, fen in amounts.items()},
    )


def _looked_for(search: BillSearch) -> list[ColumnElement[bool]]:
    wanted = {
        "business_date": search.business_date,
        "state": search.state.value if search.state else None,
        "area": search.area,
        "insurer_settlement_id": search.insurer_settlement_id,
        "encounter_id": search.encounter_id,
        "visit_no": search.visit_no,
        "receipt_no": search.receipt_no,
        "settlement_no": search.settlement_no,
    }
    conditions = [bill.c[column] == value for column, value in wanted.items() if value is not None]
    if search.hospital_codes:
        conditions.append(bill.c.hospital_code.in_(sorted(search.hospital_codes)))
    return conditions


@dataclass(frozen=True, slots=True)
class RecordedPosting:
    """A posting with the record it belongs to."""

    revision: int
    record: str
    posting: Posting


async def list_postings(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> list[RecordedPosting]:
    """Return all postings of a bill in their order."""
    statement = (
        select(posting.c.revision, posting.c.record, posting.c.debit, posting.c.credit, posting.c.fen)
        .where(posting.c.fund_id == fund_id, posting.c.bill_id == bill_id)
        .order_by(posting.c.revision, posting.c.record.desc(), posting.c.line)
    )
    return [
        RecordedPosting(row.revision, row.record, Posting(row.debit, row.credit, Money(row.fen)))
        for row in await connection.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of a bill, or of the fund itself; `position` is `None` until the worker has numbered it."""

    position: int | None
    event_id: UUID
    bill_id: BillId | None
    sequence: int
    type: str
    payload: Mapping[str, Any]
    actor: str
    recorded_at: datetime


async def list_events_of_bill(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> list[RecordedEvent]:
    """Return what happened to a bill, in order."""
    mine = and_(event.c.fund_id == fund_id, event.c.bill_id == bill_id)
    rows = await connection.execute(
        select(
            event.c.event_id,
            event.c.bill_id,
            event.c.sequence,
            event.c.type,
            event.c.payload,
            event.c.actor,
            event.c.recorded_at,
        )
        .where(mine)
        .order_by(event.c.sequence)
    )
    return [RecordedEvent(None, *row) for row in rows]


async def list_events_after(
    connection: AsyncConnection, fund_id: FundId, hospital_codes: frozenset[str], position: int, limit: int
) -> list[RecordedEvent]:
    """Return up to `limit` numbered events after a position; who is bound to hospitals gets none of the fund itself."""
    numbered = and_(event.c.fund_id == event_position.c.fund_id, event.c.event_id == event_position.c.event_id)
    statement = (
        select(
            event_position.c.position,
            event.c.event_id,
            event.c.bill_id,
            event.c.sequence,
            event.c.type,
            event.c.payload,
            event.c.actor,
            event.c.recorded_at,
        )
        .join(event, numbered)
        .where(event_position.c.fund_id == fund_id, event_position.c.position > position)
    )
    if hospital_codes:
        of_bill = and_(bill.c.fund_id == event.c.fund_id, bill.c.bill_id == event.c.bill_id)
        statement = statement.join(bill, of_bill).where(bill.c.hospital_code.in_(sorted(hospital_codes)))
    rows = await connection.execute(statement.order_by(event_position.c.position).limit(limit))
    return [RecordedEvent(*row) for row in rows]


async def count_bills_by_state(connection: AsyncConnection, fund_id: FundId, day: date) -> dict[str, int]:
    """Return how many bills of a business date stand in each state."""
    statement = (
        select(bill.c.state, func.count())
        .where(bill.c.fund_id == fund_id, bill.c.business_date == day)
        .group_by(bill.c.state)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


_SUMMED = {
    "billed": settlement.c.billed_fen,
    "insurer_paid": settlement.c.hifp_fen
    + settlement.c.cvlserv_fen
    + settlement.c.hifes_fen
    + settlement.c.hifmi_fen
    + settlement.c.hifob_fen
    + settlement.c.hifdm_fen
    + settlement.c.maf_fen
    + settlement.c.oth_fen
    + settlement.c.unnamed_fen,
    "provider_absorbed": settlement.c.provider_absorbed_fen,
    "account_paid": settlement.c.account_paid_fen,
    "mutual_aid_on_bill": settlement.c.aid_on_bill_fen,
    "mutual_aid_to_card": settlement.c.aid_to_card_fen,
    "other_on_bill": settlement.c.other_on_bill_fen,
    "cash_due": settlement.c.cash_due_fen,
}


async def sum_live_settlements(connection: AsyncConnection, fund_id: FundId, day: date) -> dict[str, Money]:
    """Return the sums in fen over the live settlements of a business date; the equation holds for them."""
    shown = and_(
        bill.c.fund_id == settlement.c.fund_id,
        bill.c.bill_id == settlement.c.bill_id,
        bill.c.revision == settlement.c.revision,
    )
    statement = (
        select(*[func.coalesce(func.sum(column), 0).label(name) for name, column in _SUMMED.items()])
        .join(bill, shown)
        .where(bill.c.fund_id == fund_id, bill.c.business_date == day, bill.c.state == BillState.LIVE.value)
    )
    row = (await connection.execute(statement)).one()
    return {name: Money(int(getattr(row, name))) for name in _SUMMED}


async def count_uncovered(connection: AsyncConnection, fund_id: FundId, day: date) -> dict[str, int]:
    """Return how many answers said "not ours" for bills of a business date, by reason."""
    statement = (
        select(uncovered.c.reason, func.count())
        .where(uncovered.c.fund_id == fund_id, uncovered.c.business_date == day)
        .group_by(uncovered.c.reason)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def count_open_worklist(connection: AsyncConnection, fund_id: FundId) -> dict[str, int]:
    """Return how many worklist items are open, by kind."""
    statement = (
        select(worklist_item.c.kind, func.count())
        .where(worklist_item.c.fund_id == fund_id, worklist_item.c.closed_at.is_(None))
        .group_by(worklist_item.c.kind)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def list_open_worklist(connection: AsyncConnection, fund_id: FundId, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` open worklist items, the oldest first: kind, bill, since when, and the figures."""
    statement = (
        select(worklist_item.c.kind, worklist_item.c.bill_id, worklist_item.c.opened_at, worklist_item.c.figures)
        .where(worklist_item.c.fund_id == fund_id, worklist_item.c.closed_at.is_(None))
        .order_by(worklist_item.c.opened_at)
        .limit(limit)
    )
    rows = await connection.execute(statement)
    return [
        {"kind": row.kind, "bill_id": str(row.bill_id), "opened_at": row.opened_at, "figures": row.figures}
        for row in rows
    ]


async def find_oldest_held(connection: AsyncConnection, fund_id: FundId) -> tuple[int, datetime | None]:
    """Return how many bills are held, and since when the oldest."""
    held = select(func.count(), func.min(bill.c.created_at)).where(
        bill.c.fund_id == fund_id, bill.c.state == BillState.HELD.value
    )
    count, oldest = (await connection.execute(held)).one()
    return count, oldest


async def count_unnumbered_events(connection: AsyncConnection, fund_id: FundId) -> int:
    """Return how many events wait for their position."""
    events = select(func.count()).select_from(event).where(event.c.fund_id == fund_id)
    numbered = select(func.count()).select_from(event_position).where(event_position.c.fund_id == fund_id)
    total, done = (await connection.execute(select(events.scalar_subquery(), numbered.scalar_subquery()))).one()
    return int(total - done)


async def get_open_books_day(connection: AsyncConnection, fund_id: FundId) -> int:
    """Return the number of the fund's open books day."""
    statement = select(books_day.c.books_day).where(books_day.c.fund_id == fund_id, books_day.c.closed_at.is_(None))
    return int((await connection.execute(statement)).scalar_one())
