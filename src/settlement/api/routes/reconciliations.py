"""Reconciliation: lists of a business date come in, days are listed, breaks are read and worked off."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse

from settlement.api.access import ApiDep, BringingCaller, IdempotencyKey, ReconcilingCaller, WorkingStaff, once
from settlement.api.exact_json import ExactRoute
from settlement.api.problems import Refused, problems
from settlement.api.schemas.reconciliations import (
    ActionRequest,
    BreakHistory,
    BreakPage,
    BreakShown,
    DayPage,
    Reconciliation,
)
from settlement.api.uploads import UploadRoute, on_disk
from settlement.db.engine import fund_transaction
from settlement.db.reconciliation import (
    BreakSearch,
    BreakStep,
    list_break_steps,
    list_breaks,
    list_reconciled_days,
)
from settlement.domain.money import Money
from settlement.domain.reconciliation import Break, BreakKind, BreakStatus, Source, repair_of
from settlement.domain.sentences import Language, sentence
from settlement.domain.time import CHINA
from settlement.services.bills.commands import Caller
from settlement.services.reconciliation.act_on_break import ActOnBreak, act_on_break, get_break
from settlement.services.reconciliation.bring_list import bring_list
from settlement.services.reconciliation.import_list import ListFile

_TOKEN = ("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")
LARGEST_PAGE = 500

router = APIRouter(prefix="/v1/reconciliations", route_class=ExactRoute, tags=["reconciliation"])
uploads = APIRouter(prefix="/v1/reconciliations", route_class=UploadRoute, tags=["reconciliation"])


@uploads.post(
    "",
    status_code=201,
    response_model=Reconciliation,
    responses=problems(
        *_TOKEN, "idempotency_key_reused", "in_progress", "busy", "too_large", "list_unreadable", "our_bug"
    ),
    summary="Bring a list and run its day",
)
async def create_reconciliation(
    idempotency_key: IdempotencyKey,
    api: ApiDep,
    caller: BringingCaller,
    source: Annotated[Source, Form(examples=["bureau"])],
    business_date: Annotated[date, Form(examples=["2026-03-10"])],
    file: Annotated[UploadFile, File(examples=["bills-2026-03-10.jsonl"])],
    hospital_codes: Annotated[
        str, Form(max_length=500, examples=["H37160100001"], description="With commas; of an empty hospital's list.")
    ] = "",
) -> JSONResponse:
    """Import the bureau's or a hospital's list of a business date and compare the day.

    The same list again changes nothing. The bureau's platform brings the bureau's list, a hospital its own.
    """
    codes = tuple(code.strip() for code in hospital_codes.split(",") if code.strip())
    _check_source(caller, source, codes)
    digest = await _digest(file)
    body = {"source": source.value, "date": business_date.isoformat(), "codes": codes, "file": digest}
    command = once(api, caller, idempotency_key, "reconcile", body)
    async with on_disk(file) as path:
        outcome = await bring_list(api.resources, caller, ListFile(source, business_date, path, codes), command)
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return JSONResponse(outcome.answer, 201, headers)


@router.get("", response_model=DayPage, responses=problems(*_TOKEN), summary="List days")
async def list_reconciliations(
    api: ApiDep,
    caller: ReconcilingCaller,
    cursor: Annotated[date | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> JSONResponse:
    """Return the business dates that were run, the newest first, with what came out and what is open now."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        days = await list_reconciled_days(connection, caller.fund_id, cursor, limit)
    shown = [
        {
            "business_date": day.business_date.isoformat(),
            "run_at": _at(day.run_at),
            "actor": _who(day.actor),
            "bureau": day.bureau,
            "hospital_codes": list(day.hospital_codes),
            "recorded_count": day.recorded_count,
            "bureau_count": day.bureau_count,
            "hospital_count": day.hospital_count,
            "found": {source: dict(kinds) for source, kinds in day.found.items()},
            "open_count": day.open_count,
            "unconfirmed_count": day.unconfirmed_count,
        }
        for day in days
    ]
    return JSONResponse({"days": shown, "next_cursor": shown[-1]["business_date"] if len(shown) == limit else None})


@router.get("/breaks", response_model=BreakPage, responses=problems(*_TOKEN), summary="List breaks")
async def list_day_breaks(
    api: ApiDep,
    caller: ReconcilingCaller,
    business_date: Annotated[date | None, Query(description="Business date.")] = None,
    status: BreakStatus | None = None,
    kind: BreakKind | None = None,
    bill_id: UUID | None = None,
    owner: Annotated[str | None, Query(max_length=64, description="Login; empty for breaks that nobody has.")] = None,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> JSONResponse:
    """Return breaks in the order in which they were opened."""
    search = BreakSearch(business_date, status, kind, owner, bill_id)  # type: ignore[arg-type]
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        found = await list_breaks(connection, caller.fund_id, search, cursor, limit)
    now = api.resources.clock()
    shown = [_shown(each, now, caller.language) for each in found]
    return JSONResponse({"breaks": shown, "next_cursor": shown[-1]["id"] if len(shown) == limit else None})


@router.get(
    "/breaks/{break_id}",
    response_model=BreakHistory,
    responses=problems(*_TOKEN, "break_not_found"),
    summary="Read a break",
)
async def get_one_break(break_id: UUID, api: ApiDep, caller: ReconcilingCaller) -> JSONResponse:
    """Return a break with its history."""
    found = await get_break(api.resources, caller, break_id)
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        steps = await list_break_steps(connection, caller.fund_id, break_id)
    shown = _shown(found, api.resources.clock(), caller.language)
    return JSONResponse({**shown, "steps": [_step(step) for step in steps]})


@router.post(
    "/breaks/{break_id}/actions",
    response_model=BreakShown,
    responses=problems(
        *_TOKEN,
        "idempotency_key_reused",
        "in_progress",
        "busy",
        "too_large",
        "our_bug",
        "break_not_found",
        "break_step_refused",
        "bureau_line_not_kept",
        "bill_stands_still",
        "owner_unknown",
        "remark_unusable",
        "message_unreadable",
        "not_settled_by_insurer",
        "person_not_named",
        "cancellation_of_another_bill",
    ),
    summary="Act on a break",
)
async def create_action(break_id: UUID, body: ActionRequest, api: ApiDep, staff: WorkingStaff) -> JSONResponse:
    """Give a break to somebody, do the repair that is proposed, or say how it ended. Each end is final.

    No key is needed: a repair that was done is known by its bill, and a break ends once.
    """
    command = ActOnBreak(staff.caller, break_id, body.action, body.owner, body.resolution, body.remark)
    changed = await act_on_break(api.resources, command)
    return JSONResponse(_shown(changed, api.resources.clock(), staff.caller.language))


def _check_source(caller: Caller, source: Source, codes: tuple[str, ...]) -> None:
    """Raise `Refused` where a hospital's client brings what is not its own."""
    if caller.hospital_codes and (source is not Source.HOSPITAL or not set(codes) <= caller.hospital_codes):
        raise Refused("request_invalid", errors=[{"where": "body.source", "what": "not this client's to bring"}])


async def _digest(file: UploadFile) -> str:
    digest = hashlib.sha256()
    while block := await file.read(1 << 20):
        digest.update(block)
    await file.seek(0)
    return digest.hexdigest()


def _shown(found: Break, now: datetime, language: Language) -> dict[str, Any]:
    return {
        "id": str(found.break_id),
        "source": found.source.value,
        "kind": found.kind.value,
        "sentence": sentence(f"break_{found.kind.value}", language),
        "area": found.area,
        "insurer_settlement_id": found.insurer_settlement_id,
        "business_date": found.business_date.isoformat(),
        "bill_id": str(found.bill_id) if found.bill_id else None,
        "hospital_code": found.hospital_code,
        "figures": _in_yuan(found.figures),
        "opened_at": _at(found.opened_at),
        "age_days": (now - found.opened_at).days,
        "owner": found.owner,
        "status": found.status.value,
        "resolution": found.resolution.value if found.resolution else None,
        "resolved_by": _who(found.resolved_by) if found.resolved_by else None,
        "resolved_at": _at(found.resolved_at) if found.resolved_at else None,
        "proposed": repair_of(found).value if found.status is BreakStatus.OPEN else None,
    }


def _step(step: BreakStep) -> dict[str, Any]:
    details = _in_yuan(step.details)
    return {"step": step.step, "kind": step.kind, "details": details, "actor": _who(step.actor), "at": _at(step.at)}


def _in_yuan(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures with amounts in yuan; in the record they are fen, under names that say so."""
    shown: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping):
            shown[name] = _in_yuan(value)
        elif name.endswith("_fen"):
            shown[name.removesuffix("_fen")] = Money(value).yuan()
        else:
            shown[name] = value
    return shown


def _at(instant: datetime) -> str:
    return instant.astimezone(CHINA).isoformat(timespec="milliseconds")


def _who(actor: str) -> str:
    return actor.split(".", 1)[-1]
