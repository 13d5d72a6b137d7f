"""A hospital reports a message to the insurer that was not answered: what became of it is asked from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.db import bills, holds
from settlement.db.engine import fund_transaction
from settlement.db.messages import insert_message
from settlement.db.parts import write_together
from settlement.db.pending import find_bill_of_message
from settlement.db.settling import lock_member
from settlement.domain.answers import settlement_answer
from settlement.domain.bills import Visit
from settlement.domain.errors import ensure
from settlement.domain.ids import BillId
from settlement.domain.pending import UNKNOWN_ID, Asks, Patience
from settlement.domain.settlements import BillHead, BillState, Door, SettledBill
from settlement.gateway.mapping import read_visit
from settlement.gateway.readings import Unreadable
from settlement.services.bills.commands import Caller, Once, Outcome
from settlement.services.bills.errors import BillNotFound, HospitalNotYours, MessageUnreadable
from settlement.services.bills.settle_bill import answered_before
from settlement.services.bills.work import Work
from settlement.services.resources import Resources
from settlement.services.transactions import run

KEPT_BEYOND_DEADLINE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReportMessage:
    """One unanswered message: of a settlement, or with `insurer_settlement_id` the cancellation of that settlement.

    `facts` are those of the visit, by the insurer's names; `message_id` is the message's own (`msgid`).
    """

    caller: Caller
    message_id: str
    insured_person_no: str
    encounter_id: str
    insurer_settlement_id: str | None
    facts: Mapping[str, Any]
    once: Once


async def report_message(resources: Resources, command: ReportMessage) -> Outcome:
    """Record that a message is pending, or answer with the bill that it made; reporting it again changes nothing.

    Nothing is settled or reversed by a report. What was promised for the visit stands as long as it is asked about,
    because the cash was taken by it. Raises `MessageUnreadable`, `HospitalNotYours`, and for a cancellation of a bill
    that was never brought `BillNotFound`.
    """
    visit = read_visit(command.facts)
    if isinstance(visit, Unreadable):
        raise MessageUnreadable(field=visit.field, problem=visit.problem)
    if not command.caller.may_act_for(visit.hospital_code):
        raise HospitalNotYours(hospital_code=visit.hospital_code)
    patience = (await resources.rules.of(command.caller.fund_id)).profile.patience

    async def transaction() -> Outcome:
        fund_id, once = command.caller.fund_id, command.once
        async with fund_transaction(resources.engine, fund_id) as connection:
            cancelled = await _cancelled_bill(connection, command, visit)
            promised = await holds.find_member_of_visit(
                connection, fund_id, visit.hospital_code, command.encounter_id, resources.clock()
            )
            member_id = None if cancelled else promised
            await lock_member(connection, fund_id, once.lock_name, bill_id=cancelled, member_id=member_id)
            if (answered := await answered_before(connection, fund_id, once)) is not None:
                return answered
            work = Work(resources, command.caller, once, resources.clock())
            if cancelled is not None:
                outcome = await _ask_about_cancellation(connection, work, command, cancelled, patience)
            else:
                outcome = await _ask_about_settlement(connection, work, command, visit, patience)
            await write_together(connection, work.parts)
            return outcome

    return await run(transaction)


async def _cancelled_bill(connection: AsyncConnection, command: ReportMessage, visit: Visit) -> BillId | None:
    if command.insurer_settlement_id is None:
        return None
    head = await bills.find_head_by_insurer_id(
        connection, command.caller.fund_id, visit.area, command.insurer_settlement_id
    )
    if head is None or not command.caller.may_act_for(head.hospital_code):
        raise BillNotFound(insurer_settlement_id=command.insurer_settlement_id)
    return head.bill_id


async def _ask_about_cancellation(
    connection: AsyncConnection, work: Work, command: ReportMessage, bill_id: BillId, patience: Patience
) -> Outcome:
    settled = await bills.find_settled_bill(connection, work.fund_id, bill_id)
    ensure(settled is not None, "a bill that was found is gone")
    if settled is None:
        raise BillNotFound(id=str(bill_id))
    if settled.head.state not in (BillState.LIVE, BillState.HELD):
        return work.answered(settlement_answer(settled, work.caller.language), created=False)
    head = work.changed_head(settled.head, "settlement.cancellation_asked.v1", {"message_id": command.message_id})
    work.ask(head, Asks.CANCELLATION, command.message_id, patience)
    return work.answered(settlement_answer(replace(settled, head=head), work.caller.language), created=False)


async def _ask_about_settlement(
    connection: AsyncConnection, work: Work, command: ReportMessage, visit: Visit, patience: Patience
) -> Outcome:
    fund_id, unknown_id = work.fund_id, f"{UNKNOWN_ID}{command.message_id}"
    made = await find_bill_of_message(
        connection, fund_id, command.encounter_id, command.message_id, visit.hospital_code
    )
    reported = await bills.find_head_by_insurer_id(connection, fund_id, visit.area, unknown_id)
    if reported is not None and not work.caller.may_act_for(reported.hospital_code):
        raise HospitalNotYours(hospital_code=visit.hospital_code)
    known = made or (reported.bill_id if reported else None)
    if known is not None:
        settled = await bills.find_settled_bill(connection, fund_id, known)
        ensure(settled is not None, "a bill that was found is gone")
        if settled is not None:
            return work.answered(settlement_answer(settled, work.caller.language), created=False)
    head = work.new_head(
        _pending_head(work, command, visit, unknown_id), "settlement.pending.v1", {"message_id": command.message_id}
    )
    _keep(work, head, command, work.at + patience.deadline + KEPT_BEYOND_DEADLINE)
    work.ask(head, Asks.SETTLEMENT, command.message_id, patience)
    of_visit = (visit.hospital_code, command.encounter_id, visit.charge_batch_no)
    work.parts.append(holds.prolong_holds(fund_id, *of_visit, work.at, work.at + patience.deadline))
    return work.answered(settlement_answer(SettledBill(head, None, None), work.caller.language), created=True)


def _pending_head(work: Work, command: ReportMessage, visit: Visit, unknown_id: str) -> BillHead:
    bill_id = BillId(work.resources.ids.new())
    return BillHead(
        bill_id=bill_id,
        settlement_no=work.resources.ids.settlement_no(bill_id),
        state=BillState.PENDING,
        area=visit.area,
        insurer_settlement_id=unknown_id,
        door=Door.API,
        created_at=work.at,
        hospital_code=visit.hospital_code,
        encounter_id=command.encounter_id,
        charge_batch_no=visit.charge_batch_no,
        visit_no=visit.visit_no,
        receipt_no=visit.receipt_no,
        operator=visit.operator,
        message_id=command.message_id,
    )


def _keep(work: Work, head: BillHead, command: ReportMessage, until: datetime) -> None:
    """Keep the person's number, sealed, for as long as it may have to be asked with."""
    content = {"facts": command.facts, "psn_no": command.insured_person_no}
    kept_until = min(until, work.at + work.resources.keep_messages)
    work.parts.append(
        insert_message(
            work.resources.keys,
            work.fund_id,
            head.bill_id,
            work.resources.ids.new(),
            "unanswered",
            content,
            work.at,
            kept_until,
        )
    )
