"""Quote one bill on the insurer's pre-settlement: the same decision as a settlement's, and nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass

from settlement.db.engine import fund_transaction
from settlement.db.people import certificate_index, find_member, number_index
from settlement.db.settling import Wanted, read_known
from settlement.domain.answers import Answer, held_quote_answer, quote_answer, uncovered_answer
from settlement.domain.settlements import split_aid, total_of_others
from settlement.domain.time import china_date
from settlement.services.bills.commands import Brought, Caller
from settlement.services.bills.decide import (
    Decision,
    Hold,
    NotCovered,
    certificate_of,
    decide,
    likely_service_date,
)
from settlement.services.bills.known import what_is_known
from settlement.services.bills.read_brought import ReadBill, read_brought_trial
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources


@dataclass(frozen=True, slots=True)
class QuoteBill:
    """Say what a settlement with these figures would pay now."""

    caller: Caller
    brought: Brought


async def quote_bill(resources: Resources, command: QuoteBill) -> Answer:
    """Return the whole computation on a pre-settlement (2206 or 2303), or why there is none.

    It promises nothing: another bill may take the room. Raises what `read_brought_trial` raises.
    """
    rules = await resources.rules.of(command.caller.fund_id)
    read = read_brought_trial(command.brought, rules.profile, command.caller)
    decision = await _decision(resources, command, rules, read)
    language = command.caller.language
    if isinstance(decision, NotCovered):
        return uncovered_answer(decision.reason, language)
    if isinstance(decision, Hold):
        return held_quote_answer(decision.question.code, decision.question.figures, language)
    others = total_of_others(command.brought.others)
    split = split_aid(decision.aid, decision.figures.cash_before_aid, others, decision.at_counter)
    plan = decision.version.plan
    named = {"code": plan.plan_code, "version": plan.version, "digest": plan.digest}
    return quote_answer(decision.figures, split, named, decision.service_date, language)


async def _decision(resources: Resources, command: QuoteBill, rules: FundRules, read: ReadBill) -> Decision:
    fund_id, keys, insured = command.caller.fund_id, resources.keys, read.bill.insured
    certificate = certificate_of(read.bill, command.brought.answers)
    by_certificate = certificate_index(keys, fund_id, certificate) if certificate else None
    by_number = number_index(keys, fund_id, insured.insured_person_no) if insured.insured_person_no else None
    now = resources.clock()
    async with fund_transaction(resources.engine, fund_id) as connection:
        member_id = await find_member(connection, fund_id, by_certificate, by_number)
        wanted = Wanted(
            fund_id=fund_id,
            member_id=member_id,
            number_index=by_number,
            area=read.visit.area,
            insurer_settlement_id=None,
            hospital_code=read.visit.hospital_code,
            plan_code=rules.fund.plan_code,
            service_date=likely_service_date(read.bill, read.visit, rules, china_date(now)),
            command=None,
        )
        seen = await read_known(connection, wanted)
    rules = await resources.rules.knowing(fund_id, seen.plan_digest)
    known = what_is_known(keys, fund_id, member_id, seen)
    others = total_of_others(command.brought.others)
    return decide(read.bill, read.visit, rules, known, command.brought.answers, china_date(now), others)
