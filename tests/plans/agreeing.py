"""Settles a history both ways, compiled and interpreted, and holds every figure equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from interpreter import Bill, Interpreter, Outcome
from strategies import History

from settlement.domain.benefits import OTHER_PLANS, Benefit, PlanFacts, Taking, UsedRoom
from settlement.domain.cover import CoverSpan, cover_on
from settlement.domain.money import Money
from settlement.plans.compile import CompiledPlan
from settlement.plans.covering import days_of_cover, is_covered, with_cover
from settlement.plans.history import BillKeys, Placed, place, takings
from settlement.plans.model import PlanVersion, Span
from settlement.plans.terms import term_on


class Counter:
    """One member at the counter: the compiled plan, with the records as takings."""

    def __init__(self, version: PlanVersion, history: History) -> None:
        self.plan = CompiledPlan(version)
        self.version, self.covers = version, history.covers
        first = version.body.benefits[0].code
        self.past: list[Taking] = [
            Taking(OTHER_PLANS, self.plan.terms(each.day)[first].code, UsedRoom(paid=Money(each.paid)))
            for each in history.elsewhere
        ]
        self.ledgers: dict[tuple[int, object], list[int]] = {}

    def settle(self, bill: Bill) -> list[Benefit] | str:
        """Settle a bill, or name what it is held for; the three ways to compute it must agree on the way."""
        keys = BillKeys(bill.hospital, bill.visit, bill.receipt)
        placed = self._placed(replace(bill.facts, counted_from=bill.facts.admitted_on), keys)
        missing = self.plan.missing_fact(placed.facts)
        if missing is not None:
            return missing
        benefits = self.plan.adjudicate(bill.figures, placed.facts, placed.used)
        self._check_room(benefits)
        if len(benefits) == len(self.plan.benefit_codes):
            paid = {benefit.code: benefit.amount for benefit in benefits}
            assert self.plan.amounts(bill.figures, placed.facts, placed.used) == paid
            if not any(taking.code == OTHER_PLANS for taking in self.past):
                assert self._paid_fast(bill, placed) == tuple(paid.values())
        else:
            self.ledgers.clear()
        self.past += takings(self.plan, placed, benefits, keys)
        return list(benefits)

    def _placed(self, bare: PlanFacts, keys: BillKeys) -> Placed:
        """Place a bill with the cover by which it is ours; one without cover is priced without knowing of any."""
        spans = [CoverSpan(first, last, "") for first, last in self.covers]
        rule = self.version.header.continuity
        for day in days_of_cover(self.plan, bare, spans):
            cover = cover_on(spans, day, rule.grace_days if rule else 0)
            if cover is not None:
                facts = replace(with_cover(self.plan, bare, cover, spans), person_category=bare.person_category)
                placed = place(self.plan, facts, keys, self.past)
                if is_covered(self.plan, placed.facts, cover):
                    return placed
        return place(self.plan, bare, keys, self.past)

    def _check_room(self, benefits: Sequence[Benefit]) -> None:
        """What the records hold of a benefit's term is the room that the first part of a bill meets."""
        for benefit in benefits[: len(self.plan.benefit_codes)]:
            recorded = [each for each in self.past if (each.code, each.term) == (benefit.code, benefit.term.code)]
            for measure in ("base", "burden", "paid", "days", "times", "deductible"):
                assert getattr(benefit.used_before, measure) == sum(getattr(each.room, measure) for each in recorded)

    def _paid_fast(self, bill: Bill, placed: Placed) -> tuple[int, ...]:
        """Pay as simulations do: nothing explained, the ledgers kept and counted on by the generated function."""
        if self.version.header.spanning is not None:
            return self.plan.pay(self.plan.inputs(bill.figures, placed.facts), self.plan._filled(placed.used))
        day = self.plan.service_date(placed.facts) or placed.facts.settled_on
        used = []
        for number, (ledger, empty) in enumerate(zip(self.plan.ledger_spans, self.plan.new_ledgers(), strict=True)):
            key: object = None
            if ledger.span is Span.TERM:
                assert ledger.term is not None
                key = term_on(ledger.term, day, placed.facts) or day
            elif ledger.span is not Span.LIFE:
                key = placed.unit
            used.append(self.ledgers.setdefault((number, key), empty))
        return self.plan.pay(self.plan.inputs(bill.figures, placed.facts), used)


def agree(version: PlanVersion, history: History) -> list[list[Outcome]]:
    """Settle a history both ways and hold every figure equal; returns what the interpreter made of it."""
    counter = Counter(version, history)
    reader = Interpreter(version, history.covers, history.elsewhere)
    settled: list[list[Outcome]] = []
    for number, bill in enumerate(history.bills):
        expected, actual = reader.settle(bill), counter.settle(bill)
        if isinstance(expected, set) or isinstance(actual, str):
            assert isinstance(expected, set), f"bill {number} is held for {actual}"
            assert isinstance(actual, str), f"bill {number} is not held for {expected}"
            continue
        assert [figures_of_benefit(each) for each in actual] == [figures_of_outcome(each) for each in expected], number
        for benefit in actual:
            assert benefit.base + sum(int(step.delta) for step in benefit.steps) == benefit.amount >= 0
            assert all(step.clause and step.label for step in benefit.steps)
        settled.append(expected)
    return settled


def figures_of_benefit(benefit: Benefit) -> dict[str, Any]:
    taken = benefit.consumption
    return {
        "benefit": benefit.code,
        "reached": benefit.is_reached,
        "asks": benefit.asks_a_person,
        "aid": int(benefit.amount),
        "paid": int(taken.paid),
        "base": int(taken.base),
        "burden": int(taken.burden),
        "deductible": int(taken.deductible),
        "days": taken.days,
    }


def figures_of_outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "benefit": outcome.benefit,
        "reached": outcome.reached,
        "asks": outcome.asks,
        "aid": outcome.paid,
        "paid": outcome.paid,
        "base": outcome.base,
        "burden": outcome.burden,
        "deductible": outcome.deductible,
        "days": outcome.days,
    }
