"""For operations: liveness, readiness, metrics, the figures for dashboards, and the events for those who pull."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from settlement.api.access import ApiDep, EventsCaller, OpsCaller
from settlement.api.problems import problems
from settlement.api.schemas.answers import EventPage, OpsSummary
from settlement.db import reports
from settlement.db.books import list_unsealed_days
from settlement.db.engine import fund_transaction, schema_revision
from settlement.db.pending import count_open_questions
from settlement.domain.time import CHINA, china_date

router = APIRouter(tags=["operations"])

LARGEST_POSITION = 2**63 - 1

LONGEST_WORKLIST = 50
_PROBLEMS = problems("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    """Answer without touching anything."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can it settle?", responses={503: {"description": "It cannot settle now; says why."}})
async def readyz(api: ApiDep) -> JSONResponse:
    """Say whether the database answers and has the schema of this release, and whether the clock is wrong."""
    revision, wanted = await schema_revision(api.resources.engine), api.schema_revision
    if revision != wanted:
        why = "the database does not answer" if revision is None else f"schema {revision}, this release needs {wanted}"
        return JSONResponse({"status": "not ready", "why": why}, 503)
    if api.watched_clock.apart:
        offset = f"{api.watched_clock.offset_seconds:+.1f}"
        return JSONResponse({"status": "ready", "alert": f"the database's clock is {offset} s from this machine's"})
    return JSONResponse({"status": "ready"})


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
async def metrics() -> PlainTextResponse:
    """Return the process's metrics. No member, bill or hospital is among their labels."""
    return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/ops/summary", responses=_PROBLEMS, summary="Figures for dashboards")
async def get_summary(api: ApiDep, caller: OpsCaller, business_date: date | None = None) -> OpsSummary:
    """Return a business date's bills by state and their sums, what is held, and what waits."""
    now = api.resources.clock()
    day = business_date or china_date(now)
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        held, oldest = await reports.find_oldest_held(connection, caller.fund_id)
        sums = await reports.sum_live_settlements(connection, caller.fund_id, day)
        return OpsSummary(
            business_date=day.isoformat(),
            bills=await reports.count_bills_by_state(connection, caller.fund_id, day),
            amounts={name: amount.yuan() for name, amount in sums.items()},
            not_covered=await reports.count_uncovered(connection, caller.fund_id, day),
            held={"count": held, "oldest_seconds": int((now - oldest).total_seconds()) if oldest else None},
            worklist=await reports.count_open_worklist(connection, caller.fund_id),
            worklist_items=await reports.list_open_worklist(connection, caller.fund_id, LONGEST_WORKLIST),
            pending={
                waiting.asks: {"count": waiting.count, "oldest_seconds": int((now - waiting.oldest).total_seconds())}
                for waiting in await count_open_questions(connection, caller.fund_id)
            },
            events_unnumbered=await reports.count_unnumbered_events(connection, caller.fund_id),
            books_day=await reports.get_open_books_day(connection, caller.fund_id),
            books_days_unsealed=len(await list_unsealed_days(connection, caller.fund_id)),
        )


@router.get("/v1/events", responses=_PROBLEMS, summary="Pull events")
async def list_events(
    api: ApiDep,
    caller: EventsCaller,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_POSITION, description="`last_position` of the page before; 0 to begin.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EventPage:
    """Return numbered events after a position. Nothing is skipped; order means something within a bill only."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        found = await reports.list_events_after(connection, caller.fund_id, caller.hospital_codes, after, limit)
    shown = [
        {
            "position": event.position,
            "id": str(event.event_id),
            "type": event.type,
            "bill_id": str(event.bill_id) if event.bill_id else None,
            "sequence": event.sequence,
            "payload": event.payload,
            "recorded_at": event.recorded_at.astimezone(CHINA).isoformat(timespec="milliseconds"),
        }
        for event in found
    ]
    last = found[-1].position if found else after
    return EventPage.model_validate({"events": shown, "last_position": last})
