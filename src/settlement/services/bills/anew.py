"""Compute a recorded bill anew from its own receipt: under a plan version, in a place, against the room of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from settlement import ENGINE_VERSION
from settlement.domain.benefits import Taking
from settlement.domain.bills import Care
from settlement.domain.cover import CoverSpan
from settlement.domain.money import ZERO, Money, total
from settlement.domain.settlements import BillHead, PricedRecord
from settlement.plans.covering import cover_for, of_span, with_cover
from settlement.plans.history import BillKeys, place, takings
from settlement.plans.receipt import Inputs, make_receipt
from settlement.services.funds.rules import VersionInForce


@dataclass(frozen=True, slots=True)
class Anew:
    """A bill as it would be recorded now, with what it would take of the benefits' room."""

    priced: PricedRecord
    taken: tuple[Taking, ...]

    @property
    def aid(self) -> Money:
        """The whole aid, in fen."""
        return self.priced.split.aid


def compute_anew(
    head: BillHead,
    before: PricedRecord,
    version: VersionInForce,
    past: Sequence[Taking],
    *,
    visit_on: date | None = None,
    later_paid: Money = ZERO,
    covers: Sequence[CoverSpan] = (),
) -> Anew | None:
    """Compute a bill again with its figures and facts, after the takings `past`; aid it gains goes to the card.

    `visit_on` is the service date of a visit that stands in another bill's place; `later_paid` is what other payers
    paid since, in fen, beside those at the counter; `covers` is what the roster says by now.
    `None` where the version needs a fact that nobody asked for then.
    """
    plan, inputs = version.plan, Inputs.from_json(before.receipt["inputs"])
    facts = inputs.facts
    if later_paid != ZERO:
        facts = replace(facts, other_paid=before.split.other_on_bill + later_paid)
    if visit_on is not None and facts.care != Care.INPATIENT:
        facts = replace(facts, settled_on=visit_on)
    cover = cover_for(covers, plan.header, before.service_date)
    if cover is not None:
        facts = with_cover(plan, of_span(facts, cover.span), cover, covers)
    keys = BillKeys(head.hospital_code or "", head.encounter_id or "", head.receipt_no)
    placed = place(plan, facts, keys, past)
    if plan.missing_fact(placed.facts) is not None:
        return None
    benefits = plan.adjudicate(inputs.figures, placed.facts, placed.used)
    receipt = make_receipt(plan, Inputs(inputs.figures, placed.facts), placed.used, benefits)
    priced = replace(
        before,
        plan_code=plan.plan_code,
        plan_version=plan.version,
        plan_digest=plan.digest,
        plan_version_id=version.plan_version_id,
        service_date=plan.service_date(placed.facts) or before.service_date,
        split=before.split.with_aid(total(benefit.amount for benefit in benefits)),
        engine_version=ENGINE_VERSION,
        receipt_hash=receipt.hash,
        receipt=receipt.to_json(),
    )
    return Anew(priced, tuple(takings(plan, placed, benefits, keys)))
