"""Bill heads and the records under them: the parts of a write, and the reads that answers are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, Update, and_, bindparam, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Text

from settlement.db.tables import bill, books_day, consumption, event, plan_version, posting, reversal, settlement
from settlement.domain.benefits import Benefit
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.ids import BillId, FundId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.postings import Posting
from settlement.domain.settlements import (
    BillHead,
    BillState,
    Door,
    PricedRecord,
    Question,
    ReversalRecord,
    SettledBill,
    Split,
)

HEAD_COLUMNS = ", ".join(field.name for field in fields(BillHead))
_FUNDS = [field.name for field in fields(InsurerFunds)]
_FIGURES = [field.name for field in fields(BillFigures) if field.name != "funds"]
_SPLIT = [field.name for field in fields(Split)]


def head_from_mapping(row: Mapping[str, Any]) -> BillHead:
    """Return a head from a row, or from the row as JSON (then dates and instants are text)."""
    question = row["question"]
    return BillHead(
        **{
            **{field.name: row[field.name] for field in fields(BillHead)},
            "bill_id": BillId(_uuid(row["bill_id"])),
            "member_id": MemberId(_uuid(row["member_id"])) if row["member_id"] else None,
            "state": BillState(row["state"]),
            "door": Door(row["door"]),
            "question": Question(question["code"], question["figures"]) if question else None,
            "business_date": _day(row["business_date"]),
            "settled_at": _instant(row["settled_at"]),
            "confirmed_at": _instant(row["confirmed_at"]),
            "created_at": _instant(row["created_at"]),
        }
    )


def insert_head(fund_id: FundId, head: BillHead) -> Insert:
    """Part of a write: a new bill's head."""
    return insert(bill).values(fund_id=fund_id, **_head_values(head))


def update_head(fund_id: FundId, head: BillHead, event_count_before: int) -> Update:
    """Part of a write: the head as it now stands, if nobody has written an event of this bill since it was read."""
    values = _head_values(head)
    for fixed in ("bill_id", "settlement_no", "area", "insurer_settlement_id", "door", "created_at"):
        del values[fixed]
    mine = and_(bill.c.fund_id == fund_id, bill.c.bill_id == head.bill_id, bill.c.event_count == event_count_before)
    return update(bill).where(mine).values(**values)


def insert_settlement(
    fund_id: FundId,
    bill_id: BillId,
    member_id: MemberId | None,
    plan_version_id: PlanVersionId | None,
    priced: PricedRecord,
) -> Insert:
    """Part of a write: one revision of a settlement, in the books day that is open now."""
    return insert(settlement).values(
        fund_id=fund_id,
        bill_id=bill_id,
        revision=priced.revision,
        member_id=member_id,
        plan_version_id=plan_version_id,
        service_date=priced.service_date,
        business_date=priced.business_date,
        books_day=_open_books_day(fund_id),
        **{f"{name}_fen": int(getattr(priced.figures, name)) for name in _FIGURES},
        **{f"{name}_fen": int(getattr(priced.figures.funds, name)) for name in _FUNDS},
        **{f"{name}_fen": int(getattr(priced.split, name)) for name in _SPLIT},
        engine_version=priced.engine_version,
        receipt_hash=priced.receipt_hash,
        receipt=priced.receipt,
        actor=priced.actor,
        recorded_at=priced.recorded_at,
    )


def insert_postings(fund_id: FundId, bill_id: BillId, revision: int, postings: Sequence[Posting]) -> Insert:
    """Part of a write: the postings of a settlement, numbered from 1."""
    given = func.unnest(
        bindparam("posting_debit", [line.debit for line in postings], ARRAY(Text), unique=True),
        bindparam("posting_credit", [line.credit for line in postings], ARRAY(Text), unique=True),
        bindparam("posting_fen", [int(line.fen) for line in postings], ARRAY(BigInteger), unique=True),
    )
    lines = given.table_valued("debit", "credit", "fen", with_ordinality="line").render_derived()
    columns = ["fund_id", "bill_id", "revision", "record", "books_day", "line", "debit", "credit", "fen"]
    rows = select(
        literal(fund_id, bill.c.fund_id.type),
        literal(bill_id, bill.c.bill_id.type),
        literal(revision),
        literal("settlement"),
        _open_books_day(fund_id),
        lines.c.line,
        lines.c.debit,
        lines.c.credit,
        lines.c.fen,
    )
    return insert(posting).from_select(columns, rows)


def insert_consumption(
    fund_id: FundId, bill_id: BillId, member_id: MemberId, plan_code: str, revision: int, benefits: Sequence[Benefit]
) -> Insert:
    """Part of a write: what this settlement takes of each benefit's room; benefits it does not reach take nothing."""
    return insert(consumption).values(
        [
            {
                "fund_id": fund_id,
                "member_id": member_id,
                "plan_code": plan_code,
                "benefit": benefit.code,
                "term": benefit.term.code,
                "bill_id": bill_id,
                "revision": revision,
                "base_fen": int(benefit.consumption.base),
                "burden_fen": int(benefit.consumption.burden),
                "paid_fen": int(benefit.consumption.paid),
                "days": benefit.consumption.days,
                "times": benefit.consumption.times,
            }
            for benefit in benefits
        ]
    )


def insert_reversal(fund_id: FundId, bill_id: BillId, reversal_id: UUID, undone: ReversalRecord) -> Insert:
    """Part of a write: the undoing of one revision. It carries no amounts."""
    return insert(reversal).values(
        fund_id=fund_id,
        bill_id=bill_id,
        revision=undone.revision,
        reversal_id=reversal_id,
        reason=undone.reason,
        seen_by=undone.seen_by,
        cancelling_settlement_id=undone.cancelling_settlement_id,
        business_date=undone.business_date,
        books_day=_open_books_day(fund_id),
        actor=undone.actor,
        recorded_at=undone.recorded_at,
    )


def insert_swapped_postings(fund_id: FundId, bill_id: BillId, revision: int) -> Insert:
    """Part of a write: the original postings of a revision with their sides swapped."""
    columns = ["fund_id", "bill_id", "revision", "record", "line", "debit", "credit", "fen", "books_day"]
    original = and_(
        posting.c.fund_id == fund_id,
        posting.c.bill_id == bill_id,
        posting.c.revision == revision,
        posting.c.record == "settlement",
    )
    rows = select(
        posting.c.fund_id,
        posting.c.bill_id,
        posting.c.revision,
        literal("reversal"),
        posting.c.line,
        posting.c.credit,
        posting.c.debit,
        posting.c.fen,
        _open_books_day(fund_id),
    ).where(original)
    return insert(posting).from_select(columns, rows)


def insert_event(
    fund_id: FundId,
    bill_id: BillId,
    sequence: int,
    event_id: UUID,
    type_: str,
    payload: object,
    actor: str,
    at: datetime,
) -> Insert:
    """Part of a write: one event of a bill; the sequence, written under the bill's lock, is its order."""
    return insert(event).values(
        fund_id=fund_id,
        bill_id=bill_id,
        sequence=sequence,
        event_id=event_id,
        type=type_,
        payload=payload,
        actor=actor,
        recorded_at=at,
    )


async def find_head(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> BillHead | None:
    """Return one head by the bill's id."""
    statement = select(bill).where(bill.c.fund_id == fund_id, bill.c.bill_id == bill_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return head_from_mapping(dict(row)) if row else None


async def find_head_by_insurer_id(
    connection: AsyncConnection, fund_id: FundId, area: str, insurer_settlement_id: str
) -> BillHead | None:
    """Return one head by the insurer's area and settlement id."""
    statement = select(bill).where(
        bill.c.fund_id == fund_id, bill.c.area == area, bill.c.insurer_settlement_id == insurer_settlement_id
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return head_from_mapping(dict(row)) if row else None


async def find_settled_bill(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> SettledBill | None:
    """Return a bill with the revision that its head names."""
    found = await list_settled_bills(connection, fund_id, bill_ids=[bill_id])
    return found[0] if found else None


async def list_settled_bills(
    connection: AsyncConnection, fund_id: FundId, *, bill_ids: Sequence[BillId]
) -> list[SettledBill]:
    """Return bills with their present revisions, in the order of their ids."""
    rows = await connection.execute(_SETTLED_BILLS, {"fund_id": fund_id, "bill_ids": list(bill_ids)})
    return [_settled_bill(dict(row)) for row in rows.mappings()]


_SETTLED_BILLS = (
    select(
        *[bill.c[field.name].label(f"head_{field.name}") for field in fields(BillHead)],
        *[column.label(f"priced_{column.name}") for column in settlement.c],
        *[column.label(f"undone_{column.name}") for column in reversal.c],
        plan_version.c.plan_code.label("plan_code"),
        plan_version.c.version.label("plan_version"),
        plan_version.c.digest.label("plan_digest"),
    )
    .select_from(
        bill.outerjoin(
            settlement,
            and_(
                settlement.c.fund_id == bill.c.fund_id,
                settlement.c.bill_id == bill.c.bill_id,
                settlement.c.revision == bill.c.revision,
            ),
        )
        .outerjoin(
            reversal,
            and_(
                reversal.c.fund_id == settlement.c.fund_id,
                reversal.c.bill_id == settlement.c.bill_id,
                reversal.c.revision == settlement.c.revision,
            ),
        )
        .outerjoin(
            plan_version,
            and_(
                plan_version.c.fund_id == settlement.c.fund_id,
                plan_version.c.plan_version_id == settlement.c.plan_version_id,
            ),
        )
    )
    .where(
        bill.c.fund_id == bindparam("fund_id"),
        bill.c.bill_id == func.any(bindparam("bill_ids", type_=ARRAY(bill.c.bill_id.type))),
    )
    .order_by(bill.c.bill_id)
)


def _settled_bill(row: Mapping[str, Any]) -> SettledBill:
    head = head_from_mapping({field.name: row[f"head_{field.name}"] for field in fields(BillHead)})
    priced = _priced(row) if row["priced_revision"] is not None else None
    undone = _undone(row) if row["undone_revision"] is not None else None
    return SettledBill(head, priced, undone)


def _priced(row: Mapping[str, Any]) -> PricedRecord:
    funds = InsurerFunds(**{name: Money(row[f"priced_{name}_fen"]) for name in _FUNDS})
    figures = BillFigures(funds=funds, **{name: Money(row[f"priced_{name}_fen"]) for name in _FIGURES})
    split = Split(**{name: Money(row[f"priced_{name}_fen"]) for name in _SPLIT})
    plain = ("revision", "service_date", "business_date", "engine_version", "receipt_hash", "receipt", "actor")
    return PricedRecord(
        plan_code=row["plan_code"],
        plan_version=row["plan_version"],
        plan_digest=row["plan_digest"],
        figures=figures,
        split=split,
        recorded_at=row["priced_recorded_at"],
        **{name: row[f"priced_{name}"] for name in plain},
    )


def _undone(row: Mapping[str, Any]) -> ReversalRecord:
    return ReversalRecord(**{field.name: row[f"undone_{field.name}"] for field in fields(ReversalRecord)})


def _head_values(head: BillHead) -> dict[str, Any]:
    values: dict[str, Any] = {field.name: getattr(head, field.name) for field in fields(BillHead)}
    question = head.question
    values["question"] = {"code": question.code, "figures": dict(question.figures)} if question else None
    values["state"], values["door"] = head.state.value, head.door.value
    return values


def _open_books_day(fund_id: FundId) -> Any:
    open_day = select(books_day.c.books_day).where(books_day.c.fund_id == fund_id, books_day.c.closed_at.is_(None))
    return open_day.scalar_subquery()


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str | None) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
