"""Settle a bill by its ids: we fetch its figures from the insurer by 5203, then settle it as confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settlement.db.engine import fund_transaction
from settlement.domain.settlements import Door, OtherPayer
from settlement.gateway.client import Place
from settlement.gateway.mapping import read_visit
from settlement.gateway.readings import Unreadable
from settlement.services.bills.ask_insurer import ask_settlement
from settlement.services.bills.commands import Brought, Caller, Once, Outcome, SettleBill
from settlement.services.bills.errors import CancelledAtInsurer, HospitalNotYours, MessageUnreadable
from settlement.services.bills.settle_bill import answered_before, settle_bill
from settlement.services.funds.lines import Lines
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class FetchBill:
    """Fetch and settle one bill; `facts` are those of the visit, by the insurer's names."""

    caller: Caller
    insured_person_no: str
    insurer_settlement_id: str
    encounter_id: str
    facts: Mapping[str, Any]
    other_payers: tuple[OtherPayer, ...] | None
    once: Once
    resettles: str | None = None


async def fetch_bill(resources: Resources, lines: Lines, command: FetchBill) -> Outcome:
    """Fetch a bill, no transaction open, and settle it.

    Raises `CancelledAtInsurer` for a bill that the insurer has cancelled, and what `ask_settlement` and
    `settle_bill` raise. A command that was answered before is not asked again.
    """
    caller = command.caller
    visit = read_visit(command.facts)
    if isinstance(visit, Unreadable):
        raise MessageUnreadable(field=visit.field, problem=visit.problem)
    if not caller.may_act_for(visit.hospital_code):
        raise HospitalNotYours(hospital_code=visit.hospital_code)
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        if (answered := await answered_before(connection, caller.fund_id, command.once)) is not None:
            return answered
    rules = await resources.rules.of(caller.fund_id)
    fetched, output = await ask_settlement(
        lines.to(rules),
        insured_person_no=command.insured_person_no,
        insurer_settlement_id=command.insurer_settlement_id,
        encounter_id=command.encounter_id,
        place=Place(visit.area, visit.insured_area or ""),
    )
    if fetched.reading.insurer_settlement_id != command.insurer_settlement_id:
        raise MessageUnreadable(field="setlinfo.setl_id", problem="disagrees")
    if fetched.refunded:
        raise CancelledAtInsurer(insurer_settlement_id=command.insurer_settlement_id)
    brought = Brought(output, command.facts, command.other_payers, resettles=command.resettles)
    # An answer that does not say whether the bill was cancelled gives figures, but confirms none.
    confirmed_by = "5203" if fetched.refunded is False else None
    settle = SettleBill(caller, Door.API, brought, at_counter=True, confirmed_by=confirmed_by, once=command.once)
    return await settle_bill(resources, settle)
