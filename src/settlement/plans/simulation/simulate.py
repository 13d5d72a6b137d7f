"""Simulates members one by one: a draft beside what was paid, or beside another plan. Processes and Spark call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from settlement.plans.model import PlanVersion
from settlement.plans.simulation.bills import SimulatedBill
from settlement.plans.simulation.run import Aid, LedgerState, Missing, Run, run_of
from settlement.plans.simulation.tally import Priced, Tally


@dataclass(frozen=True, slots=True)
class Plans:
    """The draft and what it is compared with, as canonical texts, which travel between processes."""

    draft: str
    against: str | None = None
    """`None` compares with what was really paid."""


class Simulator:
    """Prices and adds up members, each by itself; it keeps nothing of one when it turns to the next."""

    def __init__(self, plans: Plans) -> None:
        self._draft = _run(plans.draft)
        self._against = None if plans.against is None else _run(plans.against)

    def member(self, bills: Iterable[SimulatedBill], tally: Tally) -> list[Priced]:
        """Price one member's bills, given in the order of recording; count those that a plan cannot compute."""
        draft, against = self._draft, self._against
        after, before = draft.begin(), LedgerState()
        priced = []
        for bill in bills:
            new = draft.prepare(after, bill)
            old = None if against is None else against.prepare(before, bill)
            if isinstance(new, Missing) or isinstance(old, Missing):
                held = [entry.fact for entry in (new, old) if isinstance(entry, Missing)]
                if bill.counts:
                    tally.held[held[0]] += 1
                continue
            draft.keep(after, new)
            paid = bill.paid
            if against is not None and old is not None:
                against.keep(before, old)
                paid = _named(against, against.price(before, old))
            priced.append(Priced(bill, paid, _named(draft, draft.price(after, new))))
        return priced


def simulator(plans: Plans) -> Simulator:
    """Return the simulator of two plans, made once per process."""
    return _simulator(plans)


def simulate(plans: Plans, members: Iterable[Sequence[SimulatedBill]]) -> Tally:
    """Simulate members, each given as its bills in the order of recording."""
    tally, each = Tally(), simulator(plans)
    for bills in members:
        tally.add_member(each.member(bills, tally))
    return tally


@lru_cache(maxsize=8)
def _simulator(plans: Plans) -> Simulator:
    return Simulator(plans)


def _run(text: str) -> Run:
    return run_of(PlanVersion.from_canonical(text))


def _named(run: Run, aid: Aid) -> dict[str, int]:
    return dict(zip(run.plan.benefit_codes, aid, strict=True))
