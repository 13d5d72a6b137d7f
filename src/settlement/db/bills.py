"""Bill heads and the records under them: the parts of a write, and the reads that answers are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part, json
from settlement.db.rooms import ROOM_COLUMNS, room_values, rows_of_room
from settlement.db.tables import bill, event, hold, plan_version, reversal, settlement
from settlement.domain.benefits import Taking
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.errors import InvariantViolation
from settlement.domain.ids import BillId, FundId, HoldId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.postings import Posting
from settlement.domain.promises import HoldKind, HoldState
from settlement.domain.settlements import (
    BY_REVISION,
    BillHead,
    BillState,
    Door,
    PricedRecord,
    PromiseMet,
    Question,
    ReversalRecord,
    SettledBill,
    Split,
)

HEAD_COLUMNS = ", ".join(field.name for field in fields(BillHead))
_OTHER_BILLS = ("replaces_bill_id", "replaced_by_bill_id", "place_bill_id")
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
            **{name: BillId(_uuid(row[name])) if row[name] else None for name in _OTHER_BILLS},
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


def insert_head(fund_id: FundId, head: BillHead) -> Part:
    """Part of a write: a new bill's head."""
    return insert_part("bill", {"fund_id": fund_id, **_head_values(head)})


def update_head(fund_id: FundId, head: BillHead) -> Part:
    """Part of a write: the head as it now stands. The event beside it fails if the head was changed meanwhile."""
    values = {"fund_id": fund_id, **_head_values(head)}
    return Part(_UPDATE_HEAD, {f"bill_{name}": value for name, value in values.items()})


def replace_bill(
    fund_id: FundId, bill_id: BillId, event_count: int, by: BillHead, event_id: UUID, actor: str, at: datetime
) -> tuple[Part, Part]:
    """Parts of a write: a reversed bill is replaced by another, which its next event names."""
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "event_count": event_count,
        "by": by.bill_id,
        "event_id": event_id,
        "payload": json({"replaced_by": str(by.bill_id), "settlement_no": by.settlement_no}),
        "actor": actor,
        "at": at,
    }
    head = {name: values[name] for name in ("fund_id", "bill_id", "event_count", "by")}
    event_ = {name: value for name, value in values.items() if name != "by"}
    return (
        Part(_REPLACE, {f"replaced_{name}": value for name, value in head.items()}),
        Part(_TELL_REPLACED, {f"told_{name}": value for name, value in event_.items()}),
    )


def insert_settlement(
    fund_id: FundId,
    bill_id: BillId,
    member_id: MemberId | None,
    plan_version_id: PlanVersionId | None,
    priced: PricedRecord,
) -> Part:
    """Part of a write: one revision of a settlement, in the books day that is open now."""
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "revision": priced.revision,
        "member_id": member_id,
        "plan_version_id": plan_version_id,
        "service_date": priced.service_date,
        "business_date": priced.business_date,
        **{f"{name}_fen": int(getattr(priced.figures, name)) for name in _FIGURES},
        **{f"{name}_fen": int(getattr(priced.figures.funds, name)) for name in _FUNDS},
        **{f"{name}_fen": int(getattr(priced.split, name)) for name in _SPLIT},
        "engine_version": priced.engine_version,
        "receipt_hash": priced.receipt_hash,
        "receipt": json(priced.receipt),
        "actor": priced.actor,
        "recorded_at": priced.recorded_at,
        "hold_id": priced.hold_id,
    }
    return insert_part("settlement", values, [_open_books_day("settlement")])


def insert_postings(fund_id: FundId, bill_id: BillId, revision: int, postings: Sequence[Posting]) -> Part:
    """Part of a write: the postings of a settlement, numbered from 1."""
    values = {
        "posting_fund_id": fund_id,
        "posting_bill_id": bill_id,
        "posting_revision": revision,
        "posting_debit": [line.debit for line in postings],
        "posting_credit": [line.credit for line in postings],
        "posting_fen": [int(line.fen) for line in postings],
    }
    return Part(_INSERT_POSTINGS, values)


def insert_consumption(
    fund_id: FundId, head: BillHead, member_id: MemberId, plan_code: str, revision: int, taken: Sequence[Taking]
) -> Part:
    """Part of a write: what this settlement takes of each benefit's room, and its stay where the plan counts stays."""
    values = {
        "fund_id": fund_id,
        "bill_id": head.bill_id,
        "place_bill_id": head.place_bill_id,
        "member_id": member_id,
        "plan_code": plan_code,
        "revision": revision,
        **room_values(taken),
    }
    return Part(_INSERT_CONSUMPTION, {f"consumption_{name}": value for name, value in values.items()})


def insert_reversal(fund_id: FundId, bill_id: BillId, reversal_id: UUID, undone: ReversalRecord) -> Part:
    """Part of a write: the undoing of one revision. It carries no amounts."""
    values = {
        "fund_id": fund_id,
        "bill_id": bill_id,
        "reversal_id": reversal_id,
        **{field.name: getattr(undone, field.name) for field in fields(ReversalRecord)},
    }
    return insert_part("reversal", values, [_open_books_day("reversal")])


def insert_swapped_postings(fund_id: FundId, bill_id: BillId, revision: int) -> Part:
    """Part of a write: the original postings of a revision with their sides swapped."""
    values = {"swapped_fund_id": fund_id, "swapped_bill_id": bill_id, "swapped_revision": revision}
    return Part(_INSERT_SWAPPED_POSTINGS, values)


def insert_same_consumption(fund_id: FundId, bill_id: BillId, revision: int) -> Part:
    """Part of a write: a revision takes exactly the room that the one before it took."""
    values = {"same_fund_id": fund_id, "same_bill_id": bill_id, "same_revision": revision}
    return Part(_INSERT_SAME_CONSUMPTION, values)


def insert_event(
    fund_id: FundId, head: BillHead, event_id: UUID, type_: str, payload: object, actor: str, at: datetime
) -> Part:
    """Part of a write: the newest event of a bill; the head's count, written under the bill's lock, is its order."""
    values = {
        "fund_id": fund_id,
        "bill_id": head.bill_id,
        "sequence": head.event_count,
        "event_id": event_id,
        "type": type_,
        "payload": json(payload),
        "actor": actor,
        "recorded_at": at,
    }
    return insert_part("event", values)


def _open_books_day(table: str) -> tuple[str, str]:
    return (
        "books_day",
        f"(SELECT books_day FROM books_day WHERE fund_id = :{table}_fund_id AND closed_at IS NULL)",
    )


_FIXED = ("bill_id", "settlement_no", "area", "insurer_settlement_id", "door", "created_at")
_CHANGING = [field.name for field in fields(BillHead) if field.name not in _FIXED]
_UPDATE_HEAD = (
    f"UPDATE bill SET {', '.join(f'{name} = :bill_{name}' for name in _CHANGING)} "
    "WHERE fund_id = :bill_fund_id AND bill_id = :bill_bill_id"
)
_REPLACE = """
UPDATE bill SET state = 'replaced', replaced_by_bill_id = :replaced_by, event_count = :replaced_event_count
WHERE fund_id = :replaced_fund_id AND bill_id = :replaced_bill_id AND state = 'reversed'
"""
_TELL_REPLACED = """
INSERT INTO event (fund_id, bill_id, sequence, event_id, type, payload, actor, recorded_at)
VALUES (:told_fund_id, :told_bill_id, :told_event_count, :told_event_id, 'settlement.replaced.v1', :told_payload,
        :told_actor, :told_at)
"""
_INSERT_POSTINGS = f"""
INSERT INTO posting (fund_id, bill_id, revision, record, books_day, line, debit, credit, fen)
SELECT CAST(:posting_fund_id AS uuid), CAST(:posting_bill_id AS uuid), CAST(:posting_revision AS integer), 'settlement',
       {_open_books_day("posting")[1]}, line, debit, credit, fen
FROM unnest(CAST(:posting_debit AS text[]), CAST(:posting_credit AS text[]), CAST(:posting_fen AS bigint[]))
     WITH ORDINALITY AS given (debit, credit, fen, line)
"""
_INSERT_SWAPPED_POSTINGS = f"""
INSERT INTO posting (fund_id, bill_id, revision, record, books_day, line, debit, credit, fen)
SELECT fund_id, bill_id, revision, 'reversal', {_open_books_day("swapped")[1]}, line, credit, debit, fen
FROM posting
WHERE fund_id = :swapped_fund_id AND bill_id = :swapped_bill_id AND revision = :swapped_revision
  AND record = 'settlement'
"""
_INSERT_SAME_CONSUMPTION = f"""
INSERT INTO consumption (fund_id, bill_id, member_id, plan_code, revision, {ROOM_COLUMNS}, place_bill_id)
SELECT fund_id, bill_id, member_id, plan_code, CAST(:same_revision AS integer), {ROOM_COLUMNS}, place_bill_id
FROM consumption
WHERE fund_id = :same_fund_id AND bill_id = :same_bill_id AND revision = CAST(:same_revision AS integer) - 1
"""
_INSERT_CONSUMPTION = f"""
INSERT INTO consumption (fund_id, bill_id, member_id, plan_code, revision, place_bill_id, {ROOM_COLUMNS})
SELECT CAST(:consumption_fund_id AS uuid), CAST(:consumption_bill_id AS uuid), CAST(:consumption_member_id AS uuid),
       CAST(:consumption_plan_code AS text), CAST(:consumption_revision AS integer),
       CAST(:consumption_place_bill_id AS uuid), given.*
FROM {rows_of_room("consumption")} AS given
"""


async def find_head(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> BillHead | None:
    """Return one head by the bill's id."""
    statement = select(bill).where(bill.c.fund_id == fund_id, bill.c.bill_id == bill_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return head_from_mapping(dict(row)) if row else None


async def get_head(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> BillHead:
    """Return the head of a bill that is known to exist: heads are never removed. Raises `InvariantViolation`."""
    head = await find_head(connection, fund_id, bill_id)
    if head is None:
        raise InvariantViolation("a bill's head is gone")
    return head


async def find_head_by_insurer_id(
    connection: AsyncConnection, fund_id: FundId, area: str, insurer_settlement_id: str
) -> BillHead | None:
    """Return one head by the insurer's area and settlement id."""
    statement = select(bill).where(
        bill.c.fund_id == fund_id, bill.c.area == area, bill.c.insurer_settlement_id == insurer_settlement_id
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return head_from_mapping(dict(row)) if row else None


async def is_of_another_bill(
    connection: AsyncConnection, fund_id: FundId, head: BillHead, cancelling_settlement_id: str
) -> bool:
    """Say whether a cancellation's id has cancelled another bill already, or names another settlement of the area."""
    named = or_(
        bill.c.cancelling_settlement_id == cancelling_settlement_id,
        bill.c.insurer_settlement_id == cancelling_settlement_id,
    )
    statement = select(bill.c.bill_id).where(
        bill.c.fund_id == fund_id, bill.c.area == head.area, bill.c.bill_id != head.bill_id, named
    )
    return (await connection.execute(statement.limit(1))).one_or_none() is not None


async def list_live_bills_of_member(
    connection: AsyncConnection, fund_id: FundId, member_id: MemberId
) -> list[SettledBill]:
    """Return the live bills of one member, in the order of their ids."""
    statement = select(bill.c.bill_id).where(
        bill.c.fund_id == fund_id, bill.c.member_id == member_id, bill.c.state == BillState.LIVE.value
    )
    return await list_settled_bills(connection, fund_id, bill_ids=list((await connection.execute(statement)).scalars()))


async def find_later_bill_of_visit(
    connection: AsyncConnection, fund_id: FundId, head: BillHead, billed: Money, discharged_on: date | None
) -> BillId | None:
    """Return the live bill that corrects a bill though it was recorded before that one's end.

    It was recorded later, for the same member and hospital, and stands in the bill's place already, because it
    corrected it before; or it replaces none, has no correction of its own, and says so itself (`resettles`), or is of
    the same visit or stay, and of the same batch, total, or day of discharge: a visit has many batches, and a long stay
    many mid-stay settlements, that correct nothing.
    """
    of_stay = [bill.c.visit_no == head.visit_no] if head.visit_no is not None else []
    same_visit = or_(bill.c.encounter_id == head.encounter_id, *of_stay)
    left = settlement.c.receipt[("inputs", "facts", "discharged_on")].astext
    of_discharge = [left == discharged_on.isoformat()] if discharged_on is not None else []
    same_batch = bill.c.charge_batch_no == head.charge_batch_no
    same_care = or_(same_batch, settlement.c.billed_fen == int(billed), *of_discharge)
    named = func.coalesce(bill.c.resettles == head.insurer_settlement_id, False)
    in_place = func.coalesce(bill.c.place_bill_id == head.place, False)
    follower = bill.alias("follower")
    begins_chain = exists().where(follower.c.fund_id == bill.c.fund_id, follower.c.place_bill_id == bill.c.bill_id)
    stands_alone = and_(bill.c.replaces_bill_id.is_(None), ~begins_chain)
    shown = and_(
        settlement.c.fund_id == bill.c.fund_id,
        settlement.c.bill_id == bill.c.bill_id,
        settlement.c.revision == bill.c.revision,
    )
    statement = (
        select(bill.c.bill_id)
        .join(settlement, shown)
        .where(
            bill.c.fund_id == fund_id,
            bill.c.member_id == head.member_id,
            bill.c.hospital_code == head.hospital_code,
            bill.c.state == BillState.LIVE.value,
            bill.c.bill_id > head.bill_id,
            settlement.c.plan_version_id.is_not(None),
            or_(in_place, and_(stands_alone, or_(named, and_(same_visit, same_care)))),
        )
        .order_by(in_place.desc(), named.desc(), bill.c.bill_id)
        .limit(1)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def list_bills_in_place(connection: AsyncConnection, fund_id: FundId, place: BillId) -> list[BillHead]:
    """Return the bills of a correction chain, whatever became of them, in the order in which they were recorded."""
    of_chain = or_(bill.c.bill_id == place, bill.c.place_bill_id == place)
    statement = select(bill).where(bill.c.fund_id == fund_id, of_chain).order_by(bill.c.bill_id)
    return [head_from_mapping(dict(row)) for row in (await connection.execute(statement)).mappings()]


async def list_cancellations(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> list[str | None]:
    """Return the numbers of the cancellations that ended a bill; `None` for one that 5203 only reported.

    One that ended it before it had a record is known by its undoing.
    """
    reversed_by = select(reversal.c.cancelling_settlement_id).where(
        reversal.c.fund_id == fund_id, reversal.c.bill_id == bill_id, reversal.c.seen_by != BY_REVISION
    )
    undone = select(event.c.payload["cancellation"].astext).where(
        event.c.fund_id == fund_id, event.c.bill_id == bill_id, event.c.type == "settlement.cancellation_undone.v1"
    )
    return list((await connection.execute(reversed_by.union_all(undone))).scalars())


async def list_live_bills_of_visit(
    connection: AsyncConnection, fund_id: FundId, area: str, encounter_id: str
) -> list[SettledBill]:
    """Return the live bills of one visit."""
    statement = select(bill.c.bill_id).where(
        bill.c.fund_id == fund_id,
        bill.c.area == area,
        bill.c.encounter_id == encounter_id,
        bill.c.state == BillState.LIVE.value,
    )
    ids = list((await connection.execute(statement)).scalars())
    return await list_settled_bills(connection, fund_id, bill_ids=ids)


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


_MET = hold.alias("met")
_PROMISE_MET = (
    select(_MET.c.hold_id)
    .where(_MET.c.fund_id == bill.c.fund_id, _MET.c.bill_id == bill.c.bill_id, _MET.c.kind != HoldKind.SUCCESSOR.value)
    .order_by((_MET.c.state == HoldState.KEPT.value).desc(), _MET.c.hold_id.desc())
    .limit(1)
    .correlate(bill)
    .scalar_subquery()
)
_SETTLED_BILLS = (
    select(
        *[bill.c[field.name].label(f"head_{field.name}") for field in fields(BillHead)],
        *[column.label(f"priced_{column.name}") for column in settlement.c],
        *[column.label(f"undone_{column.name}") for column in reversal.c],
        *[column.label(f"met_{column.name}") for column in hold.c],
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
        .outerjoin(hold, and_(hold.c.fund_id == bill.c.fund_id, hold.c.hold_id == _PROMISE_MET))
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
    return SettledBill(head, priced, undone, _promise_met(row) if row["met_hold_id"] is not None else None)


def _promise_met(row: Mapping[str, Any]) -> PromiseMet:
    promised = Split(**{name: Money(row[f"met_{name}_fen"]) for name in _SPLIT})
    return PromiseMet(HoldId(row["met_hold_id"]), row["met_state"] == HoldState.KEPT.value, promised)


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
        hold_id=row["priced_hold_id"],
        plan_version_id=row["priced_plan_version_id"],
        **{name: row[f"priced_{name}"] for name in plain},
    )


def _undone(row: Mapping[str, Any]) -> ReversalRecord:
    return ReversalRecord(**{field.name: row[f"undone_{field.name}"] for field in fields(ReversalRecord)})


def _head_values(head: BillHead) -> dict[str, Any]:
    values: dict[str, Any] = {field.name: getattr(head, field.name) for field in fields(BillHead)}
    question = head.question
    values["question"] = json({"code": question.code, "figures": dict(question.figures)}) if question else None
    values["state"], values["door"] = head.state.value, head.door.value
    return values


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str | None) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
