"""Writes what limits one bill after a benefit's own sums: limits of other spans, what stands beside, group limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from settlement.domain.benefits import OTHER_PLANS
from settlement.domain.errors import InvariantViolation
from settlement.plans.generate_sums import limit_amount
from settlement.plans.layout import Layout, term_of, unit_of
from settlement.plans.model import (
    BenefitRules,
    GroupLimit,
    LessPaid,
    Limit,
    NotBeside,
    OnlyBeside,
    PlanVersion,
    Rule,
    Span,
    TermLimit,
)
from settlement.plans.source import aid_of, amount_sum, yuan_by


@dataclass(frozen=True, slots=True)
class LimitWriter:
    """Writes limit rules for one benefit of a version; `place` is its place among the benefits."""

    version: PlanVersion
    benefit: BenefitRules
    place: int
    layout: Layout

    def lines(self, rule: Rule, number: int) -> Iterator[str]:
        """Write one rule; `number` is what its note is known by."""
        aid = aid_of(self.benefit.code)
        match rule:
            case TermLimit():
                yield from self._at_most(
                    self._left(self._amount(rule), Span.TERM, [self.benefit.code]), number, rule.clause
                )
            case Limit() if rule.amount is not None:
                left = self._left(self._amount(rule), rule.over, [self.benefit.code])
                yield from self._at_most(left, number, rule.clause)
            case Limit() if rule.times is not None:
                yield f"if {aid} and {self._times_are_up(rule, rule.times)}:  # {rule.clause!r}"
                yield from self._nothing(number)
            case LessPaid():
                less = self._of_part(rule.by) if rule.over is Span.SETTLEMENT else self._paid(rule.by, rule.over)
                yield f"less = {' + '.join(less) or 0}  # {rule.clause!r}"
                yield from self._at_most(f"{aid} - less", number, None)
            case NotBeside():
                yield f"if {aid} and {self._paid_sum(rule)} > 0:  # {rule.clause!r}"
                yield from self._nothing(number)
            case OnlyBeside():
                yield f"if {aid} and {self._paid_sum(rule)} == 0:  # {rule.clause!r}"
                yield from self._nothing(number)

    def group_lines(self, limit: GroupLimit, number: int) -> Iterator[str]:
        """Write a group limit where it meets this benefit."""
        bound = f"burden_{limit.code}" if limit.burden is not None else self._group_amount(limit)
        paying = [benefit.code for benefit in self.version.body.benefits if benefit.manual is None]
        codes = paying if isinstance(limit.of, str) else limit.of
        yield from self._at_most(self._left(bound, limit.over, codes, limit.of == "all_plans"), number, limit.clause)

    def _group_amount(self, limit: GroupLimit) -> str:
        if limit.amount is None:
            raise InvariantViolation(f"the limit {limit.code} has no amount")
        return yuan_by(self.layout, limit.amount)

    def _amount(self, rule: TermLimit | Limit) -> str:
        return limit_amount(self.layout, self.benefit, rule)

    def _left(self, bound: str, over: Span, codes: Sequence[str], other_plans: bool = False) -> str:
        """Return what is left of a bound for this bill's present benefit."""
        paid = self._paid(codes, over)
        if other_plans and over is not Span.SETTLEMENT:
            paid.append(self._slot(over, OTHER_PLANS, "paid"))
        return " - ".join([bound, *paid])

    def _paid_sum(self, rule: NotBeside | OnlyBeside) -> str:
        return " + ".join(self._paid(rule.benefits, rule.over)) or "0"

    def _paid(self, codes: Sequence[str], over: Span) -> list[str]:
        """Return what each benefit has paid in a span, this bill's earlier ones included."""
        if not self.layout.keeps(over):
            return self._of_part(codes)
        return [self._slot(over, code, "paid") for code in codes]

    def _of_part(self, codes: Sequence[str]) -> list[str]:
        """Return what each benefit pays for this bill, or this part; one that stands later has paid nothing yet."""
        earlier = [benefit.code for benefit in self.version.body.benefits[: self.place]]
        return [aid_of(code) for code in codes if code in earlier]

    def _slot(self, over: Span, code: str, measure: str) -> str:
        return self.layout.slot(over, term_of(self.version.body, self.benefit), code, measure)

    def _at_most(self, left: str, number: int, clause: str | None) -> Iterator[str]:
        aid = aid_of(self.benefit.code)
        yield f"left = max(0, {left})" + (f"  # {clause!r}" if clause else "")
        yield f"if {aid} > left:"
        yield "    if notes is not None:"
        yield f'        notes.append(("step", {self.place}, {number}, left - {aid}))'
        yield f"    {aid} = left"

    def _nothing(self, number: int) -> Iterator[str]:
        aid = aid_of(self.benefit.code)
        yield "    if notes is not None:"
        yield f'        notes.append(("step", {self.place}, {number}, -{aid}))'
        yield f"    {aid} = 0"

    def _times_are_up(self, rule: Limit, times: int) -> str:
        """Return the test that the times of a span are used up; settlements of one unit are paid as one time."""
        used = (
            f"{self._slot(rule.over, self.benefit.code, 'times')} >= {times}"
            if rule.over is not Span.SETTLEMENT
            else "False"
        )
        unit = unit_of(self.version.body)
        if unit is None or unit is rule.over:
            return used
        return f"{used} and not {self._slot(unit, self.benefit.code, 'times')}"


def burden_lines(version: PlanVersion, layout: Layout) -> Iterator[str]:
    """Write, for each group limit by a burden, what the member bears of this bill, its paid parts up to this one."""
    for limit in version.body.limits:
        if limit.burden is not None:
            burden = amount_sum(layout, limit.burden, version.header, ())
            if layout.splits:
                borne = layout.slot(Span.SETTLEMENT, None, f"limit:{limit.code}", "burden")
                yield f"{borne} += {burden}"
                burden = borne
            yield f"burden_{limit.code} = max(0, {burden})  # {limit.clause!r}"
