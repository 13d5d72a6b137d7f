"""The insurance platform's push of members' bills, in its own field names."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from settlement.api.access import ApiDep, PushingCaller
from settlement.api.exact_json import ExactRoute
from settlement.api.metrics import count_answer
from settlement.api.problems import problems, render
from settlement.api.schemas.answers import PushResponse
from settlement.api.schemas.bills import PushedLine, PushRequest
from settlement.domain.errors import SettlementError
from settlement.domain.sentences import Language
from settlement.domain.settlements import Door
from settlement.services.bills.commands import Outcome
from settlement.services.bills.push_bills import PushedBill, push_bills

router = APIRouter(prefix="/v1/gateway", route_class=ExactRoute, tags=["platform"])


@router.post(
    "/bills",
    response_model=PushResponse,
    responses=problems(
        "token_missing", "token_invalid", "scope_missing", "request_invalid", "too_large", "not_recorded"
    ),
    summary="Push members' bills",
)
async def push(body: PushRequest, api: ApiDep, caller: PushingCaller) -> JSONResponse:
    """Record one or many bills and cancellations, each with its own result. Pushing again changes nothing."""
    results = await push_bills(api.resources, caller, [_pushed(line) for line in body.bills])
    shown = [_shown(line, result, caller.language) for line, result in zip(body.bills, results, strict=True)]
    return JSONResponse({"results": shown})


def _pushed(line: PushedLine) -> PushedBill:
    return PushedBill(line.output, line.facts, line.present)


def _shown(line: PushedLine, result: Outcome | SettlementError, language: Language) -> dict[str, Any]:
    setlinfo = line.output.get("setlinfo")
    named = setlinfo.get("setl_id") if isinstance(setlinfo, dict) else None
    insurer_id = None if named is None else str(named)
    if isinstance(result, SettlementError):
        rendered = render(result.code, language, result.figures)
        return {"insurer_settlement_id": insurer_id, "status": rendered.status, "problem": rendered.body}
    count_answer(Door.EXCHANGE, result.answer)
    return {"insurer_settlement_id": insurer_id, "status": result.status, "settlement": result.answer}
