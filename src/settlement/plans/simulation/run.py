"""One member's bills through the compiled function of a plan, with the state that earlier bills have left.

There is one calculator, the function that `compile.py` made. The settle path hands it the used room as the records
say it; a run leaves it in the ledgers in which the function has just counted, some thirty times as fast. The tests hold
the two equal for every published plan and for plans of every shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from settlement.domain.benefits import PlanFacts, Taking
from settlement.domain.bills import BillFigures, Care
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.history import place, takings
from settlement.plans.layout import Ledger
from settlement.plans.model import PlanVersion, Span
from settlement.plans.model.membership import OwnCover
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.split import WHOLE, Share
from settlement.plans.terms import term_on

Aid = tuple[int, ...]
"""What each benefit pays for a bill, in fen, in the order of the plan."""


class Missing(NamedTuple):
    """A bill that the plan cannot compute: the first fact that it needs and lacks."""

    fact: str


class Entry(NamedTuple):
    """A bill ready to be priced: what the function is handed, the ledgers it counts in, later parts of a split stay."""

    inputs: tuple[Any, ...] | None
    """`None` for a stay of which no part is paid."""
    keys: tuple[Hashable, ...]
    later_parts: tuple[Entry, ...] = ()
    stay: Taking | None = None


@dataclass(slots=True)
class LedgerState:
    """What a member's earlier bills have left: the ledgers by span, and the stays."""

    keys: tuple[Hashable, ...] | None = None
    ledgers: list[list[int]] = field(default_factory=list)
    kept: dict[tuple[int, Hashable], list[int]] = field(default_factory=dict)
    stays: list[Taking] = field(default_factory=list)


class Run:
    """Prices bills on ledgers that stay as they are while their term, unit and life go on."""

    def __init__(self, version: PlanVersion, plan: CompiledPlan) -> None:
        self.plan = plan
        self._version = version
        self._spans: Sequence[Ledger] = plan.ledger_spans
        self._by_unit = any(ledger.span not in (Span.TERM, Span.LIFE, Span.SETTLEMENT) for ledger in self._spans)
        self._by_cover = any(isinstance(ledger.term, OwnCover) for ledger in self._spans)
        self._of_settlement = [
            (number, empty)
            for number, (ledger, empty) in enumerate(zip(self._spans, plan.new_ledgers(), strict=True))
            if ledger.span is Span.SETTLEMENT
        ]
        self._of_day: dict[date, tuple[Hashable, ...]] = {}
        self._interned: dict[tuple[Hashable, ...], tuple[Hashable, ...]] = {}

    def begin(self) -> LedgerState:
        """Return the state of a member of whom nothing has been recorded."""
        return LedgerState()

    def prepare(self, state: LedgerState, bill: SimulatedBill) -> Entry | Missing:
        """Place a bill and read the function's inputs. What earlier bills have paid plays no part in that."""
        facts, placed = bill.facts, None
        counts_stay = self.plan.counts_stays and facts.care == Care.INPATIENT
        if counts_stay or self.plan.unit is not None:
            placed = place(self.plan, facts, bill.keys, state.stays)
            facts = placed.facts
        missing = self.plan.missing_fact(facts)
        if missing is not None:
            return Missing(missing)
        unit = placed.unit if placed else None
        later_parts: list[Entry] = []
        parts = self.plan.parts_of(facts)
        if parts:
            paid = [self._entry(bill.figures, part.facts, part.day, unit, part.share) for part in parts if part.is_paid]
            first, *later_parts = paid or [Entry(None, ())]
        else:
            first = self._entry(bill.figures, facts, self.plan.service_date(facts) or facts.settled_on, unit)
        stay = next(iter(takings(self.plan, placed, (), bill.keys)), None) if placed else None
        return Entry(first.inputs, first.keys, tuple(later_parts), stay)

    def keep(self, state: LedgerState, entry: Entry) -> None:
        """Keep the stay of a bill that is going to be priced; the next bill of the member meets it."""
        if entry.stay is not None:
            state.stays.append(entry.stay)

    def price(self, state: LedgerState, entry: Entry) -> Aid:
        """Price a bill and count it in its ledgers; those of the settlement begin empty and go over its parts."""
        if entry.inputs is None:
            return (0,) * len(self.plan.benefit_codes)
        for number, empty in self._of_settlement:
            state.kept.setdefault((number, None), list(empty))[:] = empty
        aid = self._price_part(state, entry)
        for part in entry.later_parts:
            aid = tuple(map(sum, zip(aid, self._price_part(state, part), strict=True)))
        return aid

    def _price_part(self, state: LedgerState, entry: Entry) -> Aid:
        if entry.keys is not state.keys:
            self._turn_to(state, entry.keys)
        aid: Aid = self.plan.pay(entry.inputs, state.ledgers)
        return aid

    def _turn_to(self, state: LedgerState, keys: tuple[Hashable, ...]) -> None:
        """Open the ledgers of other spans: kept ones where a late bill comes back to them, else empty ones."""
        fresh = self.plan.new_ledgers()
        state.ledgers = [state.kept.setdefault(at, fresh[at[0]]) for at in enumerate(keys)]
        state.keys = keys

    def _entry(
        self, figures: BillFigures, facts: PlanFacts, day: date, unit: str | None, share: Share = WHOLE
    ) -> Entry:
        return Entry(self.plan.inputs(figures, facts, day, share), self._keys(day, facts, unit))

    def _keys(self, day: date, facts: PlanFacts, unit: str | None) -> tuple[Hashable, ...]:
        if self._by_cover or self._by_unit:
            return tuple(_key(ledger, day, facts, unit) for ledger in self._spans)
        known = self._of_day.get(day)
        if known is None:
            keys = tuple(_key(ledger, day, facts, unit) for ledger in self._spans)
            known = self._of_day[day] = self._interned.setdefault(keys, keys)
        return known


def run_of(version: PlanVersion) -> Run:
    """Return the run of a version, which was checked before."""
    return Run(version, compile_version(version))


def _key(ledger: Ledger, day: date, facts: PlanFacts, unit: str | None) -> Hashable:
    """Return what tells one ledger of a span from the next: the term's code, the unit; a life, or this bill, is one."""
    if ledger.span in (Span.LIFE, Span.SETTLEMENT):
        return None
    if ledger.term is None:
        return unit
    term = term_on(ledger.term, day, facts)
    return day if term is None else term.code
