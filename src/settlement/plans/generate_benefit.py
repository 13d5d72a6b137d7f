"""Writes one benefit: whom it reaches, what it starts from, what its rules make of it, and what its ledgers count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from settlement.plans.generate_days import day_lines, days_function
from settlement.plans.generate_limits import LimitWriter
from settlement.plans.generate_sums import SumsFunction, is_over_sums, shares_of, sums_function
from settlement.plans.layout import Layout, term_of, unit_of
from settlement.plans.model import BenefitRules, Condition, Deductible, Limit, PlanVersion, Span
from settlement.plans.model.membership import CalendarYear, MonthsFrom, YearFrom
from settlement.plans.source import aid_of, amount_sum, excludes, fen, function_of, yuan_by


@dataclass(frozen=True, slots=True)
class WrittenBenefit:
    """What was written of a benefit: its functions, its lines in `adjudicate`, and the function of its sums."""

    functions: tuple[str, ...]
    lines: tuple[str, ...]
    sums: SumsFunction


def conditions_of(version: PlanVersion, benefit: BenefitRules) -> tuple[Condition, ...]:
    """Return what must hold for a benefit to reach a bill: the plan's conditions, then the benefit's own."""
    return (*version.header.covers, *benefit.conditions)


def has_gaps(version: PlanVersion, benefit: BenefitRules) -> bool:
    """Say whether a day may lie in no term of a benefit."""
    return not isinstance(term_of(version.body, benefit), CalendarYear | YearFrom | MonthsFrom)


class BenefitWriter:
    """Writes the benefit at one place of a version."""

    def __init__(self, version: PlanVersion, place: int, layout: Layout) -> None:
        self.version, self.place, self.layout = version, place, layout
        self.benefit = version.body.benefits[place]
        self.term = term_of(version.body, self.benefit)
        self.aid = aid_of(self.benefit.code)
        self.earlier = [benefit.code for benefit in version.body.benefits[:place]]
        self.limits = LimitWriter(version, self.benefit, place, layout)
        self.sums = sums_function(self.benefit, version.header, layout)

        self.gross = "gross" if any(isinstance(rule, Deductible) for rule in self.benefit.rules) else "base"
        self.deductible = "deductible" if self.gross == "gross" else "0"
        self.days = f"(days if {self.aid} else 0)" if self.benefit.per_day is not None else "0"
        self.reached = [*self._start(), *self._own_rules(), *self._group_limits()]

    def written(self) -> WrittenBenefit:
        """Return the benefit. Call it once all benefits of the version have said what they count of each other."""
        reached = [*self.reached, *self._count()]
        lines = [f"# {self.benefit.code}: {self.benefit.names.en!r}", f"{self.aid} = 0"]
        lines += ["if refused is not None:", *self._refused("refused")]
        for number, (test, clause) in enumerate(self._refusals(), len(self.version.header.covers)):
            lines += [f"elif {test}:  # {clause!r}", *self._refused(number)]
        lines += ["else:", *(f"    {line}" for line in reached)]
        functions = [rate.source for rate in self.sums.rates.values()]
        if self.benefit.per_day is not None:
            functions.append(days_function(function_of(self.benefit.code, "days"), self.benefit.per_day))
        return WrittenBenefit((*functions, self.sums.source), tuple(lines), self.sums)

    def _refused(self, number: int | str) -> list[str]:
        return ["    if notes is not None:", f'        notes.append(("refused", {self.place}, {number}))']

    def _refusals(self) -> Iterator[tuple[str, str]]:
        """Yield each test of the benefit's own that keeps it from the bill, with its clause.

        They are numbered after the plan's conditions; `steps.py` has words in this order.
        """
        module = self.version.body.module(self.benefit.module)
        if module is not None:
            yield f"not {self.layout.shares(module.code)}", module.clause
        for condition in self.benefit.conditions:
            yield excludes(self.layout, condition), condition.clause
        waiting = self.benefit.waiting or (module.waiting if module else None)
        if waiting is not None:
            test = f"{self.layout.fact('days_covered')} <= {waiting.days}"
            if waiting.waived_for_accidents:
                test += f" and not {self.layout.fact('accident')}"
            yield test, waiting.clause
        if has_gaps(self.version, self.benefit):
            yield (
                f"not {self.layout.take(f'in_term_{self.place}', f'in_term(facts, {self.place}, day)')}",
                self.term.clause,
            )

    def _start(self) -> Iterator[str]:
        """Write what the benefit starts from, as `base`, and the burden; then what deductibles take off."""
        match self.benefit.starts_from:
            case "per_day":
                yield from self._per_day()
            case "lump_sum":
                yield from self._lump_sum()
            case _:
                base = self.benefit.base
                amount = "0" if base is None else amount_sum(self.layout, base, self.version.header, self.earlier)
                yield f"base = {amount}" + (f"  # {base.clause!r}" if base else "")
                yield "if base < 0:"
                yield "    base = 0"
        burden = self.benefit.burden
        yield "burden = " + (
            "0" if burden is None else amount_sum(self.layout, burden, self.version.header, self.earlier)
        )
        if self.gross == "gross":
            yield "gross, deductible = base, 0"
        for number, rule in enumerate(self.benefit.rules):
            if isinstance(rule, Deductible):
                yield from self._deductible(rule, number)

    def _per_day(self) -> Iterator[str]:
        rule = self.benefit.per_day
        if rule is None:
            return
        name = function_of(self.benefit.code, "days")
        yield from day_lines(rule, self.layout)
        shares = f" * {shares_of(self.layout, self.benefit)}" if rule.per_share else ""
        yield f"base = ({name}(first_day + days) - {name}(first_day)){shares}"
        yield "if notes is not None:"
        yield f'    notes.append(("stay", {self.place}, days_before, days_now))'
        for number, limit in enumerate(self.benefit.rules):
            if isinstance(limit, Limit) and limit.days is not None:
                yield from self._days_limit(
                    limit, limit.days, number, f"{name}(first_day + days) - {name}(first_day)", shares
                )

    def _days_limit(self, limit: Limit, most: int, number: int, paid: str, shares: str) -> Iterator[str]:
        used = f" - {self._slot(limit.over, 'days')}" if self.layout.keeps(limit.over) else ""
        yield f"left = max(0, {most}{used})  # {limit.clause!r}"
        yield "if days > left:"
        yield "    days, uncut = left, base"
        yield f"    base = ({paid}){shares}"
        yield "    if notes is not None:"
        yield f'        notes.append(("days", {self.place}, {number}, base - uncut))'

    def _lump_sum(self) -> Iterator[str]:
        rule = self.benefit.lump_sum
        if rule is None:
            return
        shares = f" * {shares_of(self.layout, self.benefit)}" if rule.per_share else ""
        yield f"base = {yuan_by(self.layout, rule.amount)}{shares}  # {rule.clause!r}"

    def _deductible(self, rule: Deductible, number: int) -> Iterator[str]:
        """Write what the member bears first; `base` is then what is left of it."""
        left = yuan_by(self.layout, rule.amount)
        if self.layout.keeps(rule.once_per):
            left = f"max(0, {left} - {self._slot(rule.once_per, 'deductible')})"
        yield f"borne = min(base, {left})  # {rule.clause!r}"
        yield "base, deductible = base - borne, deductible + borne"
        yield "if notes is not None and borne:"
        yield f'    notes.append(("deductible", {self.place}, {number}, -borne))'

    def _own_rules(self) -> Iterator[str]:
        """Write what the rules over sums pay this bill, then what its other rules leave of it."""
        if self.benefit.manual is not None:
            yield from self._manual()
            return
        yield from self._from_sums()
        for number, rule in enumerate(self.benefit.rules):
            if not is_over_sums(self.benefit, rule, splits=self.layout.splits):
                yield from self.limits.lines(rule, number)

    def _from_sums(self) -> Iterator[str]:
        span = self.benefit.span
        if self.benefit.lump_sum is not None and self.benefit.lump_sum.upgrade:
            paid = self._slot(span, "paid") if self.layout.keeps(span) else "0"
            yield f"{self.aid} = max(0, base - {paid})"
            yield "if notes is not None:"
            yield f'    notes.append(("upgrade", {self.place}, {self.gross}, {self.aid}))'
            return
        if not self.layout.keeps(span):
            base_before = burden_before = paid_before = "0"
            base, burden = "base", "burden"
        else:
            base_before, burden_before, paid_before = (self._slot(span, name) for name in ("base", "burden", "paid"))
            base, burden = f"{base_before} + base", f"{burden_before} + burden"
        if span is Span.SETTLEMENT and self.layout.splits:
            # What a limit took of an earlier part is not made good by the room that a later part has in its own term.
            yield f"given = max({self.sums.call(base_before, burden_before)}[-1], {paid_before})"
            paid_before = "given"
        yield f"{self.aid} = {self.sums.call(base, burden)}[-1] - {paid_before}"
        yield f"if {self.aid} < 0:"
        yield f"    {self.aid} = 0"
        yield "if notes is not None:"
        keys = "".join(f"{key}, " for key in self.sums.keys)
        sums = f"{base_before}, {burden_before}, {paid_before}"
        yield f'    notes.append(("sums", {self.place}, {self.gross}, base, burden, {sums}, {self.aid}, ({keys})))'

    def _manual(self) -> Iterator[str]:
        manual = self.benefit.manual
        if manual is None:
            return
        test = "notes is not None"
        if manual.threshold is not None:
            before = self._slot(self.benefit.span, "base") if self.layout.keeps(self.benefit.span) else "0"
            test += f" and {before} < {fen(manual.threshold)} <= {before} + base"
        yield f"if {test}:  # {manual.clause!r}"
        yield f'    notes.append(("manual", {self.place}))'

    def _group_limits(self) -> Iterator[str]:
        if self.benefit.manual is not None:
            return
        for number, limit in enumerate(self.version.body.limits):
            if isinstance(limit.of, str) or self.benefit.code in limit.of:
                yield from self.limits.group_lines(limit, len(self.benefit.rules) + number)

    def _count(self) -> Iterator[str]:
        """Write what the ledgers count of this bill. A unit's settlements count as one time."""
        unit = unit_of(self.version.body) if self._counts_times() else None
        times = f"1 if {self.aid} else 0"
        if unit is not None:
            times = f"1 if {self.aid} and not {self._slot(unit, 'times')} else 0"
        counted = self.layout.slots_of(self.benefit.code)
        if any(measure == "times" for _, measure in counted):
            yield f"times = {times}"
            times = "times"
        yield "if notes is not None:"
        taken = f"base, burden, {self.aid}, {self.days}, {times}, {self.deductible}"
        yield f'    notes.append(("taken", {self.place}, {taken}))'
        values = {"paid": self.aid, "days": self.days, "deductible": self.deductible}
        for slot, measure in counted:
            yield f"{slot} += {values.get(measure, measure)}"

    def _counts_times(self) -> bool:
        return any(isinstance(rule, Limit) and rule.times is not None for rule in self.benefit.rules)

    def _slot(self, span: Span, measure: str) -> str:
        return self.layout.slot(span, self.term, self.benefit.code, measure)
