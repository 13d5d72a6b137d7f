"""What an examination reads row by row: one read-only snapshot of all funds, streamed, so that memory stays small."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from settlement.db.secrets import Sealed
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.ids import BillId, FundId, MemberId, PlanVersionId
from settlement.domain.money import Money
from settlement.domain.postings import Posting
from settlement.domain.settlements import BY_REVISION, Split

ROWS_AT_ONCE = 500
WORK_MEMORY = "64MB"

Room = tuple[int, int, int, int, int, int]
"""Base, burden and paid in fen, days, times, deductible in fen: taken or used of one benefit in one term."""

_FUNDS = [field.name for field in fields(InsurerFunds)]
_FIGURES = [field.name for field in fields(BillFigures) if field.name != "funds"]
_SPLIT = [field.name for field in fields(Split)]


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open one transaction that sees all funds as they are now, whatever is committed meanwhile, and writes nothing."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            await connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEMORY}'"))
            await connection.execute(text("SET LOCAL jit = off"))
            yield connection


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A plan version as its row says; `document` is what it was made of."""

    fund_id: FundId
    plan_version_id: PlanVersionId
    plan_code: str
    version: str
    effective_from: date
    document: str
    digest: str


async def list_stored_versions(connection: AsyncConnection) -> list[StoredVersion]:
    """Return the plan versions of every fund."""
    names = ", ".join(field.name for field in fields(StoredVersion))
    rows = await connection.execute(text(f"SELECT {names} FROM plan_version ORDER BY plan_version_id"))
    return [StoredVersion(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class StoredSettlement:
    """One revision of a settlement as it is kept, with its postings in their order and the room it took."""

    fund_id: FundId
    bill_id: BillId
    plan_version_id: PlanVersionId | None
    service_date: date
    figures: BillFigures
    split: Split
    engine_version: str
    receipt_hash: str
    receipt: Any
    postings: tuple[Posting, ...]
    taken: Mapping[tuple[str, str], Room]


_SETTLEMENTS = text("""
SELECT settlement.*,
       (SELECT jsonb_agg(jsonb_build_array(debit, credit, fen) ORDER BY line) FROM posting
        WHERE posting.fund_id = settlement.fund_id AND posting.bill_id = settlement.bill_id
          AND posting.revision = settlement.revision AND record = 'settlement') AS postings,
       taken.rows AS taken
FROM settlement
LEFT JOIN (
    SELECT fund_id, bill_id, revision,
           jsonb_agg(jsonb_build_array(
               benefit, term, base_fen, burden_fen, paid_fen, days, times, deductible_fen)) AS rows
    FROM consumption GROUP BY fund_id, bill_id, revision) AS taken USING (fund_id, bill_id, revision)
""")


async def stream_settlements(connection: AsyncConnection) -> AsyncIterator[StoredSettlement]:
    """Yield every revision of every settlement."""
    async with connection.stream(_SETTLEMENTS, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        async for row in rows.mappings():
            yield _settlement(row)


def _settlement(row: RowMapping) -> StoredSettlement:
    funds = InsurerFunds(**{name: Money(row[f"{name}_fen"]) for name in _FUNDS})
    return StoredSettlement(
        fund_id=row["fund_id"],
        bill_id=row["bill_id"],
        plan_version_id=row["plan_version_id"],
        service_date=row["service_date"],
        figures=BillFigures(funds=funds, **{name: Money(row[f"{name}_fen"]) for name in _FIGURES}),
        split=Split(**{name: Money(row[f"{name}_fen"]) for name in _SPLIT}),
        engine_version=row["engine_version"],
        receipt_hash=row["receipt_hash"],
        receipt=row["receipt"],
        postings=tuple(Posting(debit, credit, Money(fen)) for debit, credit, fen in row["postings"] or ()),
        taken=_rooms(row["taken"]),
    )


@dataclass(frozen=True, slots=True)
class RecordOfMember:
    """What one settlement or hold of a member found used and took, and from when on until when.

    The numbers are drawn under the member's lock: they say which of his records came first, whatever the clocks said.
    A hold ends by its time, too; where its visit was asked about, that was prolonged and ended at moments not kept.

    `computed` is each benefit that its receipt computed, with its term.
    """

    fund_id: FundId
    member_id: MemberId
    plan_code: str
    record_id: UUID
    revision: int
    number: int
    recorded_at: datetime
    end_number: int | None
    ended_at: datetime | None
    expires_at: datetime | None
    asked_until: datetime | None
    decided: bool
    """Whether it was computed: not the settlement that keeps a promise, nor a kept place."""
    took_back_its_place: bool
    """Whether it took back what had been kept of its own bill as that was cancelled."""
    used_before: Any
    computed: tuple[tuple[str, str], ...]
    taken: Mapping[tuple[str, str], Room]
    place: UUID
    """The bill whose place in the order it has, or the hold itself."""
    moved: int | None
    """The number since which it has that place and not its own."""
    served: bool
    """Whether a re-rating leaves it as it is: a hold, and a bill that has what it was promised."""
    rated: Sequence[UUID] | None
    """The bills that a re-rating computed together with it, each after those before its place; else it is `None`."""


_ROOM_TAKEN = "jsonb_agg(jsonb_build_array(benefit, term, base_fen, burden_fen, paid_fen, days, times, deductible_fen))"
_RECORDS_OF_MEMBERS = text(f"""
SELECT settlement.fund_id, settlement.member_id, plan_version.plan_code, settlement.bill_id AS record_id,
       settlement.revision, settlement.number, settlement.recorded_at,
       reversal.number AS end_number, reversal.recorded_at AS ended_at,
       CAST(NULL AS timestamptz) AS expires_at, CAST(NULL AS timestamptz) AS asked_until,
       settlement.hold_id IS NULL AS decided,
       EXISTS (SELECT FROM hold WHERE hold.fund_id = settlement.fund_id AND hold.of_bill_id = settlement.bill_id
               AND hold.bill_id = settlement.bill_id AND hold.ended_at = settlement.recorded_at) AS took_back_its_place,
       settlement.receipt -> 'used_before' AS used_before,
       jsonb_path_query_array(settlement.receipt, '$.result[*].code') AS benefits,
       jsonb_path_query_array(settlement.receipt, '$.result[*].term.code') AS terms,
       taken.rows AS taken,
       COALESCE(bill.place_bill_id, settlement.bill_id) AS place,
       CASE WHEN bill.replaces_bill_id IS NOT NULL THEN GREATEST(
           (SELECT max(undone.number) FROM reversal AS undone WHERE undone.fund_id = bill.fund_id
            AND undone.bill_id = bill.replaces_bill_id AND undone.seen_by <> '{BY_REVISION}'
            AND undone.recorded_at = (
                SELECT event.recorded_at FROM event
                WHERE event.fund_id = bill.fund_id AND event.bill_id = bill.replaces_bill_id
                  AND event.type = 'settlement.replaced.v1' AND event.payload ->> 'replaced_by' = bill.bill_id::text
                ORDER BY sequence LIMIT 1)),
           (SELECT max(hold.end_number) FROM hold WHERE hold.fund_id = bill.fund_id
            AND hold.of_bill_id = bill.replaces_bill_id AND hold.bill_id = bill.bill_id)) END AS moved,
       EXISTS (SELECT FROM settlement AS kept WHERE kept.fund_id = settlement.fund_id
               AND kept.bill_id = settlement.bill_id AND kept.hold_id IS NOT NULL
               AND kept.aid_on_bill_fen + kept.aid_to_card_fen
                   = settlement.aid_on_bill_fen + settlement.aid_to_card_fen) AS served,
       CASE WHEN EXISTS (SELECT FROM reversal AS undone
                         WHERE undone.fund_id = settlement.fund_id AND undone.bill_id = settlement.bill_id
                           AND undone.revision = settlement.revision - 1 AND undone.reason = 'rerated')
            THEN ARRAY(SELECT CAST(line ->> 'bill_id' AS uuid)
                       FROM rerating CROSS JOIN jsonb_array_elements(lines) AS line
                       WHERE rerating.fund_id = settlement.fund_id AND rerating.member_id = settlement.member_id
                         AND rerating.state = 'applied' AND rerating.decided_at = settlement.recorded_at
                         AND line ->> 'aid_now_fen' IS NOT NULL) END AS rated
FROM settlement
JOIN plan_version USING (fund_id, plan_version_id)
LEFT JOIN bill ON bill.fund_id = settlement.fund_id AND bill.bill_id = settlement.bill_id
LEFT JOIN reversal ON reversal.fund_id = settlement.fund_id AND reversal.bill_id = settlement.bill_id
     AND reversal.revision = settlement.revision
LEFT JOIN (SELECT fund_id, bill_id, revision, {_ROOM_TAKEN} AS rows
           FROM consumption GROUP BY fund_id, bill_id, revision) AS taken
    ON taken.fund_id = settlement.fund_id AND taken.bill_id = settlement.bill_id
   AND taken.revision = settlement.revision
UNION ALL
SELECT fund_id, member_id, plan_code, hold_id, 1, number, created_at, end_number, ended_at, expires_at, asked_until,
       kind <> 'successor', false, receipt -> 'used_before',
       jsonb_path_query_array(receipt, '$.result[*].code'), jsonb_path_query_array(receipt, '$.result[*].term.code'),
       (SELECT {_ROOM_TAKEN}
        FROM hold_room WHERE hold_room.fund_id = hold.fund_id AND hold_room.hold_id = hold.hold_id),
       hold_id, NULL, true, NULL
FROM hold
ORDER BY 1, 2, 3, 4, 5
""")


async def stream_by_member(connection: AsyncConnection) -> AsyncIterator[RecordOfMember]:
    """Yield every settlement and hold under a plan, those of one member and plan together, revision after revision."""
    async with connection.stream(_RECORDS_OF_MEMBERS, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        async for row in rows.mappings():
            values = {each.name: row[each.name] for each in fields(RecordOfMember) if each.name != "computed"}
            computed = tuple(zip_longest(map(str, row["benefits"]), map(str, row["terms"]), fillvalue=""))
            yield RecordOfMember(**values | {"computed": computed, "taken": _rooms(row["taken"])})


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """A sealed value: the ids that its envelope is bound to, and the blind index it is found by, if any."""

    fund_id: FundId
    bound_to: UUID
    bill_id: UUID | None
    sealed: Sealed
    index: bytes | None


_ENVELOPES = {
    "person": "person_id, NULL::uuid, key_id, envelope, certificate_index",
    "person_number": "person_id, NULL::uuid, key_id, envelope, number_index",
    "message_body": "message_id, bill_id, key_id, envelope, NULL::bytea",
}


async def stream_envelopes(connection: AsyncConnection, table: str) -> AsyncIterator[StoredEnvelope]:
    """Yield every sealed value of `person`, `person_number` or `message_body`."""
    statement = text(f"SELECT fund_id, {_ENVELOPES[table]} FROM {table}")
    async with connection.stream(statement, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        async for fund_id, bound_to, bill_id, key_id, envelope, index in rows:
            yield StoredEnvelope(fund_id, bound_to, bill_id, Sealed(key_id, envelope), index)


def _rooms(rows: list[list[Any]] | None) -> dict[tuple[str, str], Room]:
    return {
        (benefit, term): (base, burden, paid, days, times, deductible)
        for benefit, term, base, burden, paid, days, times, deductible in rows or ()
    }
