"""Re-ratings as they were proposed: the lines of one member's term, and what a person decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.tables import rerating, rerating_look, worklist_item
from settlement.domain.ids import BillId, FundId, MemberId
from settlement.domain.money import Money
from settlement.domain.settlements import FOR_WANT_OF_COVER, RevisionReason
from settlement.domain.worklist import RERATING_PROPOSED


@dataclass(frozen=True, slots=True)
class StoredRerating:
    """A proposal with its lines as JSON (bill, revision, aid recorded and now in fen) and what became of it."""

    rerating_id: UUID
    member_id: MemberId
    of_bill_id: BillId
    plan_code: str
    term: str
    lines: Sequence[Mapping[str, Any]]
    net: Money
    state: str
    actor: str
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


async def add_rerating(connection: AsyncConnection, fund_id: FundId, proposed: StoredRerating) -> None:
    """Add a proposal; one of the same member and term that is still open lapses by it. Call it under the lock."""
    mine = (rerating.c.fund_id == fund_id) & (rerating.c.member_id == proposed.member_id)
    same = (rerating.c.plan_code == proposed.plan_code) & (rerating.c.term == proposed.term)
    ended = {"state": "lapsed", "decided_by": proposed.actor, "decided_at": proposed.created_at}
    open_one = mine & same & (rerating.c.state == "proposed")
    await _close_items(connection, fund_id, select(rerating.c.rerating_id).where(open_one), proposed.created_at)
    await connection.execute(update(rerating).where(open_one).values(ended))
    values = {
        "fund_id": fund_id,
        "rerating_id": proposed.rerating_id,
        "member_id": proposed.member_id,
        "of_bill_id": proposed.of_bill_id,
        "plan_code": proposed.plan_code,
        "term": proposed.term,
        "lines": [dict(line) for line in proposed.lines],
        "net_fen": int(proposed.net),
        "state": proposed.state,
        "actor": proposed.actor,
        "created_at": proposed.created_at,
    }
    await connection.execute(insert(rerating).values(values))


async def find_rerating(connection: AsyncConnection, fund_id: FundId, rerating_id: UUID) -> StoredRerating | None:
    """Return one re-rating."""
    statement = select(rerating).where(rerating.c.fund_id == fund_id, rerating.c.rerating_id == rerating_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return _stored(dict(row)) if row else None


async def lock_proposal(connection: AsyncConnection, fund_id: FundId, rerating_id: UUID) -> None:
    """Make others who decide a proposal wait until the transaction ends: whoever does takes its worklist item first."""
    named = worklist_item.c.figures["rerating"].astext == str(rerating_id)
    mine = (worklist_item.c.fund_id == fund_id) & (worklist_item.c.kind == RERATING_PROPOSED)
    await connection.execute(select(worklist_item.c.item_id).where(mine & named).with_for_update(key_share=True))


async def list_reratings_of_term(
    connection: AsyncConnection, fund_id: FundId, member_id: MemberId, plan_code: str, term: str
) -> list[StoredRerating]:
    """Return all that was proposed for a member and term, whatever became of it; one at most is open."""
    statement = select(rerating).where(
        rerating.c.fund_id == fund_id,
        rerating.c.member_id == member_id,
        rerating.c.plan_code == plan_code,
        rerating.c.term == term,
    )
    return [_stored(dict(row)) for row in (await connection.execute(statement)).mappings()]


async def list_reratings(
    connection: AsyncConnection, fund_id: FundId, before: UUID | None, limit: int
) -> list[StoredRerating]:
    """Return up to `limit` re-ratings, the newest first."""
    statement = select(rerating).where(rerating.c.fund_id == fund_id)
    if before is not None:
        statement = statement.where(rerating.c.rerating_id < before)
    rows = await connection.execute(statement.order_by(rerating.c.rerating_id.desc()).limit(limit))
    return [_stored(dict(row)) for row in rows.mappings()]


async def decide_rerating(
    connection: AsyncConnection, fund_id: FundId, rerating_id: UUID, state: str, actor: str, at: datetime
) -> None:
    """Write what became of an open proposal; it is no work for anybody any more."""
    mine = (rerating.c.fund_id == fund_id) & (rerating.c.rerating_id == rerating_id)
    decided = {"state": state, "decided_by": actor, "decided_at": at}
    await _close_items(connection, fund_id, select(rerating.c.rerating_id).where(mine), at)
    await connection.execute(update(rerating).where(mine & (rerating.c.state == "proposed")).values(decided))


async def _close_items(connection: AsyncConnection, fund_id: FundId, ended: Select[tuple[UUID]], at: datetime) -> None:
    named = worklist_item.c.figures["rerating"].astext.in_(select(cast(ended.subquery().c.rerating_id, Text)))
    items = (worklist_item.c.fund_id == fund_id) & (worklist_item.c.kind == RERATING_PROPOSED)
    is_open = worklist_item.c.closed_at.is_(None)
    await connection.execute(update(worklist_item).where(items & is_open & named).values(closed_at=at))


@dataclass(frozen=True, slots=True)
class Cause:
    """What may have changed what bills of a term would get: its kind, the record's id, and a bill of that term."""

    kind: str
    cause_id: UUID
    term: str
    bill_id: BillId


COVERED = "covered"
"""A membership that may cover a bill which was found not to be covered; its `term` is the bill itself."""
_TERM = "COALESCE(settlement.receipt #>> '{result,0,term,code}', '')"
_PRICED = """JOIN bill ON bill.fund_id = cause.fund_id AND bill.bill_id = cause.bill_id
    JOIN settlement ON settlement.fund_id = bill.fund_id AND settlement.bill_id = bill.bill_id
        AND settlement.revision = bill.revision"""
_CAUSES = text(f"""
WITH cause AS (
    SELECT CASE WHEN cause.revision < bill.revision THEN 'revised' ELSE 'reversed' END AS kind,
           reversal_id AS cause_id, bill.bill_id, {_TERM} AS term
    FROM reversal AS cause {_PRICED}
    WHERE cause.fund_id = :fund_id AND cause.recorded_at > :since
      AND CASE WHEN cause.revision < bill.revision THEN cause.reason <> ALL (CAST(:moving_no_room AS text[]))
          ELSE NOT EXISTS (
              SELECT FROM hold
              WHERE hold.fund_id = bill.fund_id AND hold.member_id = bill.member_id AND hold.of_bill_id = bill.bill_id
                AND hold.state = 'open' AND hold.stands_until > :at) END
    UNION ALL
    SELECT 'later_payer', payer_id, bill.bill_id, {_TERM}
    FROM later_payer AS cause {_PRICED}
    WHERE cause.fund_id = :fund_id AND cause.recorded_at > :since
    UNION ALL
    (SELECT DISTINCT ON (membership_id, {_TERM}) 'roster', membership_id, bill.bill_id, {_TERM}
    FROM membership AS cause
    JOIN bill ON bill.fund_id = cause.fund_id AND bill.member_id = cause.member_id AND bill.state = 'live'
    JOIN settlement ON settlement.fund_id = bill.fund_id AND settlement.bill_id = bill.bill_id
        AND settlement.revision = bill.revision AND settlement.recorded_at < cause.recorded_at
        AND settlement.service_date BETWEEN cause.first_day AND cause.last_day
    JOIN plan_version ON plan_version.fund_id = settlement.fund_id
        AND plan_version.plan_version_id = settlement.plan_version_id AND plan_version.plan_code = cause.plan_code
    WHERE cause.fund_id = :fund_id AND cause.recorded_at > :since
    ORDER BY membership_id, {_TERM}, bill.bill_id)
    UNION ALL
    SELECT '{COVERED}', membership_id, bill.bill_id, bill.bill_id::text
    FROM membership AS cause
    JOIN bill ON bill.fund_id = cause.fund_id AND bill.member_id = cause.member_id AND bill.state = 'live'
    JOIN settlement ON settlement.fund_id = bill.fund_id AND settlement.bill_id = bill.bill_id
        AND settlement.revision = bill.revision AND settlement.plan_version_id IS NULL
        AND settlement.receipt ->> 'excluded' = ANY (CAST(:for_want_of_cover AS text[]))
    WHERE cause.fund_id = :fund_id AND cause.recorded_at > :since
)
SELECT kind, cause_id, term, bill_id FROM cause
WHERE NOT EXISTS (
    SELECT FROM rerating_look AS looked
    WHERE looked.fund_id = :fund_id AND looked.kind = cause.kind AND looked.cause_id = cause.cause_id
      AND looked.term = cause.term)
ORDER BY cause_id, term LIMIT :most
""")
_MOVING_NO_ROOM = (
    RevisionReason.NOT_SHOWN,
    RevisionReason.ANSWER_LOST,
    RevisionReason.CLEARING_DISPUTED,
    RevisionReason.RERATED,
)
"""A transfer takes the same room as before; a re-rating has left nothing to change."""


async def list_causes(
    connection: AsyncConnection, fund_id: FundId, since: datetime, at: datetime, most: int
) -> list[Cause]:
    """Return up to `most` records made after `since` that may change other bills' aid and were not looked at.

    They are reversals whose place nobody can take any more by `at`, or has taken; revisions that took other room;
    later payers; memberships that were recorded after live bills of their span; and those of the person of a bill that
    was found not to be covered.
    """
    values = {
        "fund_id": fund_id,
        "since": since,
        "at": at,
        "most": most,
        "moving_no_room": [reason.value for reason in _MOVING_NO_ROOM],
        "for_want_of_cover": list(FOR_WANT_OF_COVER),
    }
    rows = await connection.execute(_CAUSES, values)
    return [Cause(row.kind, row.cause_id, row.term, BillId(row.bill_id)) for row in rows]


async def was_looked_at(connection: AsyncConnection, fund_id: FundId, cause: Cause) -> bool:
    """Say whether a cause has its mark."""
    statement = select(rerating_look.c.cause_id).where(
        rerating_look.c.fund_id == fund_id,
        rerating_look.c.kind == cause.kind,
        rerating_look.c.cause_id == cause.cause_id,
        rerating_look.c.term == cause.term,
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def add_look(
    connection: AsyncConnection, fund_id: FundId, cause: Cause, rerating_id: UUID | None, at: datetime
) -> None:
    """Mark a cause as looked at, with the re-rating that it led to, if to any. Call it under the lock."""
    values = {
        "fund_id": fund_id,
        "kind": cause.kind,
        "cause_id": cause.cause_id,
        "term": cause.term,
        "bill_id": cause.bill_id,
        "rerating_id": rerating_id,
        "looked_at": at,
    }
    await connection.execute(insert(rerating_look).values(values))


def _stored(row: Mapping[str, Any]) -> StoredRerating:
    names = ("rerating_id", "plan_code", "term", "lines", "state", "actor", "created_at", "decided_by", "decided_at")
    return StoredRerating(
        member_id=MemberId(row["member_id"]),
        of_bill_id=BillId(row["of_bill_id"]),
        net=Money(row["net_fen"]),
        **{name: row[name] for name in names},
    )
