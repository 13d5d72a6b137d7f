"""Errors as RFC 9457 problems: one table from a code to a status, and the sentence that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from settlement.domain.errors import SettlementError
from settlement.domain.sentences import Language, sentence
from settlement.services.transactions import DATABASE_FAILURES, told_plainly

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 2

log = structlog.get_logger()

STATUS: Mapping[str, int] = {
    "already_registered": 409,
    "answer_unusable": 422,
    "bill_not_found": 404,
    "bill_stands_still": 409,
    "later_payment_differs": 409,
    "break_not_found": 404,
    "break_step_refused": 409,
    "bureau_line_not_kept": 409,
    "busy": 409,
    "cancellation_of_another_bill": 409,
    "cancelled_at_insurer": 409,
    "client_refused": 401,
    "fetching_not_possible": 422,
    "form_stale": 403,
    "fund_unknown": 404,
    "gateway_unavailable": 503,
    "guarantee_not_allowed": 409,
    "hold_not_found": 404,
    "hospital_not_yours": 403,
    "idempotency_key_reused": 409,
    "in_progress": 409,
    "insurer_cancellation_not_seen": 409,
    "insurer_cancellation_stands": 409,
    "insurer_refused": 409,
    "list_unreadable": 422,
    "message_dropped": 409,
    "message_unreadable": 422,
    "method_not_allowed": 405,
    "not_found": 404,
    "not_recorded": 503,
    "not_settled_by_insurer": 422,
    "nothing_asked": 409,
    "nothing_to_reinstate": 409,
    "nothing_to_rerate": 409,
    "nothing_to_reverse": 409,
    "other_payers_exceed_cash": 422,
    "our_bug": 500,
    "overloaded": 503,
    "owner_unknown": 422,
    "person_not_named": 422,
    "plan_correction_unusable": 409,
    "plan_needs_second_person": 403,
    "plan_not_found": 404,
    "plan_of_another_fund": 422,
    "plan_refused": 422,
    "plan_start_taken": 409,
    "plan_stay_date_changed": 409,
    "plan_step_refused": 409,
    "plan_version_changed": 409,
    "plan_version_known": 409,
    "plan_version_not_named": 422,
    "remark_unusable": 422,
    "request_invalid": 422,
    "request_not_found": 404,
    "rerating_not_found": 404,
    "scope_missing": 403,
    "sign_in_blocked": 429,
    "sign_in_busy": 429,
    "sign_in_refused": 401,
    "staff_role_missing": 403,
    "token_invalid": 401,
    "token_missing": 401,
    "too_large": 413,
    "worklist_action_refused": 409,
    "worklist_item_not_found": 404,
}
_NOT_ABOUT_A_BILL = ("/oauth/", "/v1/plans", "/v1/reconciliations")
_OF_A_NEW_BILL = ("/v1/quotes", "/v1/settlements", "/v1/gateway/bills")
_WORTH_REPEATING = {
    "busy",
    "in_progress",
    "not_recorded",
    "gateway_unavailable",
    "overloaded",
    "sign_in_blocked",
    "sign_in_busy",
}


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable; `detail` says first how the money stands, then what to do."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:settlement:problem:idempotency_key_reused"])
    title: str = Field(examples=["idempotency key reused"])
    status: int = Field(examples=[409])
    code: str = Field(examples=["idempotency_key_reused"])
    detail: str = Field(examples=["此幂等键已用于另一请求，未作任何改动，请换新键提交。"])


class Refused(SettlementError):
    """A refusal of the door itself; the code says which."""

    def __init__(self, code: str, **figures: object) -> None:
        super().__init__(code, **figures)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rendered:
    """A problem ready to be sent, alone or as one result among many."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def render(
    code: str, language: Language, figures: Mapping[str, object], state: str | None = "state_not_recorded"
) -> Rendered:
    """Return the problem of a code; `figures` are shown beside the sentence and hold no person's data.

    `state` says how the money stands after the refusal; a question that only reads has none.
    """
    money = sentence(state, language) if state else ""
    status = STATUS[code]
    body = {
        "type": f"urn:settlement:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": sentence(code, language, **{**figures, "state": money}),
        **figures,
    }
    after = figures.get("retry_after_seconds", _RETRY_SECONDS)
    headers = {"Retry-After": str(after)} if code in _WORTH_REPEATING else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Rendered(status, body, headers)


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for OpenAPI: the codes it can answer with, by status."""
    by_status: dict[int | str, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUS[code], []).append(code)
    return {
        status: {
            "description": " · ".join(sorted(of_status)),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {
                        code: {"value": render(code, Language.CHINESE, {}).body} for code in sorted(of_status)
                    },
                }
            },
        }
        for status, of_status in by_status.items()
    }


def _state_of_the_money(request: Request) -> str | None:
    """Say what a refusal leaves behind: no record of a new bill, or the record as it was; reading leaves nothing."""
    if request.method == "GET" or request.url.path.startswith(_NOT_ABOUT_A_BILL):
        return None
    return "state_not_recorded" if request.url.path in _OF_A_NEW_BILL else "state_unchanged"


def language_of(request: Request) -> Language:
    """Return the language that the caller prefers; Chinese unless English is asked for."""
    wanted = request.headers.get("accept-language", "").lower()
    return Language.ENGLISH if wanted.startswith("en") else Language.CHINESE


def install(app: FastAPI) -> None:
    """Make the application answer every error as a problem, and describe what a problem is."""
    app.add_exception_handler(SettlementError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_status)
    for failure in DATABASE_FAILURES:
        app.add_exception_handler(failure, _database_failed)
    app.add_exception_handler(Exception, _our_bug)
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return document

    app.openapi = described  # type: ignore[method-assign]


def refusal(request: Request, code: str, figures: Mapping[str, object]) -> JSONResponse:
    """Return the answer that refuses a request, in the caller's language."""
    rendered = render(code, language_of(request), figures, _state_of_the_money(request))
    return JSONResponse(rendered.body, rendered.status, rendered.headers, MEDIA_TYPE)


async def _refused(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, SettlementError)
    return refusal(request, refused.code, refused.figures)


async def _invalid(request: Request, refused: Exception) -> JSONResponse:
    """Say where a request departs from the description. The values are left out: they may be a person's."""
    assert isinstance(refused, RequestValidationError)
    errors = [
        {"where": ".".join(str(part) for part in error["loc"]), "what": _what(error)} for error in refused.errors()
    ]
    return refusal(request, "request_invalid", {"errors": errors})


def _what(error: Mapping[str, Any]) -> str:
    """Say what is wrong; of a body that is not JSON, our own decoder's word for it."""
    said = error["ctx"]["error"] if error["type"] == "json_invalid" else error["msg"]
    return str(said)


async def _by_status(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, HTTPException)
    by_status = {401: "client_refused", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    response = refusal(request, by_status.get(refused.status_code, "request_invalid"), {})
    response.headers.update(refused.headers or {})
    return response


async def _database_failed(request: Request, failed: Exception) -> JSONResponse:
    """Say that nothing was recorded when the database is away; any other failure of it is our own fault."""
    refused = told_plainly(failed)
    return await _our_bug(request, failed) if refused is None else await _refused(request, refused)


async def _our_bug(request: Request, fault: Exception) -> JSONResponse:
    log.error("request.our_bug", fault=type(fault).__name__, exc_info=fault)
    return refusal(request, "our_bug", {})
