"""Drafts of plan versions, what was done with each by whom, the versions made of them, and the bills these touch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db.settling import CommandKey, StoredAnswer, taking_from_mapping
from settlement.db.tables import idempotency, plan_draft, plan_version, settlement
from settlement.domain.benefits import STAY, Taking
from settlement.domain.errors import SettlementError
from settlement.domain.ids import BillId, DraftId, FundId, PlanVersionId, StaffId
from settlement.domain.money import Money


class StepTaken(SettlementError):
    """Somebody else took a step with this draft first, after which this one is not possible."""

    code = "plan_step_refused"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with a draft, by whom, and when. `findings` are the check's, or those that an approval took."""

    kind: str
    actor_id: StaffId
    at: datetime
    errors: int = 0
    findings: tuple[Mapping[str, Any], ...] = ()
    remark: str | None = None
    actor: str = ""
    """The actor's login name; read, not written."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version of a plan that was submitted: its canonical text, the file it was read from, and its steps in order.

    `published` is the version that was made of it.
    """

    draft_id: DraftId
    plan_code: str
    version: str
    effective_from: date
    corrects: str | None
    document: str
    digest: str
    source: str
    author_id: StaffId
    author: str
    created_at: datetime
    steps: tuple[Step, ...] = ()
    published: PlanVersionId | None = None

    @property
    def state(self) -> str:
        """The kind of its last step."""
        return self.steps[-1].kind


_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


async def lock_plans(connection: AsyncConnection, fund_id: FundId) -> None:
    """Make other commands about this fund's plans wait until the transaction ends; settlements go on."""
    number = int.from_bytes(hashlib.sha256(b"plans\x1f" + fund_id.bytes).digest()[:8], "big", signed=True)
    await connection.execute(_LOCK, {"number": number})


async def add_answer(
    connection: AsyncConnection, fund_id: FundId, command: CommandKey, answer: StoredAnswer, at: datetime
) -> None:
    """Insert the answer to a command about plans, in the commit of its effect."""
    values = {
        "fund_id": fund_id,
        "client_id": command.client_id,
        "key": command.key,
        "fingerprint": answer.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "recorded_at": at,
    }
    await connection.execute(insert(idempotency).values(values))


async def add_draft(connection: AsyncConnection, fund_id: FundId, new: Draft, check: Step) -> None:
    """Insert a draft with what its check found."""
    values = {
        "fund_id": fund_id,
        "draft_id": new.draft_id,
        "plan_code": new.plan_code,
        "version": new.version,
        "effective_from": new.effective_from,
        "corrects": new.corrects,
        "document": new.document,
        "digest": new.digest,
        "source": new.source,
        "author_id": new.author_id,
        "created_at": new.created_at,
    }
    await connection.execute(insert(plan_draft).values(values))
    await add_step(connection, fund_id, new, check)


_RESTS_ON = {"approved": "checked", "published": "approved"}


async def add_step(connection: AsyncConnection, fund_id: FundId, draft: Draft, new: Step) -> None:
    """Insert a step. Raises `StepTaken` where another one that excludes it was taken meanwhile."""
    values = {
        "fund_id": fund_id,
        "draft_id": draft.draft_id,
        "kind": new.kind,
        "rests_on": _RESTS_ON.get(new.kind),
        "author_id": draft.author_id,
        "digest": draft.digest,
        "actor_id": new.actor_id,
        "errors": new.errors,
        "findings": Jsonb([dict(finding) for finding in new.findings]),
        "remark": new.remark,
        "at": new.at,
    }
    columns = ", ".join(values)
    statement = text(f"INSERT INTO plan_step ({columns}) VALUES ({', '.join(f':{name}' for name in values)})")
    try:
        await connection.execute(statement, values)
    except IntegrityError as refused:
        if isinstance(refused.orig, UniqueViolation):
            raise StepTaken(version=draft.version, step=new.kind, draft_state="changed meanwhile") from refused
        raise


async def add_plan_version(
    connection: AsyncConnection, fund_id: FundId, version_id: PlanVersionId, draft: Draft, at: datetime
) -> None:
    """Insert the version that a published draft becomes; it is never changed."""
    values = {
        "fund_id": fund_id,
        "plan_version_id": version_id,
        "plan_code": draft.plan_code,
        "version": draft.version,
        "effective_from": draft.effective_from,
        "document": draft.document,
        "digest": draft.digest,
        "published_at": at,
        "corrects": draft.corrects,
        "draft_id": draft.draft_id,
        "step": "published",
    }
    await connection.execute(insert(plan_version).values(values))


_DRAFTS = """
SELECT draft.draft_id, draft.plan_code, draft.version, draft.effective_from, draft.corrects, draft.document,
       draft.digest, draft.source, draft.author_id, author.login AS author, draft.created_at,
       made.plan_version_id AS published,
       (SELECT json_agg(json_build_object('kind', kind, 'actor_id', actor_id, 'at', at, 'errors', errors,
                                          'findings', findings, 'remark', remark, 'actor', actor.login)
                        ORDER BY array_position(
                            ARRAY['faulty', 'checked', 'approved', 'rejected', 'withdrawn', 'published'], kind))
        FROM plan_step JOIN staff AS actor ON actor.fund_id = plan_step.fund_id AND actor.staff_id = actor_id
        WHERE plan_step.fund_id = draft.fund_id AND plan_step.draft_id = draft.draft_id) AS steps
FROM plan_draft AS draft
JOIN staff AS author ON author.fund_id = draft.fund_id AND author.staff_id = draft.author_id
LEFT JOIN plan_version AS made ON made.fund_id = draft.fund_id AND made.draft_id = draft.draft_id
WHERE draft.fund_id = :fund_id AND draft.plan_code = :plan_code
"""
_ONE_DRAFT = text(f"{_DRAFTS} AND draft.draft_id = :draft_id")
_OF_VERSION = text(
    f"{_DRAFTS} AND draft.version = :version ORDER BY made.plan_version_id IS NULL, draft.draft_id DESC LIMIT 1"
)
_PAGE = text(
    f"{_DRAFTS} AND (CAST(:before AS uuid) IS NULL OR draft.draft_id < CAST(:before AS uuid)) "
    "ORDER BY draft.draft_id DESC LIMIT :limit"
)


async def find_draft(connection: AsyncConnection, fund_id: FundId, plan_code: str, draft_id: DraftId) -> Draft | None:
    """Return a draft of the fund's plan by its id."""
    values = {"fund_id": fund_id, "plan_code": plan_code, "draft_id": draft_id}
    row = (await connection.execute(_ONE_DRAFT, values)).one_or_none()
    return _draft(row) if row else None


async def find_draft_of_version(
    connection: AsyncConnection, fund_id: FundId, plan_code: str, version: str
) -> Draft | None:
    """Return the draft that a version was made of; of a version that is not published, its newest draft."""
    values = {"fund_id": fund_id, "plan_code": plan_code, "version": version}
    row = (await connection.execute(_OF_VERSION, values)).one_or_none()
    return _draft(row) if row else None


async def list_drafts(
    connection: AsyncConnection, fund_id: FundId, plan_code: str, before: DraftId | None, limit: int
) -> list[Draft]:
    """Return drafts and versions of the fund's plan, newest first, that are older than `before`."""
    values = {"fund_id": fund_id, "plan_code": plan_code, "before": before, "limit": limit}
    return [_draft(row) for row in await connection.execute(_PAGE, values)]


async def find_newest_service_date(connection: AsyncConnection, fund_id: FundId) -> date | None:
    """Return the newest service date that a settlement was recorded for."""
    newest = select(func.max(settlement.c.service_date)).where(settlement.c.fund_id == fund_id)
    found: date | None = (await connection.execute(newest)).scalar_one()
    return found


@dataclass(frozen=True, slots=True)
class TouchedSettlement:
    """A live settlement under another version than the one in force on its service date.

    `inputs` are its receipt's: what it was computed from, besides the room. `takings` are what the member's live
    bills that were recorded before it took.
    """

    bill_id: BillId
    settlement_no: str
    service_date: date
    version: str
    aid: Money
    hospital_code: str
    encounter_id: str
    receipt_no: str | None
    inputs: Any
    takings: tuple[Taking, ...]


_LIVE_UNDER_ANOTHER = """
FROM settlement
JOIN bill USING (fund_id, bill_id)
JOIN plan_version AS used USING (fund_id, plan_version_id)
WHERE settlement.fund_id = :fund_id AND bill.state = 'live' AND bill.revision = settlement.revision
  AND used.plan_code = :plan_code AND used.digest <> :digest
  AND (settlement.service_date, settlement.bill_id) > (CAST(:after_date AS date), CAST(:after_bill AS uuid))
  AND settlement.service_date < COALESCE(CAST(:until AS date), 'infinity')
"""
_TAKEN_BEFORE = f"""
SELECT jsonb_agg(jsonb_build_object(
    'benefit', taken.benefit, 'term', taken.term, 'elsewhere', taken.plan_code <> :plan_code, 'unit', taken.unit,
    'visit', taken.visit, 'care_from', taken.care_from, 'care_to', taken.care_to, 'hospital', taken.hospital_code,
    'diagnosis', taken.diagnosis, 'base', taken.base_fen, 'burden', taken.burden_fen, 'paid', taken.paid_fen,
    'days', taken.days, 'times', taken.times, 'deductible', taken.deductible_fen) ORDER BY earlier.bill_id)
FROM consumption AS taken
JOIN settlement AS earlier USING (fund_id, bill_id, revision)
WHERE taken.fund_id = settlement.fund_id AND taken.member_id = settlement.member_id
  AND (earlier.recorded_at, earlier.bill_id) < (settlement.recorded_at, settlement.bill_id)
  AND (taken.benefit <> '{STAY}' OR taken.plan_code = :plan_code)
  AND NOT EXISTS (
      SELECT FROM reversal
      WHERE reversal.fund_id = taken.fund_id AND reversal.bill_id = taken.bill_id
        AND reversal.revision = taken.revision)
"""
_TOUCHED = text(f"""
SELECT settlement.bill_id, bill.settlement_no, settlement.service_date, used.version,
       settlement.aid_on_bill_fen + settlement.aid_to_card_fen AS aid,
       bill.hospital_code, bill.encounter_id, bill.receipt_no, settlement.receipt -> 'inputs' AS inputs,
       ({_TAKEN_BEFORE}) AS takings
{_LIVE_UNDER_ANOTHER}
ORDER BY settlement.service_date, settlement.bill_id
LIMIT :limit
""")
_COUNT_TOUCHED = text(f"SELECT count(*) {_LIVE_UNDER_ANOTHER}")


async def list_touched(
    connection: AsyncConnection,
    fund_id: FundId,
    version: Draft,
    first_day: date,
    until: date | None,
    *,
    after: tuple[date, BillId] | None,
    limit: int,
) -> list[TouchedSettlement]:
    """Return live settlements from `first_day` on and before `until` that were made under another version.

    By service date and bill; `after` is the last of the page before.
    """
    values = _touched_by(fund_id, version, first_day, until, after) | {"limit": limit}
    rows = await connection.execute(_TOUCHED, values)
    return [
        TouchedSettlement(
            row.bill_id,
            row.settlement_no,
            row.service_date,
            row.version,
            Money(row.aid),
            row.hospital_code,
            row.encounter_id,
            row.receipt_no,
            row.inputs,
            tuple(taking_from_mapping(taking) for taking in row.takings or ()),
        )
        for row in rows
    ]


async def count_touched(
    connection: AsyncConnection, fund_id: FundId, version: Draft, first_day: date, until: date | None
) -> int:
    """Return how many settlements `list_touched` would list."""
    values = _touched_by(fund_id, version, first_day, until, None)
    return int((await connection.execute(_COUNT_TOUCHED, values)).scalar_one())


def _touched_by(
    fund_id: FundId, version: Draft, first_day: date, until: date | None, after: tuple[date, BillId] | None
) -> dict[str, Any]:
    return {
        "fund_id": fund_id,
        "plan_code": version.plan_code,
        "digest": version.digest,
        "until": until,
        "after_date": max(after[0], first_day) if after else first_day,
        "after_bill": after[1] if after and after[0] >= first_day else UUID(int=0),
    }


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        draft_id=row.draft_id,
        plan_code=row.plan_code,
        version=row.version,
        effective_from=row.effective_from,
        corrects=row.corrects,
        document=row.document,
        digest=row.digest,
        source=row.source,
        author_id=row.author_id,
        author=row.author,
        created_at=row.created_at,
        steps=_steps(row.steps),
        published=row.published,
    )


def _steps(steps: Sequence[Mapping[str, Any]] | None) -> tuple[Step, ...]:
    return tuple(
        Step(
            kind=step["kind"],
            actor_id=StaffId(UUID(step["actor_id"])),
            at=datetime.fromisoformat(step["at"]),
            errors=step["errors"],
            findings=tuple(step["findings"]),
            remark=step["remark"],
            actor=step["actor"],
        )
        for step in steps or ()
    )
