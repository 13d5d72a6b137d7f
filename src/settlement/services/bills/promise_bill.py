"""Quote one bill and hold what was quoted: the settlement with the same insurer figures pays exactly that fen.

Cash is taken at the pre-settlement. What is held counts against the limits until the settlement keeps it, a newer
pre-settlement of the batch replaces it, or its time is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from settlement.db import holds
from settlement.db.engine import fund_transaction
from settlement.db.parts import write_together
from settlement.db.settling import Reading as Seen
from settlement.db.settling import lock_member, read_known
from settlement.domain.answers import Answer, hold_answer, not_held
from settlement.domain.errors import SettlementError, ensure
from settlement.domain.ids import HoldId, MemberId
from settlement.domain.promises import HoldKind, HoldState, Promise
from settlement.plans.history import takings
from settlement.plans.receipt import Inputs, make_receipt
from settlement.services.bills.commands import Once, Outcome
from settlement.services.bills.decide import Decision, Pays
from settlement.services.bills.quote_bill import (
    QuoteBill,
    Trial,
    decide_trial,
    read_trial_bill,
    split_of,
    told,
    wanted_for,
)
from settlement.services.bills.settle_bill import RulesChanged, answered_before, refuse_unknown_version
from settlement.services.bills.work import Work
from settlement.services.funds.rules import FundRules
from settlement.services.resources import Resources
from settlement.services.transactions import run


class GuaranteeNotAllowed(SettlementError):
    """The fund gives hospitals no guarantee for a stay."""

    code = "guarantee_not_allowed"


@dataclass(frozen=True, slots=True)
class PromiseBill:
    """Quote a pre-settlement and hold the amount: for the counter's minutes, or as a guarantee for a stay."""

    quote: QuoteBill
    kind: HoldKind
    once: Once | None


async def promise_bill(resources: Resources, command: PromiseBill) -> Outcome:
    """Return the quote with its hold, or why nothing is held: not ours, a question open, or an estimate.

    Raises `GuaranteeNotAllowed`, and what `quote_bill` and `run` raise.
    """
    fund_id = command.quote.caller.fund_id
    guarantee = command.kind is HoldKind.STAY
    rules = await (resources.rules.read_anew(fund_id) if guarantee else resources.rules.of(fund_id))
    if guarantee and rules.fund.stay_hold_days is None:
        raise GuaranteeNotAllowed
    trial = read_trial_bill(resources, command.quote, rules, resources.clock())
    async with resources.queue.place((fund_id, trial.by_certificate or trial.by_number)):
        while True:
            try:
                return await run(lambda: _transaction(resources, command, rules, trial))  # noqa: B023
            except RulesChanged as changed:
                rules = await resources.rules.read_anew(fund_id)
                ensure(rules.version_by_digest(changed.digest) is not None, "the plan version in force cannot be read")


async def _transaction(resources: Resources, command: PromiseBill, rules: FundRules, trial: Trial) -> Outcome:
    caller = command.quote.caller
    async with fund_transaction(resources.engine, caller.fund_id) as connection:
        member_id = await lock_member(
            connection,
            caller.fund_id,
            _once(command, trial),
            certificate_index=trial.by_certificate,
            number_index=trial.by_number,
        )
        if (answered := await answered_before(connection, caller.fund_id, command.once)) is not None:
            return answered
        at = resources.clock()
        wanted = wanted_for(trial, rules, member_id, at, command.quote.brought.resettles)
        seen = await read_known(connection, wanted)
        refuse_unknown_version(rules, seen)
        decision = decide_trial(resources, command.quote, rules, trial, member_id, seen, at)
        work = Work(resources, caller, command.once, at)
        answer = _promised(work, command, rules, trial, decision, member_id, seen)
        outcome = work.answered(answer, created=False)
        if work.parts:
            await write_together(connection, work.parts)
        return outcome


def _once(command: PromiseBill, trial: Trial) -> str:
    """Name what must not run twice at a time: the client's key, else the charge batch."""
    if command.once is not None:
        return command.once.lock_name
    visit = trial.read.visit
    return f"hold\x1f{visit.hospital_code}\x1f{trial.read.bill.encounter_id}\x1f{visit.charge_batch_no}"


def _promised(
    work: Work,
    command: PromiseBill,
    rules: FundRules,
    trial: Trial,
    decision: Decision,
    member_id: MemberId | None,
    seen: Seen,
) -> Answer:
    """Write the hold in place of the batch's earlier ones; a pre-settlement that shows no aid ends them, too."""
    answer, language = told(decision, command.quote, trial), command.quote.caller.language
    if trial.estimate and command.kind is HoldKind.COUNTER:
        return answer | not_held("estimate_not_held", language)
    pays, chain = isinstance(decision, Pays) and member_id is not None, seen.chain
    ended = {promise.hold_id for promise in seen.promises}
    if chain is not None:
        # What is kept for the visit is held by the newest hold of it; one that holds nothing leaves it where it is.
        ended = ended | {chain.hold_id} if pays else ended - {chain.hold_id}
    if ended:
        work.parts.append(holds.end_holds(work.fund_id, sorted(ended), HoldState.REPLACED, work.at))
    if not isinstance(decision, Pays) or member_id is None:
        return answer | not_held("nothing_to_hold", language)
    promise = _promise(work, command, decision, trial, member_id, _expiry(work, command, rules))
    if chain is not None:
        expires_at = max(promise.expires_at, chain.stands_until)
        promise = replace(
            promise, of_bill_id=chain.of_bill_id, place_bill_id=chain.place_bill_id, expires_at=expires_at
        )
    work.parts.append(holds.insert_hold(work.fund_id, promise))
    taken = takings(decision.version.plan, decision.placed, decision.benefits, decision.keys)
    if taken:
        work.parts.append(holds.insert_hold_room(work.fund_id, promise.hold_id, taken))
    return answer | {"hold": hold_answer(promise), "not_held": None}


def _expiry(work: Work, command: PromiseBill, rules: FundRules) -> datetime:
    if command.kind is HoldKind.STAY:
        return work.at + timedelta(days=rules.fund.stay_hold_days or 0)
    return work.at + work.resources.hold_counter_for


def _promise(
    work: Work, command: PromiseBill, decision: Pays, trial: Trial, member_id: MemberId, expires_at: datetime
) -> Promise:
    plan, read = decision.version.plan, trial.read
    receipt = make_receipt(plan, Inputs(decision.figures, decision.facts), decision.placed.used, decision.benefits)
    return Promise(
        hold_id=HoldId(work.resources.ids.new()),
        kind=command.kind,
        state=HoldState.OPEN,
        member_id=member_id,
        hospital_code=read.visit.hospital_code,
        encounter_id=read.bill.encounter_id,
        charge_batch_no=read.visit.charge_batch_no or "",
        figures_digest=read.figures_digest,
        plan_version_id=decision.version.plan_version_id,
        plan_code=plan.plan_code,
        plan_version=plan.version,
        plan_digest=plan.digest,
        service_date=decision.service_date,
        split=split_of(decision, command.quote),
        receipt=receipt.to_json(),
        receipt_hash=receipt.hash,
        actor=command.quote.caller.client_id,
        created_at=work.at,
        expires_at=expires_at,
    )
