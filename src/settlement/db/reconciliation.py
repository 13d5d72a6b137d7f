"""The lists of reconciliation as they were imported, and the breaks with what was done about them.

Finding the breaks is in `reconciling.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json
from sqlalchemy import ColumnElement, RowMapping, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.secrets import Sealed
from settlement.db.tables import reconciliation_break, reconciliation_step
from settlement.domain.ids import BillId, FundId
from settlement.domain.reconciliation import Break, BreakKind, BreakStatus, Resolution, Source


@dataclass(frozen=True, slots=True)
class ListImport:
    """One list as it was imported. `hospital_codes` are the hospitals that a hospital's list is whole for."""

    import_id: UUID
    source: Source
    business_date: date
    hospital_codes: tuple[str, ...]
    digest: str
    line_count: int
    refused_count: int
    refused: Sequence[Mapping[str, Any]]
    actor: str
    imported_at: datetime


async def lock_reconciliation(connection: AsyncConnection, fund_id: FundId) -> None:
    """Let one run of a fund go on at a time; the next sees all that this one wrote."""
    number = hashlib.sha256(b"reconciliation\x1f" + fund_id.bytes).digest()[:8]
    key = int.from_bytes(number, "big", signed=True)
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


_KNOWN = text("""
SELECT given.line, known.area, known.state
FROM unnest(CAST(:lines AS integer[]), CAST(:areas AS text[]), CAST(:ids AS text[]), CAST(:codes AS text[]))
     AS given (line, area, id, code)
CROSS JOIN LATERAL (
    (SELECT area, state FROM bill
     WHERE fund_id = :fund_id AND area = given.area AND insurer_settlement_id = given.id)
    UNION ALL
    (SELECT area, state FROM bill
     WHERE fund_id = :fund_id AND insurer_settlement_id = given.id AND hospital_code = given.code)
    LIMIT 1) AS known
""")


async def list_known(
    connection: AsyncConnection, fund_id: FundId, keys: Sequence[tuple[int, str, str, str | None]]
) -> dict[int, tuple[str, str]]:
    """Return area and state of the bills that are recorded here, by number of line.

    A key is line, area, settlement id and hospital: a hospital names an area of its own for a bill now and then.
    """
    names = ("lines", "areas", "ids", "codes")
    columns = (
        dict(zip(names, map(list, zip(*keys, strict=True)), strict=True)) if keys else {name: [] for name in names}
    )
    rows = await connection.execute(_KNOWN, {"fund_id": fund_id, **columns})
    return {row.line: (row.area, row.state) for row in rows}


_ADD_LINES = text("""
INSERT INTO reconciliation_line
SELECT given.* FROM json_populate_recordset(CAST(NULL AS reconciliation_line), CAST(:rows AS json)) AS given
""")


async def add_lines(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert lines of a list, each by the names of the table's columns; what a row leaves out is not known."""
    await connection.execute(_ADD_LINES, {"rows": Json(rows)})


_ADD_IMPORT = text("""
INSERT INTO reconciliation_import VALUES (:fund_id, :import_id, :source, :business_date, CAST(:codes AS text[]),
    :digest, :line_count, :refused_count, :refused, :actor, :imported_at)
""")


async def add_import(connection: AsyncConnection, fund_id: FundId, new: ListImport) -> None:
    """Insert an import whose lines are all there: from now on it counts for its day."""
    values = {
        "fund_id": fund_id,
        "import_id": new.import_id,
        "source": new.source.value,
        "business_date": new.business_date,
        "codes": list(new.hospital_codes),
        "digest": new.digest,
        "line_count": new.line_count,
        "refused_count": new.refused_count,
        "refused": Json([dict(line) for line in new.refused]),
        "actor": new.actor,
        "imported_at": new.imported_at,
    }
    await connection.execute(_ADD_IMPORT, values)


_NEWEST_IMPORT = text("""
SELECT import_id, source, business_date, hospital_codes, digest, line_count, refused_count, refused, actor, imported_at
FROM reconciliation_import
WHERE fund_id = :fund_id AND source = :source AND business_date = :day AND imported_at > :oldest
  AND (source = 'bureau' OR hospital_codes && CAST(:codes AS text[]))
ORDER BY import_id DESC LIMIT 1
""")


async def find_newest_import(
    connection: AsyncConnection, fund_id: FundId, source: Source, day: date, codes: Sequence[str], oldest: datetime
) -> ListImport | None:
    """Return the import that counts for a day, of a hospital's lists the newest that covers one of the codes."""
    values = {"fund_id": fund_id, "source": source.value, "day": day, "codes": list(codes), "oldest": oldest}
    row = (await connection.execute(_NEWEST_IMPORT, values)).mappings().one_or_none()
    return _import(row) if row else None


_IMPORTS = text("""
SELECT import_id, source, business_date, hospital_codes, digest, line_count, refused_count, refused, actor, imported_at
FROM reconciliation_import
WHERE fund_id = :fund_id AND business_date = :day
ORDER BY import_id DESC LIMIT :most
""")


async def list_imports(connection: AsyncConnection, fund_id: FundId, day: date, most: int) -> list[ListImport]:
    """Return the lists that were imported for a day, the newest first."""
    rows = await connection.execute(_IMPORTS, {"fund_id": fund_id, "day": day, "most": most})
    return [_import(row) for row in rows.mappings()]


async def delete_expired_lines(connection: AsyncConnection, at: datetime, most: int) -> int:
    """Drop up to `most` lines of lists whose time is over; return how many. Only the login `settlement_ops` may."""
    statement = text("""
        DELETE FROM reconciliation_line WHERE (fund_id, import_id, line) IN (
            SELECT fund_id, import_id, line FROM reconciliation_line WHERE expires_at < :at LIMIT :most)""")
    return (await connection.execute(statement, {"at": at, "most": most})).rowcount


def bound_to(fund_id: FundId, import_id: UUID, line: int) -> bytes:
    """Return what a kept line is sealed to: its row."""
    return fund_id.bytes + import_id.bytes + line.to_bytes(8, "big")


_KEPT = text("""
SELECT key_id, envelope FROM reconciliation_line
WHERE fund_id = :fund_id AND import_id = :import_id AND line = :line AND envelope IS NOT NULL
""")


async def find_kept_line(connection: AsyncConnection, fund_id: FundId, import_id: UUID, line: int) -> Sealed | None:
    """Return a line as it was kept for a repair, sealed to its row; `None` when it was not kept or is dropped."""
    values = {"fund_id": fund_id, "import_id": import_id, "line": line}
    row = (await connection.execute(_KEPT, values)).one_or_none()
    return Sealed(row.key_id, row.envelope) if row else None


@dataclass(frozen=True, slots=True)
class BreakSearch:
    """Which breaks are wanted. A `None` asks for all; an empty owner for those that nobody has."""

    business_date: date | None = None
    status: BreakStatus | None = None
    kind: BreakKind | None = None
    owner: str | None = None
    bill_id: BillId | None = None


@dataclass(frozen=True, slots=True)
class BreakStep:
    """One entry of a break's history."""

    step: int
    kind: str
    details: Mapping[str, Any]
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReconciledDay:
    """The newest run of a business date, and how many breaks of that date are open now."""

    business_date: date
    run_at: datetime
    actor: str
    bureau: bool
    hospital_codes: tuple[str, ...]
    recorded_count: int
    bureau_count: int
    hospital_count: int
    found: Mapping[str, Mapping[str, int]]
    open_count: int
    unconfirmed_count: int


async def lock_break(connection: AsyncConnection, fund_id: FundId, break_id: UUID) -> None:
    """Make other actions on this break wait until the transaction ends."""
    mine = (_BREAK.c.fund_id == fund_id) & (_BREAK.c.break_id == break_id)
    await connection.execute(select(_BREAK.c.break_id).where(mine).with_for_update(key_share=True))


async def find_break(connection: AsyncConnection, fund_id: FundId, break_id: UUID) -> Break | None:
    """Return one break."""
    statement = select(*_BREAK_COLUMNS).where(_BREAK.c.fund_id == fund_id, _BREAK.c.break_id == break_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return _break(row) if row else None


async def list_breaks(
    connection: AsyncConnection, fund_id: FundId, search: BreakSearch, after: UUID | None, most: int
) -> list[Break]:
    """Return breaks in the order in which they were opened, from after an id on."""
    statement = select(*_BREAK_COLUMNS).where(*_wanted(fund_id, search))
    if after is not None:
        statement = statement.where(_BREAK.c.break_id > after)
    rows = await connection.execute(statement.order_by(_BREAK.c.break_id).limit(most))
    return [_break(row) for row in rows.mappings()]


async def count_breaks(connection: AsyncConnection, fund_id: FundId, search: BreakSearch) -> int:
    """Return how many breaks are wanted."""
    statement = select(func.count()).select_from(_BREAK).where(*_wanted(fund_id, search))
    return int((await connection.execute(statement)).scalar_one())


async def count_breaks_by_kind(
    connection: AsyncConnection, fund_id: FundId, business_date: date
) -> list[tuple[Source, BreakKind, int, int]]:
    """Return how many breaks of a business date are open and how many are resolved, by source and kind."""
    still_open = func.count().filter(_BREAK.c.status == BreakStatus.OPEN.value)
    statement = (
        select(_BREAK.c.source, _BREAK.c.kind, still_open, func.count() - still_open)
        .where(*_wanted(fund_id, BreakSearch(business_date=business_date)))
        .group_by(_BREAK.c.source, _BREAK.c.kind)
        .order_by(_BREAK.c.source, _BREAK.c.kind)
    )
    rows = await connection.execute(statement)
    return [(Source(source), BreakKind(kind), open_, resolved) for source, kind, open_, resolved in rows]


async def list_break_steps(connection: AsyncConnection, fund_id: FundId, break_id: UUID) -> list[BreakStep]:
    """Return the history of a break."""
    of_break = (_STEP.c.fund_id == fund_id) & (_STEP.c.break_id == break_id)
    columns = (_STEP.c.step, _STEP.c.kind, _STEP.c.details, _STEP.c.actor, _STEP.c.at)
    rows = await connection.execute(select(*columns).where(of_break).order_by(_STEP.c.step))
    return [BreakStep(*row) for row in rows]


async def write_step(
    connection: AsyncConnection,
    fund_id: FundId,
    changed: Break,
    kind: str,
    details: Mapping[str, Any],
    actor: str,
    at: datetime,
) -> None:
    """Write how a locked break now stands, with the step that brought it there; `step_count` is the step's number."""
    mine = (_BREAK.c.fund_id == fund_id) & (_BREAK.c.break_id == changed.break_id)
    values = {name: getattr(changed, name) for name in ("bill_id", "owner", "resolved_by", "resolved_at", "step_count")}
    values |= {"status": changed.status.value, "resolution": changed.resolution.value if changed.resolution else None}
    await connection.execute(update(_BREAK).where(mine).values(values))
    step = {"fund_id": fund_id, "break_id": changed.break_id, "step": changed.step_count, "kind": kind}
    await connection.execute(insert(_STEP).values({**step, "details": dict(details), "actor": actor, "at": at}))


_DAYS = text("""
SELECT run.business_date, run_at, actor, bureau_import_id IS NOT NULL AS bureau, hospital_codes, recorded_count,
       bureau_count, hospital_count, found,
       (SELECT count(*) FROM reconciliation_break AS of_break
        WHERE of_break.fund_id = :fund_id AND of_break.business_date = run.business_date AND status = 'open')
           AS open_count,
       (SELECT count(*) FROM bill
        WHERE bill.fund_id = :fund_id AND bill.business_date = run.business_date AND state = 'live'
          AND confirmed_at IS NULL) AS unconfirmed_count
FROM (
    SELECT DISTINCT ON (business_date) * FROM reconciliation_run
    WHERE fund_id = :fund_id AND business_date < COALESCE(CAST(:before AS date), 'infinity')
    ORDER BY business_date DESC, run_id DESC LIMIT :most) AS run
ORDER BY run.business_date DESC
""")


async def list_reconciled_days(
    connection: AsyncConnection, fund_id: FundId, before: date | None, most: int
) -> list[ReconciledDay]:
    """Return the days that were run, the newest date first, from before a date on."""
    rows = await connection.execute(_DAYS, {"fund_id": fund_id, "before": before, "most": most})
    return [ReconciledDay(**{**row, "hospital_codes": tuple(row["hospital_codes"])}) for row in rows.mappings()]


_BREAK, _STEP = reconciliation_break, reconciliation_step
_BREAK_COLUMNS = [_BREAK.c[field.name] for field in fields(Break)]


def _wanted(fund_id: FundId, search: BreakSearch) -> list[ColumnElement[bool]]:
    asked = {"business_date": search.business_date, "bill_id": search.bill_id, "kind": search.kind}
    conditions = [_BREAK.c.fund_id == fund_id]
    conditions += [
        _BREAK.c[name] == value for name, value in {**asked, "status": search.status}.items() if value is not None
    ]
    if search.owner is not None:
        conditions.append(_BREAK.c.owner == search.owner if search.owner else _BREAK.c.owner.is_(None))
    return conditions


def _import(row: RowMapping) -> ListImport:
    return ListImport(**{**row, "source": Source(row["source"]), "hospital_codes": tuple(row["hospital_codes"])})


def _break(row: RowMapping) -> Break:
    return Break(
        **{
            **row,
            "source": Source(row["source"]),
            "kind": BreakKind(row["kind"]),
            "status": BreakStatus(row["status"]),
            "resolution": Resolution(row["resolution"]) if row["resolution"] else None,
        }
    )
