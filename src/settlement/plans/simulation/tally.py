"""What a simulation adds up, member by member. Sums of whole fen are the same in whatever order parts are merged."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from heapq import nsmallest
from typing import NamedTuple

from settlement.plans.simulation.bills import SimulatedBill

LARGEST = 10
"""How many of the largest changes, and how many of the rows that could not be read, are kept."""
DIMENSIONS = ("hospital_level", "person_category", "care", "month", "unit")
CHANGE_STEPS = (-1_000_000, -200_000, -50_000, -10_000, 0, 1, 10_001, 50_001, 200_001, 1_000_001)
"""Fen at which the classes of a member's change begin; the middle one is no change."""


@dataclass(slots=True)
class Group:
    """Bills of one group, and the members that have some, before (what was paid, or the other plan) and after."""

    bills: int = 0
    members: int = 0
    paid_before: int = 0
    paid_after: int = 0
    beneficiaries: int = 0
    """Members who are paid something, before or after."""
    before_fen: int = 0
    after_fen: int = 0
    gaining: int = 0
    gain_fen: int = 0
    losing: int = 0
    loss_fen: int = 0

    def add(self, other: Group) -> None:
        """Add another group's counts and sums."""
        for each in fields(Group):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class BenefitSums:
    """What one benefit pays, before and after."""

    paid_before: int = 0
    before_fen: int = 0
    paid_after: int = 0
    after_fen: int = 0


class Change(NamedTuple):
    """What one member gains or loses, in fen; the member is known only by the first of the bills."""

    fen: int
    number: int
    first_bill: str
    bills: int
    before_fen: int
    after_fen: int


class Refused(NamedTuple):
    """A row that could not be read, and why."""

    row: int
    why: str


class Priced(NamedTuple):
    """One bill with what it is paid by benefit, before (if that is known) and after."""

    bill: SimulatedBill
    before: Mapping[str, int] | None
    after: Mapping[str, int]


@dataclass(slots=True)
class Tally:
    """The sums of a simulation or of a part of it; `merge` joins parts."""

    whole: Group = field(default_factory=Group)
    groups: dict[str, dict[str, Group]] = field(default_factory=lambda: {name: {} for name in DIMENSIONS})
    benefits: dict[str, BenefitSums] = field(default_factory=dict)
    days: dict[date, tuple[int, int]] = field(default_factory=dict)
    """Fen paid on each day of settlement, before and after."""
    changes: Counter[int] = field(default_factory=Counter)
    """Members by the class of their change, which is the place of its step."""
    change_fen: Counter[int] = field(default_factory=Counter)
    gains: list[Change] = field(default_factory=list)
    losses: list[Change] = field(default_factory=list)
    history: int = 0
    """Bills before the period, which only use room."""
    held: Counter[str] = field(default_factory=Counter)
    """Bills that a plan cannot compute, by the fact that is missing. They are left out on both sides."""
    refused: int = 0
    first_refused: list[Refused] = field(default_factory=list)

    def add_member(self, bills: Sequence[Priced]) -> None:
        """Add the priced bills of one member."""
        shown = [priced for priced in bills if priced.bill.counts]
        self.history += len(bills) - len(shown)
        if not shown:
            return
        mine: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
        whole = [0, 0, 0, 0, 0]
        for priced in shown:
            before = sum(priced.before.values()) if priced.before else 0
            after = sum(priced.after.values())
            self._add_benefits(priced)
            day = priced.bill.facts.settled_on
            of_day = self.days.get(day, (0, 0))
            self.days[day] = (of_day[0] + before, of_day[1] + after)
            for sums in (whole, *(mine[key] for key in _keys(priced.bill))):
                sums[0] += 1
                sums[1] += before
                sums[2] += after
                sums[3] += before > 0
                sums[4] += after > 0
        _fold(self.whole, whole)
        for (name, value), sums in mine.items():
            _fold(self.groups[name].setdefault(value, Group()), sums)
        first, (bills_count, before, after, *_) = shown[0].bill, whole
        self._add_change(Change(after - before, first.number, first.label, bills_count, before, after))

    def refuse(self, row: int, why: str) -> None:
        """Count a row that could not be read."""
        self.refused += 1
        self.first_refused = nsmallest(LARGEST, [*self.first_refused, Refused(row, why)])

    def merge(self, other: Tally) -> None:
        """Add another part; no member may be in both."""
        self.whole.add(other.whole)
        for name, groups in other.groups.items():
            for value, group in groups.items():
                self.groups[name].setdefault(value, Group()).add(group)
        for code, sums in other.benefits.items():
            mine = self.benefits.setdefault(code, BenefitSums())
            for each in fields(BenefitSums):
                setattr(mine, each.name, getattr(mine, each.name) + getattr(sums, each.name))
        for day, (before, after) in other.days.items():
            of_day = self.days.get(day, (0, 0))
            self.days[day] = (of_day[0] + before, of_day[1] + after)
        self.changes.update(other.changes)
        self.change_fen.update(other.change_fen)
        self._keep_largest([*self.gains, *other.gains], [*self.losses, *other.losses])
        self.history += other.history
        self.held.update(other.held)
        self.refused += other.refused
        self.first_refused = nsmallest(LARGEST, [*self.first_refused, *other.first_refused])

    def _add_benefits(self, priced: Priced) -> None:
        for code, fen in (priced.before or {}).items():
            sums = self.benefits.setdefault(code, BenefitSums())
            sums.paid_before += fen > 0
            sums.before_fen += fen
        for code, fen in priced.after.items():
            sums = self.benefits.setdefault(code, BenefitSums())
            sums.paid_after += fen > 0
            sums.after_fen += fen

    def _add_change(self, change: Change) -> None:
        step = bisect_right(CHANGE_STEPS, change.fen)
        self.changes[step] += 1
        self.change_fen[step] += change.fen
        if change.fen > 0 and (len(self.gains) < LARGEST or change.fen >= self.gains[-1].fen):
            self._keep_largest([*self.gains, change], self.losses)
        elif change.fen < 0 and (len(self.losses) < LARGEST or change.fen <= self.losses[-1].fen):
            self._keep_largest(self.gains, [*self.losses, change])

    def _keep_largest(self, gains: Iterable[Change], losses: Iterable[Change]) -> None:
        self.gains = nsmallest(LARGEST, gains, key=lambda change: (-change.fen, change.number))
        self.losses = nsmallest(LARGEST, losses, key=lambda change: (change.fen, change.number))


def _keys(bill: SimulatedBill) -> Iterable[tuple[str, str]]:
    facts = bill.facts
    yield "hospital_level", str(facts.hospital_level or "")
    yield "person_category", facts.person_category or ""
    yield "care", facts.care
    yield "month", f"{facts.settled_on:%Y-%m}"
    if bill.unit is not None:
        yield "unit", bill.unit


def _fold(group: Group, sums: Sequence[int]) -> None:
    """Add one member's bills of a group."""
    bills, before, after, paid_before, paid_after = sums
    group.bills += bills
    group.members += 1
    group.before_fen += before
    group.after_fen += after
    group.paid_before += paid_before
    group.paid_after += paid_after
    group.beneficiaries += before > 0 or after > 0
    if after > before:
        group.gaining += 1
        group.gain_fen += after - before
    elif after < before:
        group.losing += 1
        group.loss_fen += before - after
