"""The queue of questions about what is not certain: opened once per bill, leased to one asker, ended once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part
from settlement.db.tables import bill, pending_question
from settlement.domain.ids import BillId, FundId
from settlement.domain.pending import Asks, Ending, PendingQuestion, Said
from settlement.domain.settlements import BillState

LOOKED_BACK = timedelta(minutes=10)
"""A bill's id carries the time of its making; bills made up to so long before the newest one are looked at."""


class LeaseLost(Exception):
    """Somebody else has the question now, or it was opened anew: what was found out is left to them."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A question that one asker holds until its lease ends."""

    question_id: UUID
    asker_id: UUID
    question: PendingQuestion


def insert_question(fund_id: FundId, question_id: UUID, question: PendingQuestion) -> Part:
    """Part of a write: a new question. Where one about the bill is open, that one asks this from now on.

    Whoever holds the old one's lease loses it, because what he was asking is no longer asked. The same asked again
    changes nothing: its deadline would never come otherwise.
    """
    values = {
        "fund_id": fund_id,
        "question_id": question_id,
        "bill_id": question.bill_id,
        "asks": question.asks.value,
        "message_id": question.message_id,
        "opened_at": question.opened_at,
        "due_at": question.due_at,
        "deadline_at": question.deadline_at,
        "tries": question.tries,
    }
    part = insert_part("pending_question", values)
    changed = ", ".join(
        f"{name} = excluded.{name}" for name in ("asks", "message_id", "opened_at", "due_at", "deadline_at", "tries")
    )
    return replace(
        part,
        sql=f"{part.sql} ON CONFLICT (fund_id, bill_id) WHERE closed_at IS NULL "
        f"DO UPDATE SET {changed}, asker_id = NULL, leased_until = NULL "
        "WHERE (pending_question.asks, pending_question.message_id) "
        "IS DISTINCT FROM (excluded.asks, excluded.message_id)",
    )


_OPEN = text("""
INSERT INTO pending_question (fund_id, question_id, bill_id, asks, message_id, opened_at, due_at, deadline_at, tries)
SELECT bill.fund_id, CAST(given.id AS uuid), bill.bill_id, 'bill', bill.message_id, :now, :due_at, :deadline_at, 0
FROM (
    SELECT fund_id, bill_id, message_id, row_number() OVER (ORDER BY bill_id) AS place
    FROM bill
    WHERE fund_id = :fund_id AND confirmed_at IS NULL AND state IN ('live', 'held') AND bill_id > :not_before
      AND NOT EXISTS (SELECT FROM pending_question AS asked
                      WHERE asked.fund_id = bill.fund_id AND asked.bill_id = bill.bill_id)
    ORDER BY bill_id LIMIT :most
) AS bill
JOIN unnest(CAST(:ids AS text[])) WITH ORDINALITY AS given (id, place) ON given.place = bill.place
ON CONFLICT DO NOTHING
""")


async def open_questions(
    connection: AsyncConnection,
    fund_id: FundId,
    ids: Sequence[UUID],
    now: datetime,
    due_at: datetime,
    deadline_at: datetime,
    *,
    all_times: bool,
) -> int:
    """Open a question about each brought bill that is neither confirmed nor asked about yet, as many as there are ids.

    Looks at those made since ten minutes before the newest that is asked about, with `all_times` at every one.
    """
    made = None if all_times else (await connection.execute(_NEWEST, {"fund_id": fund_id})).scalar_one_or_none()
    values = {
        "fund_id": fund_id,
        "ids": [str(each) for each in ids],
        "now": now,
        "due_at": due_at,
        "deadline_at": deadline_at,
        "not_before": _made_before(made) if made else UUID(int=0),
        "most": len(ids),
    }
    return (await connection.execute(_OPEN, values)).rowcount


_NEWEST = text("""
SELECT bill_id FROM pending_question WHERE fund_id = :fund_id AND asks = 'bill' ORDER BY bill_id DESC LIMIT 1
""")


def _made_before(bill_id: UUID) -> UUID:
    """Return the least UUIDv7 of the instant `LOOKED_BACK` before a bill's making."""
    milliseconds = (bill_id.int >> 80) - int(LOOKED_BACK.total_seconds() * 1000)
    return UUID(int=max(0, milliseconds) << 80)


_HASTEN = text("""
UPDATE pending_question SET due_at = :now, outcome = NULL, closed_at = NULL
FROM bill AS head
WHERE pending_question.fund_id = :fund_id AND (closed_at IS NULL OR outcome = 'unresolved')
  AND (due_at > :now OR closed_at IS NOT NULL) AND pending_question.asker_id IS NULL
  AND head.fund_id = pending_question.fund_id AND head.bill_id = pending_question.bill_id
  AND ((asks IN ('bill', 'cancellation') AND head.state NOT IN ('live', 'held'))
    OR (asks = 'bill' AND head.confirmed_at IS NOT NULL)
    OR (asks = 'settlement' AND head.state = 'pending' AND EXISTS (
        SELECT FROM bill AS known
        WHERE known.fund_id = head.fund_id AND known.encounter_id = head.encounter_id
          AND known.message_id = head.message_id AND known.hospital_code = head.hospital_code
          AND known.state NOT IN ('pending', 'resolved'))))
  AND NOT EXISTS (
      SELECT FROM pending_question AS open
      WHERE open.fund_id = pending_question.fund_id AND open.bill_id = pending_question.bill_id
        AND open.closed_at IS NULL AND open.question_id <> pending_question.question_id)
""")


async def hasten_questions(connection: AsyncConnection, fund_id: FundId, now: datetime) -> int:
    """Make those questions due whose answer is in our own records by now, unresolved ones too; return how many."""
    return (await connection.execute(_HASTEN, {"fund_id": fund_id, "now": now})).rowcount


_LEASE = text("""
UPDATE pending_question SET asker_id = :asker_id, leased_until = :until, tries = tries + 1
WHERE (fund_id, question_id) IN (
    SELECT fund_id, question_id FROM pending_question
    WHERE fund_id = :fund_id AND closed_at IS NULL AND due_at <= :now
      AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY due_at LIMIT :most
    FOR UPDATE SKIP LOCKED)
RETURNING *
""")


async def lease_questions(
    connection: AsyncConnection, fund_id: FundId, asker_id: UUID, now: datetime, until: datetime, most: int
) -> list[Leased]:
    """Take up to `most` questions that are due and nobody's, or whose asker let the lease run out (it was killed)."""
    values = {"fund_id": fund_id, "asker_id": asker_id, "now": now, "until": until, "most": most}
    rows = await connection.execute(_LEASE, values)
    return [Leased(row.question_id, asker_id, _question(row)) for row in rows]


async def put_off(
    connection: AsyncConnection, fund_id: FundId, leased: Leased, said: Said | None, due_at: datetime, tries: int
) -> None:
    """Give a question back, to be asked at `due_at`. Raises `LeaseLost`."""
    mine = pending_question.update().where(*_held_by(fund_id, leased))
    values = {"due_at": due_at, "tries": tries, "asker_id": None, "leased_until": None}
    if said is not None:
        values["said"] = said.value
    if (await connection.execute(mine.values(**values))).rowcount != 1:
        raise LeaseLost


async def end_question(
    connection: AsyncConnection, fund_id: FundId, leased: Leased, said: Said, outcome: Ending, at: datetime
) -> None:
    """End a question. Raises `LeaseLost`; then the transaction must not commit what depends on it."""
    mine = pending_question.update().where(*_held_by(fund_id, leased))
    values = {"said": said.value, "outcome": outcome.value, "closed_at": at, "asker_id": None, "leased_until": None}
    if (await connection.execute(mine.values(**values))).rowcount != 1:
        raise LeaseLost


def _held_by(fund_id: FundId, leased: Leased) -> tuple[Any, ...]:
    return (
        pending_question.c.fund_id == fund_id,
        pending_question.c.question_id == leased.question_id,
        pending_question.c.asker_id == leased.asker_id,
        pending_question.c.closed_at.is_(None),
    )


async def find_newest_question(connection: AsyncConnection, fund_id: FundId, bill_id: BillId) -> PendingQuestion | None:
    """Return the question about a bill that is open, else the one that was opened last."""
    statement = (
        select(pending_question)
        .where(pending_question.c.fund_id == fund_id, pending_question.c.bill_id == bill_id)
        .order_by(pending_question.c.closed_at.is_(None).desc(), pending_question.c.opened_at.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return _question(row) if row else None


async def find_bill_of_message(
    connection: AsyncConnection, fund_id: FundId, encounter_id: str, message_id: str, hospital_code: str
) -> BillId | None:
    """Return the bill that carries a message's id (`medins_setl_id`), through whichever door it came."""
    statement = select(bill.c.bill_id).where(
        bill.c.fund_id == fund_id,
        bill.c.encounter_id == encounter_id,
        bill.c.message_id == message_id,
        bill.c.hospital_code == hospital_code,
        bill.c.state.not_in([BillState.PENDING.value, BillState.RESOLVED.value]),
    )
    found = (await connection.execute(statement.limit(1))).scalar_one_or_none()
    return BillId(found) if found else None


async def close_worklist_items(
    connection: AsyncConnection, fund_id: FundId, bill_id: BillId, kinds: Sequence[str], at: datetime
) -> None:
    """Close what was put on the worklist about a bill, now that it is a fact."""
    await connection.execute(_CLOSE_ITEMS, {"fund_id": fund_id, "bill_id": bill_id, "kinds": list(kinds), "at": at})


_CLOSE_ITEMS = text("""
UPDATE worklist_item SET closed_at = :at
WHERE fund_id = :fund_id AND bill_id = :bill_id AND kind = ANY (CAST(:kinds AS text[])) AND closed_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many questions of a kind are open, and since when the oldest."""

    asks: str
    count: int
    oldest: datetime


async def count_open_questions(connection: AsyncConnection, fund_id: FundId) -> list[Waiting]:
    """Return the open questions by what they ask."""
    statement = (
        select(pending_question.c.asks, func.count(), func.min(pending_question.c.opened_at))
        .where(pending_question.c.fund_id == fund_id, pending_question.c.closed_at.is_(None))
        .group_by(pending_question.c.asks)
        .order_by(pending_question.c.asks)
    )
    return [Waiting(*row) for row in await connection.execute(statement)]


def _question(row: Row[Any]) -> PendingQuestion:
    return PendingQuestion(
        bill_id=BillId(row.bill_id),
        asks=Asks(row.asks),
        message_id=row.message_id,
        opened_at=row.opened_at,
        due_at=row.due_at,
        deadline_at=row.deadline_at,
        tries=row.tries,
        said=Said(row.said) if row.said else None,
        outcome=Ending(row.outcome) if row.outcome else None,
    )
