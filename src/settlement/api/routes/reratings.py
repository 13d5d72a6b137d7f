"""Re-ratings: what a member's bills of a term would get now, proposed, looked at, and applied by a person."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from settlement.api.access import ApiDep, ApplyingStaff, PlansCaller, ProposingStaff
from settlement.api.exact_json import ExactRoute
from settlement.api.problems import problems
from settlement.api.schemas.answers import LaterPayerShown, ReratingPage, StoredReratingShown
from settlement.api.schemas.bills import LaterPayerRequest
from settlement.db.engine import fund_transaction
from settlement.db.rerating import list_reratings
from settlement.domain.ids import BillId
from settlement.domain.money import Money
from settlement.domain.settlements import OtherPayer
from settlement.services.bills.add_later_payer import AddLaterPayer, add_later_payer
from settlement.services.bills.decide_rerating import (
    ApplyRerating,
    ProposeRerating,
    apply_rerating,
    propose_rerating,
    rerating_answer,
)

router = APIRouter(prefix="/v1", route_class=ExactRoute, tags=["reratings"])

_TOKEN = ("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")
LARGEST_PAGE = 500


@router.post(
    "/settlements/{bill_id}/reratings",
    status_code=201,
    response_model=StoredReratingShown,
    responses=problems(*_TOKEN, "bill_not_found", "nothing_to_rerate", "busy", "in_progress"),
    summary="Propose a re-rating",
)
async def create_rerating(bill_id: UUID, api: ApiDep, staff: ProposingStaff) -> JSONResponse:
    """Compute the member's term anew, as the plan declares: a proposal, or, where it raises by itself, applied."""
    answer = await propose_rerating(api.resources, ProposeRerating(staff.caller, BillId(bill_id)))
    return JSONResponse(answer, 201)


@router.post(
    "/settlements/{bill_id}/later-payers",
    status_code=201,
    response_model=LaterPayerShown,
    responses=problems(*_TOKEN, "bill_not_found", "later_payment_differs", "busy", "in_progress"),
    summary="Record a later payer",
)
async def create_later_payer(
    bill_id: UUID, body: LaterPayerRequest, api: ApiDep, staff: ProposingStaff
) -> JSONResponse:
    """Keep that somebody paid for the bill later. Where the plan counts it, a person is asked to re-rate."""
    payer = OtherPayer(body.name, Money.from_yuan(body.amount))
    command = AddLaterPayer(staff.caller, BillId(bill_id), payer, body.reference)
    return JSONResponse(await add_later_payer(api.resources, command), 201)


@router.get("/reratings", response_model=ReratingPage, responses=problems(*_TOKEN), summary="List re-ratings")
async def get_reratings(
    api: ApiDep,
    caller: PlansCaller,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> JSONResponse:
    """Return re-ratings, the newest first, with their lines and what became of them."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        found = await list_reratings(connection, caller.fund_id, cursor, limit)
    more = str(found[-1].rerating_id) if len(found) == limit else None
    return JSONResponse({"reratings": [rerating_answer(stored) for stored in found], "next_cursor": more})


@router.post(
    "/reratings/{rerating_id}/application",
    response_model=StoredReratingShown,
    responses=problems(*_TOKEN, "rerating_not_found", "busy", "in_progress"),
    summary="Apply a re-rating",
)
async def create_application(rerating_id: UUID, api: ApiDep, staff: ApplyingStaff) -> JSONResponse:
    """Apply all lines of a proposal or none. It lapses when a bill has changed since; one decided is told as it is."""
    return JSONResponse(await apply_rerating(api.resources, ApplyRerating(staff.caller, rerating_id)))
