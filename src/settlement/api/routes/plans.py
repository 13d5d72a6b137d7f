"""The fund's plan: drafts by one person, approval by another, versions in force, and what a version touches."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from settlement.api.access import (
    ApiDep,
    ApprovingStaff,
    DraftingStaff,
    IdempotencyKey,
    PlansCaller,
    TouchedCaller,
    once,
)
from settlement.api.exact_json import ExactRoute
from settlement.api.problems import Refused, problems
from settlement.api.schemas.plans import (
    ApprovalRequest,
    DraftRequest,
    PlanDiff,
    PlanDocument,
    PlanDraft,
    PlanPage,
    Publication,
    PublicationRequest,
    RejectionRequest,
    TouchedPage,
    WithdrawalRequest,
)
from settlement.domain.ids import BillId, DraftId
from settlement.services.bills.commands import Outcome
from settlement.services.plans.decide_draft import approve_draft, reject_draft, withdraw_draft
from settlement.services.plans.list_touched import what_touches
from settlement.services.plans.publish_draft import publish_draft
from settlement.services.plans.read_plans import compare_versions, read_draft, read_plans, read_version
from settlement.services.plans.submit_draft import SubmitDraft, submit_draft

router = APIRouter(prefix="/v1/plans", route_class=ExactRoute, tags=["plans"])

_TOKEN = ("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")
_COMMAND = (*_TOKEN, "staff_role_missing", "idempotency_key_reused", "in_progress", "busy", "too_large", "our_bug")
_PLACE = (
    "plan_refused",
    "plan_stay_date_changed",
    "plan_version_changed",
    "plan_version_known",
    "plan_start_taken",
    "plan_correction_unusable",
)
_OF_DRAFT = (*_COMMAND, "plan_not_found", "plan_step_refused")
LARGEST_PAGE = 500

Name = Annotated[str, Path(min_length=1, max_length=64, description="Name of a version.")]


@router.get("", response_model=PlanPage, responses=problems(*_TOKEN), summary="List drafts and versions")
async def list_plans(
    api: ApiDep,
    caller: PlansCaller,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> JSONResponse:
    """Return drafts and versions of the fund's plan with their states, newest first."""
    before = DraftId(cursor) if cursor else None
    found = await read_plans(api.resources, caller.fund_id, before, limit)
    more = found[-1]["draft_id"] if len(found) == limit else None
    return JSONResponse({"plans": found, "next_cursor": more})


@router.post(
    "",
    status_code=201,
    response_model=PlanDraft,
    responses=problems(*_COMMAND, *_PLACE, "plan_of_another_fund", "plan_version_not_named"),
    summary="Submit a draft",
)
async def create_draft(
    body: DraftRequest, idempotency_key: IdempotencyKey, api: ApiDep, staff: DraftingStaff
) -> JSONResponse:
    """Keep one version of a plan file as a draft, with what its check finds. Nothing is in force by it.

    A draft that the check finds wrong is `faulty` and cannot be approved; a file that cannot be read is refused.
    """
    command = once(api, staff.caller, idempotency_key, "submit plan", body.model_dump(mode="python"))
    draft = SubmitDraft(body.source, body.version, body.corrects)
    return _told(await submit_draft(api.resources, staff.actor, draft, command))


@router.get(
    "/drafts/{draft_id}",
    response_model=PlanDocument,
    responses=problems(*_TOKEN, "plan_not_found"),
    summary="Read a draft",
)
async def get_plan_draft(draft_id: UUID, api: ApiDep, caller: PlansCaller) -> JSONResponse:
    """Return a draft with its steps, its canonical text, and the file it was read from."""
    return JSONResponse(await read_draft(api.resources, caller.fund_id, DraftId(draft_id)))


@router.post(
    "/drafts/{draft_id}/approvals",
    status_code=201,
    response_model=PlanDraft,
    responses=problems(*_OF_DRAFT, *_PLACE, "plan_needs_second_person"),
    summary="Approve a draft",
)
async def create_approval(
    draft_id: UUID, body: ApprovalRequest, idempotency_key: IdempotencyKey, api: ApiDep, staff: ApprovingStaff
) -> JSONResponse:
    """Approve a draft that somebody else wrote; its warnings are thereby taken note of."""
    command = once(api, staff.caller, idempotency_key, f"approve {draft_id}", body.model_dump(mode="python"))
    return _told(await approve_draft(api.resources, staff.actor, DraftId(draft_id), body.remark, command))


@router.post(
    "/drafts/{draft_id}/rejections",
    status_code=201,
    response_model=PlanDraft,
    responses=problems(*_OF_DRAFT),
    summary="Reject a draft",
)
async def create_rejection(
    draft_id: UUID, body: RejectionRequest, idempotency_key: IdempotencyKey, api: ApiDep, staff: ApprovingStaff
) -> JSONResponse:
    """Reject a draft for good, with what is to be mended; a mended one is another draft."""
    command = once(api, staff.caller, idempotency_key, f"reject {draft_id}", body.model_dump(mode="python"))
    return _told(await reject_draft(api.resources, staff.actor, DraftId(draft_id), body.remark, command))


@router.post(
    "/drafts/{draft_id}/withdrawals",
    status_code=201,
    response_model=PlanDraft,
    responses=problems(*_OF_DRAFT),
    summary="Withdraw a draft",
)
async def create_withdrawal(
    draft_id: UUID, body: WithdrawalRequest, idempotency_key: IdempotencyKey, api: ApiDep, staff: DraftingStaff
) -> JSONResponse:
    """Take one's own draft back before it is published."""
    command = once(api, staff.caller, idempotency_key, f"withdraw {draft_id}", body.model_dump(mode="python"))
    return _told(await withdraw_draft(api.resources, staff.actor, DraftId(draft_id), body.remark, command))


@router.post(
    "/drafts/{draft_id}/publication",
    status_code=201,
    response_model=Publication,
    responses=problems(*_OF_DRAFT, *_PLACE),
    summary="Publish an approved draft",
)
async def create_publication(
    draft_id: UUID, body: PublicationRequest, idempotency_key: IdempotencyKey, api: ApiDep, staff: DraftingStaff
) -> JSONResponse:
    """Put an approved draft in force on its dates; the answer counts the settlements that it touches."""
    command = once(api, staff.caller, idempotency_key, f"publish {draft_id}", body.model_dump(mode="python"))
    return _told(await publish_draft(api.resources, staff.actor, DraftId(draft_id), command))


@router.get(
    "/{version}", response_model=PlanDocument, responses=problems(*_TOKEN, "plan_not_found"), summary="Read a version"
)
async def get_plan_version(version: Name, api: ApiDep, caller: PlansCaller) -> JSONResponse:
    """Return a version (one that is not published: its newest draft) with its steps, text, and file."""
    return JSONResponse(await read_version(api.resources, caller.fund_id, version))


@router.get("/{version}/diff", responses=problems(*_TOKEN, "plan_not_found"), summary="Compare two versions")
async def get_plan_diff(
    version: Name,
    api: ApiDep,
    caller: PlansCaller,
    against: Annotated[str, Query(min_length=1, max_length=64, description="Name of the version before.")],
) -> PlanDiff:
    """Return what differs, part by part, with clause and both values in the file's own writing."""
    differences = await compare_versions(api.resources, caller.fund_id, against, version)
    shown = [difference.to_json() for difference in differences]
    return PlanDiff.model_validate({"version": version, "against": against, "differences": shown})


@router.get(
    "/{version}/touched",
    responses=problems(*_TOKEN, "plan_not_found", "plan_refused"),
    summary="Settlements that a version touches",
)
async def get_touched(
    version: Name,
    api: ApiDep,
    caller: TouchedCaller,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> TouchedPage:
    """Return live settlements on its dates that were made under another version, computed again under this one.

    Of a version that is not published yet, what its newest draft would touch. Nothing is changed by it.
    """
    touching = await what_touches(api.resources, caller.fund_id, version)
    bills = await touching.page(api.resources, _place(cursor) if cursor else None, limit)
    last = bills[-1].recorded if len(bills) == limit else None
    return TouchedPage.model_validate(
        {
            "version": version,
            "state": touching.draft.state,
            "settlements": [bill.to_json() for bill in bills],
            "next_cursor": f"{last.service_date.isoformat()}.{last.bill_id}" if last else None,
        }
    )


def _place(cursor: str) -> tuple[date, BillId]:
    """Read a cursor of this list: the service date and the bill of the last settlement shown."""
    day, _, bill_id = cursor.partition(".")
    try:
        return date.fromisoformat(day), BillId(UUID(bill_id))
    except ValueError:
        raise Refused("request_invalid") from None


def _told(outcome: Outcome) -> JSONResponse:
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return JSONResponse(outcome.answer, outcome.status, headers)
