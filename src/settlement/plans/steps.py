"""Why a benefit pays this bill what it pays: signed steps from the base to the amount, each with its clause.

A step shows what a rule changes for this bill: its effect on the term's sums with the bill less its effect without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from settlement.domain.benefits import Step, StepKind, UsedRoom
from settlement.domain.money import Money
from settlement.plans.labels import band_label, finish_label, plain_yuan
from settlement.plans.model import Band, BenefitRules, Condition, FinishRule, Header, MinimumRule


@dataclass(frozen=True, slots=True)
class BenefitFunctions:
    """The generated functions of one benefit: fen in, fen out."""

    bands: Callable[[int], int]
    total: Callable[[int, int], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _BandWords:
    above: int
    up_to: int | None
    clause: str
    label: str


@dataclass(frozen=True, slots=True)
class _FinishWords:
    kind: StepKind
    clause: str
    label: str
    raises: bool
    """Whether the rule adds to the aid (a minimum) or takes from it (a limit)."""


class BenefitSteps:
    """Makes the steps of one benefit; words are prepared once per version."""

    def __init__(self, header: Header, benefit: BenefitRules, conditions: tuple[Condition, ...]) -> None:
        self._bands = tuple(_band_words(band) for band in benefit.bands.bands)
        self._finish = tuple(_finish_words(rule) for rule in benefit.finish)
        self._refusals = tuple(
            (Step(condition.clause, StepKind.NOT_ELIGIBLE, Money(0), condition.label),) for condition in conditions
        )
        self._accumulation_clause = benefit.accumulation.clause
        self._overpayment_clause = header.overpayment.clause

    def refused(self, number: int) -> tuple[Step, ...]:
        """Return the one step of a bill that fails a condition; they count from 1."""
        return self._refusals[number - 1]

    def reached(self, rules: BenefitFunctions, room: UsedRoom, base: int, burden: int, aid: int) -> tuple[Step, ...]:
        """Return the steps from a bill's base to its aid, all in fen; those that change nothing are left out."""
        base_before, burden_before = int(room.base), int(room.burden)
        before = rules.total(base_before, burden_before)
        now = rules.total(base_before + base, burden_before + burden)
        steps = list(self._band_steps(rules.bands, base_before, base_before + base))
        steps += self._finish_steps(before, now)
        earlier = aid - (now[-1] - before[-1])
        if earlier:
            steps.append(self._earlier_step(earlier, int(room.paid) - before[-1]))
        return tuple(steps)

    def _band_steps(self, paid: Callable[[int], int], before: int, now: int) -> Iterator[Step]:
        """Yield what each band does not pay of this bill's part of it.

        The parts' pay is taken between the rounded totals at their edges, so that their sum is the rounded total.
        """
        for band in self._bands:
            low = max(before, band.above)
            high = now if band.up_to is None else min(now, band.up_to)
            if low < high and (delta := paid(high) - paid(low) - (high - low)):
                yield Step(band.clause, StepKind.BAND, Money(delta), band.label)

    def _finish_steps(self, before: tuple[int, ...], now: tuple[int, ...]) -> Iterator[Step]:
        """Yield what each rule after the bands changes for this bill.

        A minimum that takes, or a limit that gives, undoes what it did to earlier bills of the term.
        """
        for position, rule in enumerate(self._finish, 1):
            delta = now[position] - now[position - 1] - (before[position] - before[position - 1])
            if not delta:
                continue
            if (delta > 0) == rule.raises:
                yield Step(rule.clause, rule.kind, Money(delta), rule.label)
            else:
                undone = "前单据此补足的部分计入本单" if rule.raises else "前单据此少补的部分由本单补回"
                yield Step(rule.clause, StepKind.EARLIER_BILLS, Money(delta), f"{rule.label}：{undone}")

    def _earlier_step(self, delta: int, overpaid: int) -> Step:
        """Return the step for what earlier bills were paid beyond, or short of, what the rules give for them now."""
        if overpaid > 0:
            label = f"本期前单已多补 {plain_yuan(Money(overpaid))} 元，先行抵扣"
            return Step(self._overpayment_clause, StepKind.EARLIER_BILLS, Money(delta), label)
        label = f"本期前单少补 {plain_yuan(Money(-overpaid))} 元，本单补回"
        return Step(self._accumulation_clause, StepKind.EARLIER_BILLS, Money(delta), label)


def _band_words(band: Band) -> _BandWords:
    up_to = None if band.up_to is None else int(band.up_to)
    return _BandWords(int(band.above), up_to, band.clause, band_label(band))


def _finish_words(rule: FinishRule) -> _FinishWords:
    return _FinishWords(StepKind(rule.rule), rule.clause, finish_label(rule), isinstance(rule, MinimumRule))
