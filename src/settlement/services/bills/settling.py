"""What becomes of one bill under its member's lock: recorded, held, known already, or not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import ENGINE_VERSION
from settlement.db import bills, commands, holds
from settlement.db.messages import as_kept, find_message
from settlement.db.parts import write_together
from settlement.db.people import insert_number
from settlement.db.settling import Reading as UnderLock
from settlement.domain.answers import Answer, settlement_answer, uncovered_answer
from settlement.domain.benefits import StepKind
from settlement.domain.bills import InsurerBill
from settlement.domain.certificates import is_masked
from settlement.domain.errors import ensure
from settlement.domain.ids import BillId, MemberId, PlanVersionId
from settlement.domain.money import ZERO
from settlement.domain.postings import postings_of, purses_of
from settlement.domain.promises import HoldState, Promise, promise_kept
from settlement.domain.settlements import (
    FOR_WANT_OF_COVER,
    BillHead,
    BillState,
    PricedRecord,
    PromiseMet,
    Question,
    RevisionReason,
    SettledBill,
    split_aid,
    total_of_others,
)
from settlement.domain.time import china_date
from settlement.plans.canonical import canonical_json, sha256_hex
from settlement.plans.covering import cover_for
from settlement.plans.history import takings
from settlement.plans.receipt import Inputs, make_receipt
from settlement.plans.stored import figures_from_json, figures_to_json
from settlement.services.bills.chains import keep_place_on, take_place, take_place_late
from settlement.services.bills.commands import Brought, Outcome, SettleBill
from settlement.services.bills.decide import (
    Decision,
    Hold,
    NotCovered,
    Pays,
    decide,
    identity_question,
    likely_service_date,
)
from settlement.services.bills.errors import BillNotFound, HospitalNotYours
from settlement.services.bills.kept_message import content_of, merged
from settlement.services.bills.known import what_is_known
from settlement.services.bills.read_brought import ReadBill
from settlement.services.bills.revise import revise
from settlement.services.bills.work import Work
from settlement.services.funds.rules import FundRules

log = structlog.get_logger()


class KnownFromBefore(Exception):
    """A held bill comes again, and with what was told before more is known of it than was brought now."""

    def __init__(self, brought: Brought) -> None:
        super().__init__()
        self.brought = brought


@dataclass(frozen=True, slots=True)
class Settling:
    """One bill while its member is locked: what was brought, what is known, and the work that will be written."""

    work: Work
    command: SettleBill
    rules: FundRules
    read: ReadBill
    member_id: MemberId | None
    number_index: bytes | None
    under_lock: UnderLock

    async def outcome(self, connection: AsyncConnection) -> Outcome:
        """Decide, collect the parts to write, and return the answer. Raises `HospitalNotYours` for another's bill."""
        head = self.under_lock.head
        if head is None:
            return await self._first_time(connection)
        if head.hospital_code is not None and not self.command.caller.may_act_for(head.hospital_code):
            raise HospitalNotYours(hospital_code=self.read.visit.hospital_code)
        if head.state is BillState.HELD and head.hospital_code == self.read.visit.hospital_code:
            return await self._held_before(connection, head)
        if head.state is BillState.CANCELLED_UNSEEN and head.hospital_code is None:
            return await self._after_its_cancellation(connection, head)
        return await self._recorded_before(connection, head)

    async def _first_time(self, connection: AsyncConnection) -> Outcome:
        promise = self._promise()
        if promise is not None:
            return self._kept(promise)
        decision = self._decision()
        if isinstance(decision, NotCovered):
            return await self._not_covered(connection, decision)
        head = self._new_head()
        if isinstance(decision, Hold):
            head = replace(head, state=BillState.HELD, question=decision.question)
            head = self.work.new_head(head, "settlement.held.v1", {"question": decision.question.code})
            self._keep_message(head)
            return self._answer(SettledBill(head, None, None), created=True)
        priced = self._priced(decision, revision=1, at_counter=self.command.at_counter and decision.at_counter)
        head = self._in_place(replace(head, state=BillState.LIVE, revision=1))
        head = self.work.new_head(head, "settlement.settled.v1", _settled_payload(priced))
        self._record(head, priced, decision)
        self._keep_message(head)
        self._take_place(head)
        met = self._end_holds(head, kept=None)
        return self._answer(SettledBill(head, priced, None, met), created=True)

    def _promise(self) -> Promise | None:
        """Return the promise that this bill keeps. Whose bill it is must be clear; nothing else is decided anew."""
        reading, bill, others = self.under_lock, self.read.bill, total_of_others(self.command.brought.others)
        promise = promise_kept(reading.promises, self.work.at, self.member_id, self.read.figures_digest, others)
        if promise is None or not isinstance(bill, InsurerBill):
            return None
        known = what_is_known(self.work.resources.keys, self.work.fund_id, self.member_id, reading)
        return promise if identity_question(bill, known, self.command.brought.answers) is None else None

    def _kept(self, promise: Promise) -> Outcome:
        """Record the bill exactly as it was promised, whatever happened since, through whatever door it comes."""
        priced = self._as_promised(promise)
        head = self._in_place(replace(self._new_head(), state=BillState.LIVE, revision=1))
        head = self.work.new_head(head, "settlement.settled.v1", _settled_payload(priced))
        self._write_settlement(head, priced, promise.plan_version_id)
        self.work.parts.append(
            holds.insert_consumption_of_hold(
                self.work.fund_id, head.bill_id, priced.revision, promise, head.place_bill_id
            )
        )
        self._ask_people_of(head, promise)
        self._learn_number(head)
        self._keep_message(head)
        self._take_place(head)
        met = self._end_holds(head, kept=promise)
        return self._answer(SettledBill(head, priced, None, met), created=True)

    def _as_promised(self, promise: Promise) -> PricedRecord:
        return PricedRecord(
            revision=1,
            plan_code=promise.plan_code,
            plan_version=promise.plan_version,
            plan_digest=promise.plan_digest,
            service_date=promise.service_date,
            business_date=china_date(self._settled_at()),
            figures=figures_from_json(promise.receipt["inputs"]["figures"]),
            split=promise.split,
            engine_version=promise.receipt["engine_version"],
            receipt_hash=promise.receipt_hash,
            receipt=promise.receipt,
            actor=self.command.caller.client_id,
            recorded_at=self.work.at,
            hold_id=promise.hold_id,
        )

    def _in_place(self, head: BillHead) -> BillHead:
        """Return the head in the place that is kept for it, if one is."""
        chain = self.under_lock.chain
        if chain is None:
            return head
        return replace(head, replaces_bill_id=chain.of_bill_id, place_bill_id=chain.place_bill_id)

    def _take_place(self, head: BillHead) -> None:
        chain = self.under_lock.chain
        if chain is not None and head.replaces_bill_id is not None:
            take_place(self.work, head, chain)

    def _end_holds(self, head: BillHead, kept: Promise | None) -> PromiseMet | None:
        """End the batch's open holds by this bill; return the promise it kept, else the one it overtakes."""
        fund_id, at = self.work.fund_id, self.work.at
        if kept is not None:
            self.work.parts.append(holds.end_holds(fund_id, [kept.hold_id], HoldState.KEPT, at, head.bill_id))
        others = [promise for promise in self.under_lock.promises if promise is not kept and promise.holds_at(at)]
        if others:
            ids = [promise.hold_id for promise in others]
            self.work.parts.append(holds.end_holds(fund_id, ids, HoldState.OVERTAKEN, at, head.bill_id))
        met = kept or max(others, key=lambda promise: promise.hold_id.int, default=None)
        return PromiseMet(met.hold_id, met is kept, met.split) if met else None

    async def _not_covered(self, connection: AsyncConnection, decision: NotCovered) -> Outcome:
        """Keep nothing of the bill or the person but the count; what was held for it is free."""
        tally_id, day = self.work.resources.ids.new(), china_date(self._settled_at())
        part = commands.insert_uncovered(self.work.fund_id, tally_id, day, self.command.door.value, decision.reason)
        self.work.parts.append(part)
        held = [promise.hold_id for promise in self.under_lock.promises]
        if held:
            self.work.parts.append(holds.end_holds(self.work.fund_id, held, HoldState.RELEASED, self.work.at))
            chain = self.under_lock.chain
            for promise in self.under_lock.promises:
                if chain is not None and promise.hold_id == chain.hold_id:
                    await keep_place_on(connection, self.work, promise)
        answer = uncovered_answer(decision.reason, self.command.caller.language)
        return self.work.answered(answer, created=False)

    async def _held_before(self, connection: AsyncConnection, head: BillHead) -> Outcome:
        """Try a held bill again with what is known now. Its aid goes to the card: the counter was told to wait.

        Raises `KnownFromBefore` when it is known better than it was brought now: then all of it is read anew.
        """
        earlier = await self._told_before(connection, head)
        decision, bill = self._decision(), self.read.bill
        head = self._brought_up_to_date(head)
        if isinstance(decision, Hold) or not isinstance(bill, InsurerBill):
            return self._held_still(head, decision, earlier)
        if isinstance(decision, NotCovered):
            priced = self._excluded(decision.reason, bill)
        else:
            priced = self._priced(decision, revision=1, at_counter=False)
        head = replace(head, state=BillState.LIVE, revision=1, question=None)
        if isinstance(decision, Pays):
            head = self._in_place(head)
        head = self.work.changed_head(head, "settlement.settled.v1", _settled_payload(priced))
        self._record(head, priced, decision if isinstance(decision, Pays) else None)
        self._keep_message(head)
        self._take_place(head)
        met = self._end_holds(head, kept=None)
        return self._answer(SettledBill(head, priced, None, met), created=False)

    async def _told_before(self, connection: AsyncConnection, head: BillHead) -> Mapping[str, Any] | None:
        """Return the message that is kept of a bill. Raises `KnownFromBefore` when it tells more than came now."""
        keys, fund_id = self.work.resources.keys, self.work.fund_id
        earlier = await find_message(connection, keys, fund_id, head.bill_id, "settlement")
        brought = merged(self.command.brought, earlier)
        if brought != self.command.brought:
            raise KnownFromBefore(brought)
        return earlier

    def _held_still(self, head: BillHead, decision: Decision, earlier: Mapping[str, Any] | None) -> Outcome:
        """Ask the question that is open now, and keep what was told even if it was not what was asked for."""
        question = decision.question if isinstance(decision, Hold) else head.question
        known = self.under_lock.head
        if question != head.question or (known is not None and known.confirmed_at != head.confirmed_at):
            head = replace(head, question=question)
            head = self.work.changed_head(head, "settlement.held.v1", {"question": question.code if question else ""})
            self._keep_message(head)
        elif as_kept(content_of(self.command.brought)) != earlier:
            self._keep_message(head)
        return self._answer(SettledBill(head, None, None), created=False)

    async def _after_its_cancellation(self, connection: AsyncConnection, head: BillHead) -> Outcome:
        """The insurer's cancellation came first: the bill is known from now on, and nothing is paid."""
        decision = self._decision()
        if isinstance(decision, NotCovered):
            return await self._not_covered(connection, decision)
        head = self.work.changed_head(self._brought_up_to_date(head), "settlement.came_after_cancellation.v1", {})
        self._keep_message(head)
        return self._answer(SettledBill(head, None, None), created=False)

    async def _recorded_before(self, connection: AsyncConnection, head: BillHead) -> Outcome:
        """Answer with what was recorded, placement included. Other figures are a person's matter, never a new price."""
        settled = await bills.find_settled_bill(connection, self.work.fund_id, head.bill_id)
        ensure(settled is not None, "a head that was read under the lock is gone")
        if settled is None:
            raise BillNotFound
        if self._lacked_cover(settled):
            earlier = await self._told_before(connection, head)
            if as_kept(content_of(self.command.brought)) != earlier:
                self._keep_message(head)
            decision = self._decision()
            if isinstance(decision, Pays) and head.member_id in (None, self.member_id):
                return self._covered_since(settled, decision)
            if isinstance(decision, Hold):
                self.work.worklist(head, "covered_but_unclear", {"question": decision.question.code})
        if head.figures_digest != self.read.figures_digest:
            figures = {"door": self.command.door.value, "figures_digest": self.read.figures_digest}
            self.work.worklist(head, "bill_changed", figures)
        elif self.command.confirmed_by is not None and head.confirmed_at is None:
            confirmed = replace(head, confirmed_at=self.work.at, confirmed_by=self.command.confirmed_by)
            written = self.work.changed_head(confirmed, "settlement.confirmed.v1", {"by": self.command.confirmed_by})
            settled = replace(settled, head=written)
        said = self.command.brought.resettles
        if said is not None and head.figures_digest == self.read.figures_digest and self._may_say_of(settled, said):
            settled = await self._said_to_correct(connection, settled, said)
        return self._answer(settled, created=False)

    def _lacked_cover(self, settled: SettledBill) -> bool:
        """Say whether a bill was found not ours for want of cover, which a roster brings, and comes as it did then."""
        head, excluded = settled.head, settled.priced.receipt.get("excluded") if settled.priced else None
        as_brought = (self.read.visit.hospital_code, self.read.figures_digest)
        is_the_same = (head.hospital_code, head.figures_digest) == as_brought
        return excluded in FOR_WANT_OF_COVER and is_the_same and head.state is BillState.LIVE

    def _covered_since(self, settled: SettledBill, decision: Pays) -> Outcome:
        """Record a bill anew that a late roster has made ours. The patient paid without aid: it goes to the card."""
        plan = decision.version.plan
        priced = self._priced(decision, revision=settled.head.revision + 1, at_counter=False)
        priced = replace(priced, plan_version_id=decision.version.plan_version_id)
        head = self._in_place(self._brought_up_to_date(settled.head))
        taken = takings(plan, decision.placed, decision.benefits, decision.keys)
        recorded = revise(self.work, settled, RevisionReason.COVERED, priced, taken, head)
        self._ask_people(recorded.head, decision)
        self._learn_number(recorded.head)
        self._take_place(recorded.head)
        return self._answer(replace(recorded, promise=self._end_holds(recorded.head, kept=None)), created=False)

    def _may_say_of(self, settled: SettledBill, said: str) -> bool:
        """Say whether this message may say what a recorded bill corrects: it is under a plan, and nobody else's.

        The lock that is held is that of the person whom the message names, which is not always the bill's member.
        """
        head, priced = settled.head, settled.priced
        is_the_same = (head.member_id, head.hospital_code) == (self.member_id, self.read.visit.hospital_code)
        under_a_plan = priced is not None and priced.plan_version_id is not None
        return is_the_same and under_a_plan and head.resettles in (None, said) and head.state is BillState.LIVE

    async def _said_to_correct(self, connection: AsyncConnection, settled: SettledBill, said: str) -> SettledBill:
        """Note which bill a recorded one corrects, which another door had not said, and give it that one's place.

        While that one lives, its reversal finds what is noted.
        """
        head, chain = settled.head, self.under_lock.chain
        if head.resettles is None:
            if self.work.parts:  # Its confirmation; one write changes a head once.
                await write_together(connection, self.work.parts)
                self.work.parts.clear()
            head = replace(head, resettles=said)
            head = self.work.changed_head(head, "settlement.said_to_resettle.v1", {"resettles": said})
            settled = replace(settled, head=head)
        if chain is None or head.replaces_bill_id is not None:
            return settled
        return await take_place_late(connection, self.work, settled, chain) or settled

    def _decision(self) -> Decision:
        """Decide; a fault of ours becomes a question to ourselves, because the insurer has already said yes."""
        try:
            today = china_date(self.work.at)
            answers = self.command.brought.answers
            known = what_is_known(self.work.resources.keys, self.work.fund_id, self.member_id, self.under_lock)
            others = total_of_others(self.command.brought.others)
            return decide(self.read.bill, self.read.visit, self.rules, known, answers, today, others)
        except Exception:
            log.exception("settlement.our_fault", insurer_settlement_id=self.read.bill.insurer_settlement_id)
            return Hold(Question("our_fault", {}))

    def _priced(self, decision: Pays, *, revision: int, at_counter: bool) -> PricedRecord:
        others = total_of_others(self.command.brought.others)
        split = split_aid(decision.aid, decision.figures.cash_before_aid, others, at_counter)
        inputs = Inputs(decision.figures, decision.facts)
        receipt = make_receipt(decision.version.plan, inputs, decision.placed.used, decision.benefits)
        return PricedRecord(
            revision=revision,
            plan_code=decision.version.plan.plan_code,
            plan_version=decision.version.plan.version,
            plan_digest=decision.version.plan.digest,
            service_date=decision.service_date,
            business_date=china_date(self._settled_at()),
            figures=decision.figures,
            split=split,
            engine_version=ENGINE_VERSION,
            receipt_hash=receipt.hash,
            receipt=receipt.to_json(),
            actor=self.command.caller.client_id,
            recorded_at=self.work.at,
        )

    def _excluded(self, reason: str, bill: InsurerBill) -> PricedRecord:
        """Price a held bill that turned out not to be ours: it has a record, so it ends as one, with no aid."""
        receipt = {"engine_version": ENGINE_VERSION, "excluded": reason, "figures": figures_to_json(bill.figures)}
        day = china_date(self._settled_at())
        judged = likely_service_date(self.read.bill, self.read.visit, self.rules, day)
        others = total_of_others(self.command.brought.others)
        return PricedRecord(
            revision=1,
            plan_code=None,
            plan_version=None,
            plan_digest=None,
            service_date=judged or day,
            business_date=day,
            figures=bill.figures,
            split=split_aid(ZERO, bill.figures.cash_before_aid, others, at_counter=False),
            engine_version=ENGINE_VERSION,
            receipt_hash=sha256_hex(canonical_json(receipt)),
            receipt=receipt,
            actor=self.command.caller.client_id,
            recorded_at=self.work.at,
        )

    def _record(self, head: BillHead, priced: PricedRecord, decision: Pays | None) -> None:
        fund_id, parts = self.work.fund_id, self.work.parts
        self._write_settlement(head, priced, decision.version.plan_version_id if decision else None)
        if decision is not None and self.member_id is not None:
            plan = decision.version.plan
            taken = takings(plan, decision.placed, decision.benefits, decision.keys)
            if taken:
                parts.append(
                    bills.insert_consumption(fund_id, head, self.member_id, plan.plan_code, priced.revision, taken)
                )
            self._ask_people(head, decision)
        self._learn_number(head)

    def _write_settlement(self, head: BillHead, priced: PricedRecord, version_id: PlanVersionId | None) -> None:
        fund_id, parts = self.work.fund_id, self.work.parts
        parts.append(bills.insert_settlement(fund_id, head.bill_id, self.member_id, version_id, priced))
        lines = postings_of(priced.figures, priced.split, purses_of(priced.receipt))
        if lines:
            parts.append(bills.insert_postings(fund_id, head.bill_id, priced.revision, lines))

    def _ask_people(self, head: BillHead, decision: Pays) -> None:
        """Put on the worklist what the plan leaves to a person, and cover that the roster has still to confirm."""
        for benefit in decision.benefits:
            if benefit.asks_a_person:
                self.work.worklist(head, f"plan_asks:{benefit.code}", {"term": benefit.term.code})
        if decision.provisional:
            self.work.worklist(head, "provisional_cover", {"service_date": decision.service_date.isoformat()})

    def _ask_people_of(self, head: BillHead, promise: Promise) -> None:
        """Put on the worklist what the promised plan leaves to a person, and cover that the roster must confirm."""
        for benefit in promise.receipt["result"]:
            if any(step["kind"] == StepKind.MANUAL for step in benefit["steps"]):
                self.work.worklist(head, f"plan_asks:{benefit['code']}", {"term": benefit["term"]["code"]})
        version = self.rules.version_by_digest(promise.plan_digest)
        ensure(version is not None, "a promise's plan version was not read")
        if version is None:
            return
        cover = cover_for(self.under_lock.covers, version.plan.header, promise.service_date)
        if cover is not None and cover.provisional:
            self.work.worklist(head, "provisional_cover", {"service_date": promise.service_date.isoformat()})

    def _learn_number(self, head: BillHead) -> None:
        """Remember the insured person number for the member whose certificate and name came with it, unasked."""
        insured, member_id = self.read.bill.insured, self.member_id
        if (
            member_id is None
            or self.number_index is None
            or self.under_lock.number_owner is not None
            or insured.certificate is None
            or is_masked(insured.certificate.number)
            or insured.name is None
            or not insured.insured_person_no
        ):
            return
        keys, fund_id = self.work.resources.keys, self.work.fund_id
        sealed = keys.seal(insured.insured_person_no.encode(), fund_id.bytes + member_id.bytes)
        evidence = f"bill {head.settlement_no} by {head.door.value}"
        area = self.read.visit.insured_area or self.read.visit.area
        self.work.parts.append(
            insert_number(fund_id, member_id, self.number_index, sealed, area, evidence, self.work.at)
        )

    def _keep_message(self, head: BillHead) -> None:
        self.work.message(head, "settlement", content_of(self.command.brought))

    def _new_head(self) -> BillHead:
        bill_id = BillId(self.work.resources.ids.new())
        blank = BillHead(
            bill_id=bill_id,
            settlement_no=self.work.resources.ids.settlement_no(bill_id),
            state=BillState.LIVE,
            area=self.read.visit.area,
            insurer_settlement_id=self.read.bill.insurer_settlement_id or "",
            door=self.command.door,
            created_at=self.work.at,
        )
        return self._brought_up_to_date(blank)

    def _brought_up_to_date(self, head: BillHead) -> BillHead:
        """Return the head with what this bringing says about the visit."""
        bill, visit = self.read.bill, self.read.visit
        confirmed = self.command.confirmed_by is not None and head.confirmed_at is None
        return replace(
            head,
            member_id=self.member_id,
            hospital_code=visit.hospital_code,
            encounter_id=bill.encounter_id,
            charge_batch_no=visit.charge_batch_no,
            visit_no=visit.visit_no or head.visit_no,
            receipt_no=visit.receipt_no or head.receipt_no,
            operator=visit.operator or head.operator,
            resettles=self.command.brought.resettles or head.resettles,
            message_id=bill.message_id or visit.message_id or head.message_id,
            settled_at=bill.settled_at,
            business_date=china_date(self._settled_at()),
            figures_digest=self.read.figures_digest,
            confirmed_at=self.work.at if confirmed else head.confirmed_at,
            confirmed_by=self.command.confirmed_by if confirmed else head.confirmed_by,
        )

    def _settled_at(self) -> datetime:
        """Return the insurer's settlement time; a bill without one was refused on reading."""
        settled_at = self.read.bill.settled_at
        return self.work.at if settled_at is None else settled_at

    def _answer(self, settled: SettledBill, *, created: bool) -> Outcome:
        answer = settlement_answer(settled, self.command.caller.language)
        return self.work.answered(answer, created=created)


def _settled_payload(priced: PricedRecord) -> Answer:
    split = priced.split
    return {
        "revision": priced.revision,
        "status": split.status.value,
        "aid_on_bill": split.aid_on_bill.yuan(),
        "aid_to_card": split.aid_to_card.yuan(),
        "cash_due": split.cash_due.yuan(),
    }
