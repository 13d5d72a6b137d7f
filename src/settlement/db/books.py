"""Books days and seals: closing a day, the lines of its records in their fixed order, and the chain of seals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.parts import Part, insert_part, json
from settlement.db.settling import books_lock
from settlement.db.tables import books_day, seal
from settlement.domain.books import BooksDay, DayContent, Seal, Statement, Sums
from settlement.domain.ids import FundId
from settlement.domain.money import Money

LINES_AT_ONCE = 1000

_SUMS = [field.name for field in fields(Sums)]


async def lock_books(connection: AsyncConnection, fund_id: FundId, wait_milliseconds: int) -> None:
    """Wait until no transaction records anything for this fund, and let none begin until this one ends.

    Who records waits behind who waits here: so the wait is short, and ends with the driver's `LockNotAvailable`.
    """
    await connection.execute(text(f"SET LOCAL lock_timeout = '{wait_milliseconds}ms'"))
    await connection.execute(select(func.pg_advisory_xact_lock(books_lock(fund_id))))


_CLOSE = text("""
WITH closed AS (
    UPDATE books_day SET closed_at = :at
    WHERE fund_id = :fund_id AND closed_at IS NULL
      AND NOT EXISTS (
          SELECT FROM books_day AS earlier WHERE earlier.fund_id = :fund_id AND earlier.closed_at >= :today)
    RETURNING fund_id, books_day
)
INSERT INTO books_day (fund_id, books_day, opened_at)
SELECT fund_id, books_day + 1, CAST(:at AS timestamptz) FROM closed
RETURNING books_day - 1 AS books_day
""")


async def close_open_day(connection: AsyncConnection, fund_id: FundId, at: datetime, today: datetime) -> int | None:
    """Close the fund's open day and open the next; return the number of the closed one.

    `today` is the beginning of the Chinese date: `None` is returned when a day was closed since then. Call it after
    `lock_books`, in a statement of its own: so it sees what was closed while the lock was waited for.
    """
    values = {"fund_id": fund_id, "at": at, "today": today}
    return (await connection.execute(_CLOSE, values)).scalar_one_or_none()


async def list_open_days(connection: AsyncConnection) -> list[BooksDay]:
    """Return the open day of every fund that this connection may see."""
    rows = await connection.execute(_days().where(books_day.c.closed_at.is_(None)).order_by(books_day.c.fund_id))
    return [BooksDay(*row) for row in rows]


async def list_unsealed_days(connection: AsyncConnection, fund_id: FundId | None = None) -> list[BooksDay]:
    """Return the closed days that have no seal yet, of one fund or of every one, the oldest of each fund first."""
    sealed = select(seal.c.fund_id).where(
        seal.c.fund_id == books_day.c.fund_id, seal.c.books_day == books_day.c.books_day
    )
    statement = _days().where(books_day.c.closed_at.is_not(None), ~sealed.exists())
    if fund_id is not None:
        statement = statement.where(books_day.c.fund_id == fund_id)
    rows = await connection.execute(statement.order_by(books_day.c.fund_id, books_day.c.books_day))
    return [BooksDay(*row) for row in rows]


async def find_day(connection: AsyncConnection, fund_id: FundId, number: int) -> BooksDay | None:
    """Return one books day."""
    statement = _days().where(books_day.c.fund_id == fund_id, books_day.c.books_day == number)
    row = (await connection.execute(statement)).one_or_none()
    return BooksDay(*row) if row else None


async def list_days(
    connection: AsyncConnection, fund_id: FundId, before: int | None, most: int
) -> list[tuple[BooksDay, Seal | None]]:
    """Return a fund's books days with their seals, the newest first, from before a number on."""
    statement = _days().where(books_day.c.fund_id == fund_id)
    if before is not None:
        statement = statement.where(books_day.c.books_day < before)
    statement = statement.order_by(books_day.c.books_day.desc()).limit(most)
    days = [BooksDay(*row) for row in await connection.execute(statement)]
    numbers = [day.number for day in days]
    kept = select(seal).where(seal.c.fund_id == fund_id, seal.c.books_day.in_(numbers))
    seals = {found.statement.books_day: found for found in map(_seal, await connection.execute(kept))}
    return [(day, seals.get(day.number)) for day in days]


_OF_DAY = "fund_id = :fund_id AND books_day = :books_day"
_COUNTS = text(f"""
SELECT (SELECT count(*) FROM settlement WHERE {_OF_DAY}) AS settlement,
       (SELECT count(*) FROM reversal WHERE {_OF_DAY}) AS reversal
""")


async def count_day(connection: AsyncConnection, fund_id: FundId, number: int) -> dict[str, int]:
    """Return how many settlements and reversals a books day has, by kind of record."""
    row = (await connection.execute(_COUNTS, {"fund_id": fund_id, "books_day": number})).mappings().one()
    return dict(row)


def _days() -> Any:
    return select(books_day.c.fund_id, books_day.c.books_day, books_day.c.opened_at, books_day.c.closed_at)


def _instant(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


_SETTLING = "('settlement.settled.v1', 'settlement.revised.v1')"
_UNDOING = "('settlement.reversed.v1', 'settlement.revised.v1')"
_TELLING = "('settlement.settled.v1', 'settlement.reversed.v1', 'settlement.revised.v1')"


def _settlement_lines(beside: str = "") -> str:
    return f"""
        SELECT json_build_array('settlement', bill_id, revision, member_id, plan_version_id, service_date,
            business_date, books_day, billed_fen, excluded_fen, over_limit_fen, upfront_share_fen, allowed_fen,
            insurer_deductible_fen, hifp_fen, cvlserv_fen, hifes_fen, hifmi_fen, hifob_fen, hifdm_fen, maf_fen, oth_fen,
            unnamed_fen, provider_absorbed_fen, patient_share_fen, account_paid_fen, family_account_paid_fen,
            cash_before_aid_fen, aid_on_bill_fen, aid_to_card_fen, other_on_bill_fen, cash_due_fen, engine_version,
            receipt_hash, actor, {_instant("recorded_at")}{beside})::text
        FROM settlement WHERE {_OF_DAY}
        ORDER BY bill_id, revision"""


def _consumption_lines(beside: str = "") -> str:
    return f"""
        SELECT json_build_array('consumption', bill_id, revision, member_id, plan_code, benefit, term, base_fen,
            burden_fen, paid_fen, days, times, deductible_fen, unit, visit, care_from, care_to, hospital_code,
            diagnosis{beside})::text
        FROM (SELECT fund_id, bill_id, revision, member_id FROM settlement WHERE {_OF_DAY}) AS of_day
        JOIN consumption USING (fund_id, bill_id, revision, member_id)
        ORDER BY bill_id, revision, plan_code COLLATE "C", benefit COLLATE "C", term COLLATE "C"
        """


_FIRST_FORMAT = {
    "settlement": _settlement_lines(),
    "reversal": f"""
        SELECT json_build_array('reversal', bill_id, revision, reversal_id, reason, seen_by, cancelling_settlement_id,
            business_date, books_day, actor, {_instant("recorded_at")})::text
        FROM reversal WHERE {_OF_DAY}
        ORDER BY bill_id, revision""",
    "posting": f"""
        SELECT json_build_array('posting', bill_id, revision, record, line, debit, credit, fen, books_day)::text
        FROM (
            SELECT posting.* FROM (SELECT fund_id, bill_id, revision FROM settlement WHERE {_OF_DAY}) AS of_day
            JOIN posting USING (fund_id, bill_id, revision) WHERE record = 'settlement'
            UNION ALL
            SELECT posting.* FROM (SELECT fund_id, bill_id, revision FROM reversal WHERE {_OF_DAY}) AS of_day
            JOIN posting USING (fund_id, bill_id, revision) WHERE record = 'reversal') AS of_day
        ORDER BY bill_id, revision, record COLLATE "C", line""",
    "consumption": _consumption_lines(),
    "event": f"""
        WITH settled AS (
            SELECT event.fund_id, event.bill_id, payload ->> 'revision' AS revision, min(sequence) AS told_by
            FROM (SELECT DISTINCT fund_id, bill_id FROM (
                SELECT fund_id, bill_id FROM settlement WHERE {_OF_DAY}
                UNION ALL
                SELECT fund_id, bill_id FROM reversal WHERE {_OF_DAY}) AS record) AS of_day
            JOIN event USING (fund_id, bill_id)
            WHERE type IN {_SETTLING}
            GROUP BY 1, 2, 3
        ), told AS (
            SELECT fund_id, bill_id, told_by
            FROM (SELECT fund_id, bill_id, revision::text FROM settlement WHERE {_OF_DAY}) AS of_day
            JOIN settled USING (fund_id, bill_id, revision)
            UNION
            SELECT fund_id, bill_id, min(sequence)
            FROM (SELECT fund_id, bill_id, revision::text FROM reversal WHERE {_OF_DAY}) AS of_day
            JOIN settled USING (fund_id, bill_id, revision)
            JOIN event USING (fund_id, bill_id)
            WHERE type IN {_UNDOING} AND sequence > told_by
            GROUP BY fund_id, bill_id, revision
        )
        SELECT json_build_array('event', bill_id, sequence, event_id, type, payload, actor,
            {_instant("recorded_at")})::text
        FROM told JOIN event USING (fund_id, bill_id)
        WHERE sequence <= told_by
          AND sequence > COALESCE((
              SELECT max(earlier.sequence) FROM event AS earlier
              WHERE earlier.fund_id = told.fund_id AND earlier.bill_id = told.bill_id
                AND earlier.sequence < told.told_by AND earlier.type IN {_TELLING}), 0)
        ORDER BY bill_id, sequence""",
}
"""Each kind of record of a day as lines of JSON in a fixed order, whatever the server's locale, zone or plan.

A receipt is in its hash. An event is of the day of the record that it tells, or that the bill's next such event tells.
One event tells a revision: the settlement that stands by it, and the reversal of the one before.
"""

_WHOSE_BILL = """, number, hold_id,
            (SELECT json_build_array(settlement_no, area, insurer_settlement_id, hospital_code, encounter_id)
             FROM bill WHERE bill.fund_id = settlement.fund_id AND bill.bill_id = settlement.bill_id)"""
_SECOND_FORMAT = {
    **_FIRST_FORMAT,
    "settlement": _settlement_lines(_WHOSE_BILL),
    "consumption": _consumption_lines(", place_bill_id"),
}
"""Says of a settlement also which bill and hospital it is about, under which promise and in which order it was made.

Of the bill's head it has what never changes once there is a settlement.
"""

DAY_LINES = {1: _FIRST_FORMAT, 2: _SECOND_FORMAT}
"""By format. A kind that is added changes no older day, which has no row of it; other columns are another format."""


async def stream_day_lines(
    connection: AsyncConnection, fund_id: FundId, number: int, format_: int
) -> AsyncIterator[tuple[str, Sequence[str]]]:
    """Yield the lines of a books day's records, a thousand at most at a time, each time with the kind of record."""
    values = {"fund_id": fund_id, "books_day": number}
    for kind, lines in DAY_LINES[format_].items():
        async with connection.stream(text(lines), values, execution_options={"yield_per": LINES_AT_ONCE}) as rows:
            async for found in rows.scalars().partitions(LINES_AT_ONCE):
                yield kind, found


_SUM = text(f"""
SELECT COALESCE(sum(aid_on_bill_fen), 0), COALESCE(sum(aid_to_card_fen), 0),
       COALESCE(sum(undone_on_bill), 0), COALESCE(sum(undone_to_card), 0)
FROM (
    SELECT aid_on_bill_fen, aid_to_card_fen, 0 AS undone_on_bill, 0 AS undone_to_card FROM settlement WHERE {_OF_DAY}
    UNION ALL
    SELECT 0, 0, aid_on_bill_fen, aid_to_card_fen
    FROM (SELECT fund_id, bill_id, revision FROM reversal WHERE {_OF_DAY}) AS undone
    JOIN settlement USING (fund_id, bill_id, revision)) AS aid
""")


async def sum_day(connection: AsyncConnection, fund_id: FundId, number: int) -> Sums:
    """Return the sums of a books day in fen."""
    row = (await connection.execute(_SUM, {"fund_id": fund_id, "books_day": number})).one()
    return Sums(*(Money(int(fen)) for fen in row))


def insert_seal(fund_id: FundId, new: Seal) -> Part:
    """Part of a write: the seal of a day. A second one of the same day is refused by its key."""
    stated = new.statement
    values = {
        "fund_id": fund_id,
        "books_day": stated.books_day,
        "previous_day": stated.books_day - 1,
        "format": stated.format,
        "closed_at": stated.closed_at,
        "counts": json(dict(stated.content.counts)),
        **{f"{name}_fen": int(getattr(stated.content.sums, name)) for name in _SUMS},
        "record_hash": stated.content.record_hash,
        "previous_hash": stated.previous_hash,
        "seal_hash": new.seal_hash,
        "key_id": stated.key_id,
        "signature": new.signature,
        "sealed_at": stated.sealed_at,
    }
    return insert_part("seal", values)


def insert_fund_event(fund_id: FundId, event_id: UUID, type_: str, payload: object, actor: str, at: datetime) -> Part:
    """Part of a write: the next event of the fund itself, about no bill. Of two at once one is refused: try again."""
    values = {
        "fund_id": fund_id,
        "event_id": event_id,
        "type": type_,
        "payload": json(payload),
        "actor": actor,
        "recorded_at": at,
    }
    next_of_fund = (
        "(SELECT COALESCE(max(sequence), 0) + 1 FROM event WHERE fund_id = :event_fund_id AND bill_id IS NULL)"
    )
    return insert_part("event", values, [("sequence", next_of_fund)])


async def find_last_seal(connection: AsyncConnection, fund_id: FundId) -> Seal | None:
    """Return the newest seal of a fund."""
    statement = select(seal).where(seal.c.fund_id == fund_id).order_by(seal.c.books_day.desc()).limit(1)
    row = (await connection.execute(statement)).one_or_none()
    return _seal(row) if row else None


async def list_seals(connection: AsyncConnection, fund_id: FundId, after: int, limit: int) -> list[Seal]:
    """Return up to `limit` seals of the days after a given one (0 to begin), in the order of the days."""
    mine = (seal.c.fund_id == fund_id) & (seal.c.books_day > after)
    rows = await connection.execute(select(seal).where(mine).order_by(seal.c.books_day).limit(limit))
    return [_seal(row) for row in rows]


async def stream_seals(connection: AsyncConnection) -> AsyncIterator[Seal]:
    """Yield every seal of every fund that this connection may see, those of a fund together and in order."""
    statement = select(seal).order_by(seal.c.fund_id, seal.c.books_day)
    async with connection.stream(statement, execution_options={"yield_per": LINES_AT_ONCE}) as rows:
        async for row in rows:
            yield _seal(row)


def _seal(row: Row[Any]) -> Seal:
    content = DayContent(
        counts=row.counts,
        sums=Sums(**{name: Money(getattr(row, f"{name}_fen")) for name in _SUMS}),
        record_hash=row.record_hash,
    )
    statement = Statement(
        fund_id=FundId(row.fund_id),
        books_day=row.books_day,
        format=row.format,
        closed_at=row.closed_at,
        content=content,
        previous_hash=row.previous_hash,
        key_id=row.key_id,
        sealed_at=row.sealed_at,
    )
    return Seal(statement, row.seal_hash, row.signature)
