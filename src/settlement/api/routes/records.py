"""Reading what is recorded: one bill, a search, why this amount, the proof, and what happened when."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from settlement.api.access import Api, ApiDep, PlansCaller, ReadingCaller
from settlement.api.problems import problems
from settlement.api.schemas.answers import (
    Explanation,
    Proof,
    ReratingShown,
    SettlementPage,
    SettlementResponse,
    Timeline,
)
from settlement.db.bills import find_settled_bill, list_settled_bills
from settlement.db.engine import fund_transaction
from settlement.db.pending import find_newest_question
from settlement.db.reports import BillSearch, list_bill_ids, list_events_of_bill, list_postings
from settlement.domain.answers import settlement_answer
from settlement.domain.ids import BillId
from settlement.domain.pending import PendingQuestion, standing_of
from settlement.domain.sentences import Language, sentence
from settlement.domain.settlements import BillHead, BillState, SettledBill
from settlement.domain.time import CHINA
from settlement.domain.timeline import step_in_words
from settlement.services.audit.prove_bill import explain_bill, prove_bill
from settlement.services.bills.commands import Caller
from settlement.services.bills.errors import BillNotFound
from settlement.services.bills.rerate_member import rerate_member
from settlement.services.funds.rules import FundRules

router = APIRouter(prefix="/v1/settlements", tags=["records"])

_PROBLEMS = ("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")
_OF_ONE = problems(*_PROBLEMS, "bill_not_found")
LARGEST_PAGE = 500


@router.get("", response_model=SettlementPage, responses=problems(*_PROBLEMS), summary="Search settlements")
async def search_settlements(
    api: ApiDep,
    caller: ReadingCaller,
    business_date: Annotated[date | None, Query(description="Date of the insurer's settlement, in China.")] = None,
    state: BillState | None = None,
    area: str | None = None,
    insurer_settlement_id: str | None = None,
    encounter_id: str | None = None,
    visit_no: str | None = None,
    receipt_no: str | None = None,
    settlement_no: str | None = None,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
) -> JSONResponse:
    """Return the bills that the caller may see, in the order of recording."""
    search = BillSearch(
        caller.hospital_codes,
        business_date,
        state,
        area,
        insurer_settlement_id,
        encounter_id,
        visit_no,
        receipt_no,
        settlement_no,
    )
    after = BillId(cursor) if cursor else None
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        ids = await list_bill_ids(connection, caller.fund_id, search, after, limit)
        found = await list_settled_bills(connection, caller.fund_id, bill_ids=ids)
    more = str(ids[-1]) if len(ids) == limit else None
    shown = [settlement_answer(settled, caller.language) for settled in found]
    return JSONResponse({"settlements": shown, "next_cursor": more})


@router.get("/{bill_id}", response_model=SettlementResponse, responses=_OF_ONE, summary="Read a settlement")
async def get_settlement(bill_id: UUID, api: ApiDep, caller: ReadingCaller) -> JSONResponse:
    """Return one bill as it now stands."""
    return JSONResponse(settlement_answer(await _settled(api, caller, bill_id), caller.language))


@router.get("/{bill_id}/explanation", responses=_OF_ONE, summary="Why this amount")
async def get_explanation(bill_id: UUID, api: ApiDep, caller: ReadingCaller) -> Explanation:
    """Return base and signed steps with their clauses, and the used room before and after, in two languages."""
    settled = await _settled(api, caller, bill_id)
    rules = await _rules_of(api, caller, settled)
    return Explanation.model_validate({"id": str(bill_id), **explain_bill(settled, rules)})


@router.get("/{bill_id}/proof", responses=_OF_ONE, summary="The equation and its postings")
async def get_proof(bill_id: UUID, api: ApiDep, caller: ReadingCaller) -> Proof:
    """Return the equation, the postings behind it, and whether all of it holds now."""
    settled = await _settled(api, caller, bill_id)
    rules = await _rules_of(api, caller, settled)
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        recorded = await list_postings(connection, caller.fund_id, BillId(bill_id))
    return Proof.model_validate({"id": str(bill_id), **prove_bill(settled, recorded, rules)})


@router.get("/{bill_id}/timeline", responses=_OF_ONE, summary="What happened when")
async def get_timeline(bill_id: UUID, api: ApiDep, caller: ReadingCaller) -> Timeline:
    """Return each step of the bill's life in words a cashier understands."""
    settled = await _settled(api, caller, bill_id)
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        events = await list_events_of_bill(connection, caller.fund_id, BillId(bill_id))
        question = await find_newest_question(connection, caller.fund_id, BillId(bill_id))
    steps = [
        {
            "at": event.recorded_at.astimezone(CHINA).isoformat(timespec="milliseconds"),
            "type": event.type,
            "sentence": step_in_words(event.type, event.payload, caller.language),
            "actor": event.actor.split(".", 1)[-1],
        }
        for event in events
    ]
    now = _now(settled.head, question, caller.language)
    return Timeline.model_validate({"id": str(bill_id), "steps": steps, "now": now})


def _now(head: BillHead, question: PendingQuestion | None, language: Language) -> dict[str, str | None]:
    """Say what is known at this moment, what to tell the patient, and when the insurer is asked next."""
    standing = standing_of(head, question)
    asked = question if question is not None and question.outcome is None else None
    tries = asked.tries if asked is not None and asked.tries else None
    return {
        "known": sentence(standing.known, language, tries=tries),
        "tell_patient": sentence(standing.tell, language),
        "asked_next_at": asked.due_at.astimezone(CHINA).isoformat(timespec="milliseconds") if asked else None,
    }


@router.get("/{bill_id}/rerating", responses=_OF_ONE, summary="The member's term computed anew")
async def get_rerating(bill_id: UUID, api: ApiDep, caller: PlansCaller) -> ReratingShown:
    """Return what each live bill of this bill's member and term would get now, old against new; nothing is changed."""
    rerating = await rerate_member(api.resources, caller, BillId(bill_id))
    return ReratingShown.model_validate({"id": str(bill_id), **rerating.to_json()})


async def _settled(api: Api, caller: Caller, bill_id: UUID) -> SettledBill:
    """Return a bill. Another hospital's is not found, so that its existence is not told either."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        settled = await find_settled_bill(connection, caller.fund_id, BillId(bill_id))
    if settled is None or not caller.may_act_for(settled.head.hospital_code):
        raise BillNotFound(id=str(bill_id))
    return settled


async def _rules_of(api: Api, caller: Caller, settled: SettledBill) -> FundRules:
    return await api.resources.rules.knowing(caller.fund_id, settled.priced.plan_digest if settled.priced else None)
