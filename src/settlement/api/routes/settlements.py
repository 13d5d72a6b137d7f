"""Quotes, settlements, reversals and answers: what a hospital's billing system calls."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from settlement.api.access import ApiDep, IdempotencyKey, OptionalIdempotencyKey, ReadingCaller, SettlingCaller, once
from settlement.api.exact_json import ExactRoute
from settlement.api.metrics import count_answer
from settlement.api.problems import Refused, problems
from settlement.api.schemas.answers import CommandFate, HoldShown, QuoteResponse, SettlementResponse
from settlement.api.schemas.bills import (
    AnswerRequest,
    PendingMessageRequest,
    QuoteRequest,
    ReinstatementRequest,
    ReversalRequest,
    SettlementRequest,
    TransferRequest,
    VisitFacts,
)
from settlement.db.commands import find_answer
from settlement.db.engine import fund_transaction
from settlement.db.holds import find_hold
from settlement.db.settling import CommandKey
from settlement.domain.answers import hold_answer
from settlement.domain.ids import BillId, HoldId
from settlement.domain.settlements import Door, OtherPayer
from settlement.services.bills.answer_bill import AnswerBill, answer_bill
from settlement.services.bills.commands import Brought, Outcome, ReverseBill, SettleBill
from settlement.services.bills.fetch_bill import FetchBill, fetch_bill
from settlement.services.bills.promise_bill import PromiseBill, promise_bill
from settlement.services.bills.quote_bill import QuoteBill, quote_bill
from settlement.services.bills.reinstate_bill import ReinstateBill, reinstate_bill
from settlement.services.bills.release_hold import HoldNotFound, release_hold
from settlement.services.bills.reverse_bill import reverse_bill
from settlement.services.bills.settle_bill import settle_bill
from settlement.services.bills.transfer_aid import TransferAid, transfer_aid
from settlement.services.pending.report_message import ReportMessage, report_message

router = APIRouter(prefix="/v1", route_class=ExactRoute, tags=["settlements"])

_TOKEN = ("token_missing", "token_invalid", "scope_missing", "request_invalid", "not_recorded")
_READING = (*_TOKEN, "message_unreadable", "person_not_named", "hospital_not_yours", "other_payers_exceed_cash")
_COMMAND = ("idempotency_key_reused", "in_progress", "busy", "overloaded", "too_large", "our_bug")
_ASKING = ("fetching_not_possible", "insurer_refused", "gateway_unavailable", "cancelled_at_insurer")


@router.post(
    "/quotes",
    response_model=QuoteResponse,
    responses=problems(*_READING, *_COMMAND, "guarantee_not_allowed"),
    summary="Quote a bill",
)
async def create_quote(
    body: QuoteRequest, api: ApiDep, caller: SettlingCaller, idempotency_key: OptionalIdempotencyKey = None
) -> JSONResponse:
    """Compute the aid on the insurer's pre-settlement (2206 or 2303).

    With `hold: true` the amount is promised and counts against the limits; a newer quote of the charge batch replaces
    it. Without, nothing is stored and nothing is promised.
    """
    quote = QuoteBill(caller, _brought(body.output, body))
    if not body.hold:
        return JSONResponse(await quote_bill(api.resources, quote))
    command = once(api, caller, idempotency_key, "hold", body.model_dump(mode="python")) if idempotency_key else None
    outcome = await promise_bill(api.resources, PromiseBill(quote, body.hold_for, command))
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return JSONResponse(outcome.answer, headers=headers)


@router.get(
    "/holds/{hold_id}", response_model=HoldShown, responses=problems(*_TOKEN, "hold_not_found"), summary="Read a hold"
)
async def get_hold(hold_id: UUID, api: ApiDep, caller: ReadingCaller) -> JSONResponse:
    """Return what was promised, until when, and what became of it."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        found = await find_hold(connection, caller.fund_id, HoldId(hold_id))
    if found is None or not caller.may_act_for(found.hospital_code):
        raise HoldNotFound(id=str(hold_id))
    return JSONResponse(hold_answer(found))


@router.post(
    "/holds/{hold_id}/release",
    response_model=HoldShown,
    responses=problems(*_TOKEN, "hold_not_found", "busy", "in_progress"),
    summary="Release a hold",
)
async def create_release(hold_id: UUID, api: ApiDep, caller: SettlingCaller) -> JSONResponse:
    """Free what a quote held, when the patient does not pay after all. One that has ended is told as it is."""
    return JSONResponse(await release_hold(api.resources, caller, HoldId(hold_id)))


@router.post(
    "/settlements",
    status_code=201,
    response_model=SettlementResponse,
    responses=problems(*_READING, *_COMMAND, *_ASKING, "not_settled_by_insurer") | {200: {"model": SettlementResponse}},
    summary="Settle a bill",
)
async def create_settlement(
    body: SettlementRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Record one bill that the insurer has settled, with what the member's plan pays of the rest.

    201 with the record, held bills included; 200 when the bill was recorded before (then with what was recorded),
    or is not ours (`mutual_aid.status: none` without an id).
    """
    command = once(api, caller, idempotency_key, "settle", body.model_dump(mode="python"))
    if body.fetch is None:
        brought = _brought(body.output or {}, body)
        outcome = await settle_bill(api.resources, SettleBill(caller, Door.API, brought, at_counter=True, once=command))
    else:
        fetch = FetchBill(
            caller,
            insured_person_no=body.fetch.psn_no,
            insurer_settlement_id=body.fetch.setl_id,
            encounter_id=body.fetch.mdtrt_id,
            facts=_facts(body.visit),
            other_payers=_payers(body),
            resettles=body.resettles,
            once=command,
        )
        outcome = await fetch_bill(api.resources, api.lines, fetch)
    return _told(outcome)


@router.post(
    "/pending-messages",
    status_code=201,
    response_model=SettlementResponse,
    responses=problems(*_TOKEN, *_COMMAND, "message_unreadable", "hospital_not_yours", "bill_not_found")
    | {200: {"model": SettlementResponse}},
    summary="Report an unanswered message",
)
async def report_pending_message(
    body: PendingMessageRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Say that the insurer did not answer a settlement or a cancellation: we ask it what became of it, and never act.

    201 with the bill that stands for the message (`pending`); 200 with a bill that is known, when the message made it
    or its cancellation is asked about. Its timeline says at each moment what is known and what to tell the patient.
    """
    report = ReportMessage(
        caller,
        message_id=body.msgid,
        insured_person_no=body.psn_no,
        encounter_id=body.mdtrt_id,
        insurer_settlement_id=body.setl_id,
        facts=_facts(body.visit),
        once=once(api, caller, idempotency_key, "report", body.model_dump(mode="python")),
    )
    return _told(await report_message(api.resources, report))


@router.post(
    "/settlements/{bill_id}/reversals",
    status_code=201,
    response_model=SettlementResponse,
    responses=problems(
        *_TOKEN,
        *_COMMAND,
        *_ASKING,
        "bill_not_found",
        "nothing_to_reverse",
        "insurer_cancellation_not_seen",
        "cancellation_of_another_bill",
        "message_unreadable",
        "message_dropped",
    )
    | {200: {"model": SettlementResponse}},
    summary="Reverse a settlement",
)
async def create_reversal(
    bill_id: UUID, body: ReversalRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Undo a settlement whose bill the insurer has cancelled: brought, or seen by 5203. Else nothing is released."""
    command = once(api, caller, idempotency_key, f"reverse {bill_id}", body.model_dump(mode="python"))
    reversal = ReverseBill(caller, BillId(bill_id), body.reason, body.cancellation, command)
    return _told(await reverse_bill(api.resources, api.lines, reversal))


@router.post(
    "/settlements/{bill_id}/transfers",
    status_code=201,
    response_model=SettlementResponse,
    responses=problems(*_TOKEN, *_COMMAND, "bill_not_found") | {200: {"model": SettlementResponse}},
    summary="Move the aid to the card",
)
async def create_transfer(
    bill_id: UUID, body: TransferRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Owe the aid on a bill to the member instead of the hospital: the patient was not shown it, and paid without it.

    200 for a bill that has no aid on it, as it stands.
    """
    command = once(api, caller, idempotency_key, f"transfer {bill_id}", body.model_dump(mode="python"))
    return _told(await transfer_aid(api.resources, TransferAid(caller, BillId(bill_id), body.reason, command)))


@router.post(
    "/settlements/{bill_id}/reinstatements",
    status_code=201,
    response_model=SettlementResponse,
    responses=problems(
        *_TOKEN,
        *_COMMAND,
        "bill_not_found",
        "nothing_to_reinstate",
        "insurer_cancellation_stands",
        "insurer_refused",
        "gateway_unavailable",
        "message_unreadable",
        "message_dropped",
    )
    | {200: {"model": SettlementResponse}},
    summary="Reinstate a reversed settlement",
)
async def create_reinstatement(
    bill_id: UUID, body: ReinstatementRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Make a reversed bill live again: the insurer's cancellation was taken back (2601), or 5203 says that it lives.

    200 for a live bill, as it stands.
    """
    command = once(api, caller, idempotency_key, f"reinstate {bill_id}", body.model_dump(mode="python"))
    undoing = body.undone.model_dump() if body.undone else None
    reinstatement = ReinstateBill(caller, BillId(bill_id), undoing, command)
    return _told(await reinstate_bill(api.resources, api.lines, reinstatement))


@router.post(
    "/settlements/{bill_id}/answers",
    response_model=SettlementResponse,
    responses=problems(
        *_TOKEN,
        *_COMMAND,
        "bill_not_found",
        "nothing_asked",
        "answer_unusable",
        "message_dropped",
        "message_unreadable",
    ),
    summary="Answer a held bill's question",
)
async def create_answer(
    bill_id: UUID, body: AnswerRequest, idempotency_key: IdempotencyKey, api: ApiDep, caller: SettlingCaller
) -> JSONResponse:
    """Release a held bill with the fact it asked for. Its aid goes to the member's card."""
    given = body.answers.model_dump(exclude_none=True)
    command = once(api, caller, idempotency_key, f"answer {bill_id}", body.model_dump(mode="python"))
    answer = AnswerBill(
        caller,
        BillId(bill_id),
        facts={name: _text(value) for name, value in body.facts.model_dump(exclude_none=True).items()},
        answers=given,
        output=body.output,
        once=command,
    )
    return _told(await answer_bill(api.resources, answer))


@router.get(
    "/requests/{idempotency_key:path}",
    responses=problems(*_TOKEN, "request_not_found"),
    summary="What became of a command",
)
async def get_request(idempotency_key: str, api: ApiDep, caller: ReadingCaller) -> CommandFate:
    """Return what a command under this key was answered, for a caller who lost the answer."""
    async with fund_transaction(api.resources.engine, caller.fund_id) as connection:
        stored = await find_answer(connection, caller.fund_id, CommandKey(caller.client_id, idempotency_key))
    if stored is None:
        raise Refused("request_not_found")
    return CommandFate(key=idempotency_key, status=stored.status, body=stored.body)


def _brought(output: dict[str, Any], body: QuoteRequest | SettlementRequest) -> Brought:
    return Brought(output, _facts(body.visit), _payers(body), resettles=body.resettles)


def _payers(body: QuoteRequest | SettlementRequest) -> tuple[OtherPayer, ...] | None:
    return None if body.other_payers is None else tuple(other.to_domain() for other in body.other_payers)


def _facts(visit: VisitFacts) -> dict[str, Any]:
    return {name: _text(value) for name, value in visit.model_dump().items()}


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _told(outcome: Outcome) -> JSONResponse:
    """Send the answer as it was committed; the use case has ended before this reply exists."""
    count_answer(Door.API, outcome.answer)
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return JSONResponse(outcome.answer, outcome.status, headers)
