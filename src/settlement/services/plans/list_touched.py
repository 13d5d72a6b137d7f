"""List the settlements that a version touches which was published late, or corrects another: nothing is changed.

Each is computed again by itself, under the new version, from its receipt's inputs and the room that the member's
bills which were recorded before it have used: they are placed anew, as the new version may count other spans. So where
a member has several in a term, a later one may show once more what an earlier one shows: the sums are what to look
through, not what to pay. Whether and how a difference is paid or asked back is a person's decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from settlement.db.engine import fund_transaction
from settlement.db.plans import (
    Draft,
    TouchedSettlement,
    find_draft_of_version,
    list_touched,
)
from settlement.db.registry import list_plan_versions
from settlement.domain.answers import Answer
from settlement.domain.ids import BillId, FundId
from settlement.domain.money import ZERO, Money, total
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.history import BillKeys, not_placed, place
from settlement.plans.model import PlanVersion
from settlement.plans.receipt import Inputs
from settlement.services.plans.errors import PlanNotFound
from settlement.services.plans.published import refuse_faulty
from settlement.services.plans.spans import Span, span_from, span_of
from settlement.services.resources import Resources

PAGE = 500


@dataclass(frozen=True, slots=True)
class TouchedBill:
    """A live settlement under another version: its aid then, and what it would be now, in fen.

    `aid_now` is `None` where the new version needs a fact that nobody asked for then; `missing` names it.
    """

    recorded: TouchedSettlement
    aid_now: Money | None
    missing: str | None

    def to_json(self) -> Answer:
        """Return it as plain values, amounts in yuan."""
        difference = self.aid_now - self.recorded.aid if self.aid_now is not None else None
        return {
            "id": str(self.recorded.bill_id),
            "settlement_no": self.recorded.settlement_no,
            "service_date": self.recorded.service_date.isoformat(),
            "recorded_under": self.recorded.version,
            "aid_recorded": self.recorded.aid.yuan(),
            "aid_now": self.aid_now.yuan() if self.aid_now is not None else None,
            "difference": difference.yuan() if difference is not None else None,
            "missing_fact": self.missing,
        }


@dataclass(slots=True)
class TouchedSums:
    """How many settlements a version touches, and what it changes about those that can be computed, in fen."""

    count: int = 0
    not_computable: int = 0
    aid_recorded: Money = ZERO
    aid_now: Money = ZERO

    def add(self, bills: Sequence[TouchedBill]) -> None:
        """Count a page in. A settlement that cannot be computed stands in the count alone."""
        for bill in bills:
            self.count += 1
            if bill.aid_now is None:
                self.not_computable += 1
            else:
                self.aid_recorded += bill.recorded.aid
                self.aid_now += bill.aid_now

    def to_json(self) -> Answer:
        """Return them as plain values, amounts in yuan."""
        return {
            "count": self.count,
            "not_computable": self.not_computable,
            "aid_recorded": self.aid_recorded.yuan(),
            "aid_now": self.aid_now.yuan(),
            "difference": (self.aid_now - self.aid_recorded).yuan(),
        }


@dataclass(frozen=True, slots=True)
class Touching:
    """A version compiled, with the service dates on which it is in force, or would be when it is published."""

    fund_id: FundId
    draft: Draft
    plan: CompiledPlan
    span: Span | None

    async def page(
        self, resources: Resources, after: tuple[date, BillId] | None = None, limit: int = PAGE
    ) -> list[TouchedBill]:
        """Return the settlements after one of them, by service date and bill; a thread computes them."""
        if self.span is None:
            return []
        async with fund_transaction(resources.engine, self.fund_id) as connection:
            found = await list_touched(
                connection,
                self.fund_id,
                self.draft,
                self.span.first_day,
                self.span.until,
                after=after,
                limit=limit,
            )
        return await asyncio.to_thread(lambda: [_again(self.plan, settlement) for settlement in found])


async def what_touches(resources: Resources, fund_id: FundId, version: str) -> Touching:
    """Return a version as it touches settlements: of one that is not published yet, as its newest draft would.

    Raises `PlanNotFound`, and `PlanRefused` for a draft that the check finds wrong.
    """
    rules = await resources.rules.of(fund_id)
    async with fund_transaction(resources.engine, fund_id) as connection:
        draft = await find_draft_of_version(connection, fund_id, rules.fund.plan_code, version)
        published = await list_plan_versions(connection, fund_id, rules.fund.plan_code)
    if draft is None:
        raise PlanNotFound(version=version)
    span = span_of(draft.version, published) if draft.published else span_from(draft.effective_from, published)
    rules_of = PlanVersion.from_canonical(draft.document) if draft.published else await refuse_faulty(draft)
    return Touching(fund_id, draft, compile_version(rules_of), span)


def _again(plan: CompiledPlan, settlement: TouchedSettlement) -> TouchedBill:
    inputs = Inputs.from_json(settlement.inputs)
    keys = BillKeys(settlement.hospital_code, settlement.encounter_id, settlement.receipt_no)
    placed = place(plan, not_placed(inputs.facts), keys, settlement.takings)
    missing = plan.missing_fact(placed.facts)
    if missing is not None:
        return TouchedBill(settlement, None, missing)
    benefits = plan.adjudicate(inputs.figures, placed.facts, placed.used)
    return TouchedBill(settlement, total(benefit.amount for benefit in benefits), None)
