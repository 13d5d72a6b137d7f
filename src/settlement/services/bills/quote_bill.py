"""Quote one bill on the insurer's pre-settlement: the same decision as a settlement's, and nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from settlement.db.engine import fund_transaction
from settlement.db.people import certificate_index, find_member, number_index
from settlement.db.settling import Reading as Seen
from settlement.db.settling import Wanted, read_known
from settlement.domain.answers import Answer, held_quote_answer, quote_answer, uncovered_answer
from settlement.domain.bills import Care
from settlement.domain.ids import MemberId
from settlement.domain.scope import care_of
from settlement.domain.sentences import Language
from settlement.domain.settlements import Split, split_aid, total_of_others
from settlement.domain.time import china_date
from settlement.services.bills.commands import Brought, Caller
from settlement.services.bills.decide import (
    Decision,
    Hold,
    NotCovered,
    Pays,
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


@dataclass(frozen=True, slots=True)
class Trial:
    """A pre-settlement as read. One of a stay that has not ended is an estimate: today stands for the discharge."""

    read: ReadBill
    estimate: bool
    by_certificate: bytes | None
    by_number: bytes | None


async def quote_bill(resources: Resources, command: QuoteBill) -> Answer:
    """Return the whole computation on a pre-settlement (2206 or 2303), or why there is none.

    It promises nothing: another bill may take the room. Raises what `read_brought_trial` raises.
    """
    fund_id, at = command.caller.fund_id, resources.clock()
    rules = await resources.rules.of(fund_id)
    trial = read_trial_bill(resources, command, rules, at)
    async with fund_transaction(resources.engine, fund_id) as connection:
        member_id = await find_member(connection, fund_id, trial.by_certificate, trial.by_number)
        seen = await read_known(connection, wanted_for(trial, rules, member_id, at, command.brought.resettles))
    rules = await resources.rules.knowing(fund_id, seen.plan_digest, seen.chain.plan_digest if seen.chain else None)
    decision = decide_trial(resources, command, rules, trial, member_id, seen, at)
    return told(decision, command, trial)


def read_trial_bill(resources: Resources, command: QuoteBill, rules: FundRules, at: datetime) -> Trial:
    """Read a pre-settlement and find the indexes of its person."""
    read = read_brought_trial(command.brought, rules.profile, command.caller)
    fund_id, keys, insured = command.caller.fund_id, resources.keys, read.bill.insured
    certificate = certificate_of(read.bill, command.brought.answers)
    estimate = care_of(read.bill.care_type) is Care.INPATIENT and read.visit.discharged_on is None
    if estimate:
        read = replace(read, visit=replace(read.visit, discharged_on=china_date(at)))
    return Trial(
        read,
        estimate,
        certificate_index(keys, fund_id, certificate) if certificate else None,
        number_index(keys, fund_id, insured.insured_person_no) if insured.insured_person_no else None,
    )


def wanted_for(
    trial: Trial, rules: FundRules, member_id: MemberId | None, at: datetime, resettles: str | None
) -> Wanted:
    """Return what is read of the database for a pre-settlement."""
    read = trial.read
    return Wanted(
        fund_id=rules.fund.fund_id,
        member_id=member_id,
        number_index=trial.by_number,
        area=read.visit.area,
        insurer_settlement_id=None,
        hospital_code=read.visit.hospital_code,
        encounter_id=read.bill.encounter_id,
        charge_batch_no=read.visit.charge_batch_no,
        visit_no=read.visit.visit_no,
        resettles=resettles,
        plan_code=rules.fund.plan_code,
        service_date=likely_service_date(read.bill, read.visit, rules, china_date(at)),
        at=at,
        command=None,
    )


def decide_trial(
    resources: Resources,
    command: QuoteBill,
    rules: FundRules,
    trial: Trial,
    member_id: MemberId | None,
    seen: Seen,
    at: datetime,
) -> Decision:
    """Decide a pre-settlement as a settlement would be decided now."""
    known = what_is_known(resources.keys, command.caller.fund_id, member_id, seen)
    others = total_of_others(command.brought.others)
    read = trial.read
    return decide(read.bill, read.visit, rules, known, command.brought.answers, china_date(at), others)


def split_of(decision: Pays, command: QuoteBill) -> Split:
    """Return where the aid of a decided pre-settlement goes, in fen."""
    others = total_of_others(command.brought.others)
    return split_aid(decision.aid, decision.figures.cash_before_aid, others, decision.at_counter)


def told(decision: Decision, command: QuoteBill, trial: Trial) -> Answer:
    """Return what the caller is told about a decided pre-settlement, without a hold."""
    language: Language = command.caller.language
    if isinstance(decision, NotCovered):
        return uncovered_answer(decision.reason, language)
    if isinstance(decision, Hold):
        return held_quote_answer(decision.question.code, decision.question.figures, language)
    plan = decision.version.plan
    named = {"code": plan.plan_code, "version": plan.version, "digest": plan.digest}
    answer = quote_answer(decision.figures, split_of(decision, command), named, decision.service_date, language)
    return answer | {"estimate": trial.estimate}
