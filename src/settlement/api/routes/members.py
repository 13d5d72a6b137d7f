"""Eligibility: is this person covered, on a date?"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from settlement.api.access import ApiDep, AskingCaller
from settlement.api.problems import Refused, problems
from settlement.api.schemas.answers import Eligibility
from settlement.services.members.check_eligibility import CheckEligibility, check_eligibility

router = APIRouter(prefix="/v1", tags=["members"])


@router.get(
    "/eligibility",
    responses=problems(
        "token_missing", "token_invalid", "scope_missing", "request_invalid", "person_not_named", "not_recorded"
    ),
    summary="Is this person covered?",
)
async def get_eligibility(
    api: ApiDep,
    caller: AskingCaller,
    certificate_number: Annotated[str | None, Query(max_length=50)] = None,
    certificate_type: Annotated[str | None, Query(max_length=6, description="National list; 01 if left out.")] = None,
    insured_person_no: Annotated[str | None, Query(max_length=64, description="`psn_no`.")] = None,
    on: date | None = None,
) -> Eligibility:
    """Say whether a person is covered, by certificate or by insured person number (`psn_no`)."""
    if not certificate_number and not insured_person_no:
        raise Refused("person_not_named")
    asked = CheckEligibility(caller, certificate_type, certificate_number, insured_person_no, on)
    return Eligibility.model_validate(await check_eligibility(api.resources, asked))
