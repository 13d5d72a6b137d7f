"""Why a benefit pays this bill what it pays: signed steps from the base to the amount, each with its clause.

The generated function notes what happened in whole fen; here the notes become steps with words. A step shows what a
rule changes for this bill: over a span, its effect on the sums with the bill less its effect without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settlement.domain.benefits import Consumption, PlanFacts, Step, StepKind
from settlement.domain.money import Money
from settlement.plans.choices import amount_for, clause_for, fits_facts, rate_for
from settlement.plans.generate_benefit import WrittenBenefit, has_gaps
from settlement.plans.labels import band_label, group_label, plain_yuan, rule_label
from settlement.plans.layout import term_of
from settlement.plans.model import (
    Band,
    Bands,
    GroupLimit,
    Minimum,
    PlanVersion,
    RateRule,
    Rule,
    Span,
    When,
)

NOTHING_TAKEN = Consumption()

Note = Sequence[Any]
"""What the generated function notes: its kind, the benefit's place, and whole fen."""


@dataclass(frozen=True, slots=True)
class _BandWords:
    """A band in fen, above `low` and up to `high`, with its words as one of several and as the only one that pays."""

    low: int
    high: int | None
    clause: str
    label: str
    whole_label: str


class BenefitSteps:
    """Makes the steps of one benefit from its notes; fixed words are prepared once per version."""

    def __init__(
        self, version: PlanVersion, place: int, written: WrittenBenefit, functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._version, self._benefit = version, version.body.benefits[place]
        self._refusals = tuple(_refusals(version, place))
        self._sums, self._sums_of = written.sums, functions[written.sums.name]
        self._rates = {number: functions[rate.name] for number, rate in written.sums.rates.items()}
        self._rate_keys = {
            number: tuple(written.sums.keys.index(key) for key in rate.keys)
            for number, rate in written.sums.rates.items()
        }
        """Where each rate finds what it depends on among the keys of the sums."""
        self._accumulates = self._benefit.span is Span.TERM
        self._fixed_labels = {
            number: self._words(rule, None)
            for number, rule in enumerate(self._benefit.rules)
            if not _depends_on_facts(rule)
        }
        self._tables = {
            number: [(choice_when, tuple(map(_band_words, bands))) for choice_when, bands in _tables_of(rule)]
            for number, rule in enumerate(self._benefit.rules)
            if isinstance(rule, Bands)
        }

    def refused(self, number: int) -> tuple[Step, ...]:
        """Return the one step of a bill that the benefit does not reach; refusals count from 0."""
        return (self._refusals[number],)

    def asks_a_person(self) -> tuple[Step, ...]:
        """Return the step of a benefit that a person decides."""
        manual = self._benefit.manual
        return () if manual is None else (Step(manual.clause, StepKind.MANUAL, Money(0), manual.label),)

    def reached(self, notes: Sequence[Note], facts: PlanFacts) -> tuple[int, tuple[Step, ...], Consumption]:
        """Return the base in fen, the steps from it to the aid, and what the bill takes of the benefit's room."""
        base, steps, taken = 0, [], NOTHING_TAKEN
        for note in notes:
            match note[0]:
                case "days":
                    base -= note[3]
                    steps.append(self._step(note[2], note[3], facts))
                case "deductible" | "step":
                    steps.append(self._step(note[2], note[3], facts))
                case "sums":
                    base += note[2]
                    steps += self._from_sums(note, facts)
                case "upgrade":
                    base += note[2]
                    steps += self._upgrade(note)
                case "manual":
                    steps += self.asks_a_person()
                case "taken":
                    taken = _consumption(note)
        if self._benefit.manual is not None:
            return 0, tuple(steps), taken
        return base, tuple(steps), taken

    def _upgrade(self, note: Note) -> Iterator[Step]:
        _, _, gross, aid = note
        if aid != gross and self._benefit.lump_sum is not None:
            yield Step(
                self._benefit.lump_sum.clause, StepKind.LESS_PAID, Money(aid - gross), "已付的较低等级补助在差额中扣除"
            )

    def _from_sums(self, note: Note, facts: PlanFacts) -> Iterator[Step]:
        """Yield the steps of the rules over sums, and the one for earlier bills that fared otherwise than they say."""
        _, _, _, base, burden, base_before, burden_before, paid_before, aid, keys = note
        before = self._sums_of(base_before, burden_before, *keys)
        now = self._sums_of(base_before + base, burden_before + burden, *keys)
        for position, number in enumerate(self._sums.rules):
            rule = self._benefit.rules[number]
            edges = (before[position], now[position], before[position + 1], now[position + 1])
            if isinstance(rule, Bands):
                handed = [keys[place] for place in self._rate_keys[number]]
                yield from self._bands(number, rule, handed, edges, facts)
            elif delta := (edges[3] - edges[1]) - (edges[2] - edges[0]):
                yield self._sum_rule(number, rule, delta, facts)
        earlier = aid - (now[-1] - before[-1])
        if earlier:
            yield self._earlier_step(earlier, paid_before - before[-1])

    def _bands(
        self, number: int, rule: Bands, keys: Sequence[Any], edges: tuple[int, int, int, int], facts: PlanFacts
    ) -> Iterator[Step]:
        """Yield what each band does not pay of this bill's part of it.

        The parts' pay is taken between the rounded totals at their edges, so that their sum is the rounded total.
        """
        low_end, high_end, paid_low, paid_high = edges
        bands: tuple[_BandWords, ...] = next(
            (words for when, words in self._tables[number] if fits_facts(when, facts)), ()
        )
        if rule.method == "whole" or high_end < low_end:
            delta = (paid_high - paid_low) - (high_end - low_end)
            if delta and bands:
                band = next((band for band in bands if band.high is None or high_end <= band.high), bands[-1])
                yield Step(band.clause, StepKind.BAND, Money(delta), band.whole_label)
            return
        paid = self._rates[number]
        for band in bands:
            low = max(low_end, band.low)
            high = high_end if band.high is None else min(high_end, band.high)
            if low < high and (delta := paid(high, *keys) - paid(low, *keys) - (high - low)):
                yield Step(band.clause, StepKind.BAND, Money(delta), band.label)

    def _sum_rule(self, number: int, rule: Rule, delta: int, facts: PlanFacts) -> Step:
        """Return what a rule after the bands changes for this bill.

        A minimum that takes, or a limit that gives, undoes what it did to earlier bills of the span.
        """
        label, clause, kind = self._label(number, rule, facts), _clause(rule, facts), _KINDS[rule.rule]
        raises = isinstance(rule, Minimum)
        if isinstance(rule, RateRule) or (delta > 0) == raises:
            return Step(clause, kind, Money(delta), label)
        undone = "前单据此补足的部分计入本单" if raises else "前单据此少补的部分由本单补回"
        return Step(clause, StepKind.EARLIER_BILLS, Money(delta), f"{label}：{undone}")

    def _earlier_step(self, delta: int, overpaid: int) -> Step:
        """Return the step for what earlier bills were paid beyond, or short of, what the rules give for them now."""
        if overpaid > 0:
            label = f"本期前单已多补 {plain_yuan(Money(overpaid))} 元，先行抵扣"
            return Step(self._version.header.overpayment.clause, StepKind.EARLIER_BILLS, Money(delta), label)
        label = f"本期前单少补 {plain_yuan(Money(-overpaid))} 元，本单补回"
        accumulation = self._benefit.accumulation
        clause = accumulation.clause if accumulation else self._version.header.overpayment.clause
        return Step(clause, StepKind.EARLIER_BILLS, Money(delta), label)

    def _step(self, number: int, delta: int, facts: PlanFacts) -> Step:
        """Return the step of a rule by its number, or of a group limit: those are numbered after the rules."""
        rules = self._benefit.rules
        if number < len(rules):
            rule = rules[number]
            return Step(_clause(rule, facts), _KINDS[rule.rule], Money(delta), self._label(number, rule, facts))
        limit = self._version.body.limits[number - len(rules)]
        return Step(_clause(limit, facts), StepKind.LIMIT, Money(delta), _group_words(limit, facts))

    def _label(self, number: int, rule: Rule, facts: PlanFacts) -> str:
        fixed = self._fixed_labels.get(number)
        return self._words(rule, facts) if fixed is None else fixed

    def _words(self, rule: Rule, facts: PlanFacts | None) -> str:
        """Return the words of a rule; `None` for facts is enough where none of its values depends on any."""
        by = getattr(rule, "amount", None)
        amount = None if by is None else amount_for(by, facts)
        if amount is not None and getattr(rule, "per_share", False) and facts and facts.shares and self._benefit.module:
            amount = Money(amount * facts.shares.get(self._benefit.module, 1))
        rate = rate_for(rule.rate, facts) if isinstance(rule, RateRule) else None
        return rule_label(rule, amount, rate, accumulates=self._accumulates)


_KINDS: Mapping[str, StepKind] = {
    "deductible": StepKind.DEDUCTIBLE,
    "franchise": StepKind.FRANCHISE,
    "bands": StepKind.BAND,
    "rate": StepKind.RATE,
    "minimum": StepKind.MINIMUM,
    "burden_limit": StepKind.BURDEN_LIMIT,
    "term_limit": StepKind.TERM_LIMIT,
    "limit": StepKind.LIMIT,
    "less_paid": StepKind.LESS_PAID,
    "not_beside": StepKind.NOT_BESIDE,
    "only_beside": StepKind.ONLY_BESIDE,
}


def _refusals(version: PlanVersion, place: int) -> Iterator[Step]:
    """Yield the steps of the tests that the generated function makes, in its order."""
    benefit = version.body.benefits[place]
    for condition in version.header.covers:
        yield Step(condition.clause, StepKind.NOT_ELIGIBLE, Money(0), condition.label)
    module = version.body.module(benefit.module)
    if module is not None:
        yield Step(module.clause, StepKind.NOT_HELD, Money(0), f"未参加{module.names.zh}")
    for condition in benefit.conditions:
        kind = StepKind.NO_EVENT if condition.fact == "event" else StepKind.NOT_ELIGIBLE
        yield Step(condition.clause, kind, Money(0), condition.label)
    waiting = benefit.waiting or (module.waiting if module else None)
    if waiting is not None:
        yield Step(waiting.clause, StepKind.WAITING, Money(0), waiting.label)
    if has_gaps(version, benefit):
        yield Step(term_of(version.body, benefit).clause, StepKind.NOT_ELIGIBLE, Money(0), "不在互助保障期内")


def _clause(rule: Rule | GroupLimit, facts: PlanFacts) -> str:
    """Return the clause of a rule, or that of the choice which it takes for a bill."""
    return clause_for(rule, facts) or rule.clause  # type: ignore[union-attr]


def _depends_on_facts(rule: Rule) -> bool:
    values = (getattr(rule, "amount", None), getattr(rule, "rate", None))
    return getattr(rule, "per_share", False) or any(isinstance(value, tuple) for value in values)


def _tables_of(rule: Bands) -> list[tuple[When | None, tuple[Band, ...]]]:
    """Return the tables of a bands rule with when each holds; a rule without choices has one, which always does."""
    return [(choice.when, choice.bands) for choice in rule.choices] if rule.choices else [(None, rule.bands or ())]


def _band_words(band: Band) -> _BandWords:
    high = None if band.high is None else int(band.high)
    return _BandWords(int(band.low), high, band.clause, band_label(band), band_label(band, whole=True))


def _group_words(limit: GroupLimit, facts: PlanFacts) -> str:
    return group_label(limit, None if limit.amount is None else amount_for(limit.amount, facts))


def _consumption(note: Note) -> Consumption:
    _, _, base, burden, aid, days, times, deductible = note
    return Consumption(Money(base), Money(burden), Money(aid), days, times, Money(deductible))
