"""Runs the worked cases that a plan file carries: one member's bills in order, and what each of them must be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from settlement.domain.benefits import Benefit, PlanFacts, Taking
from settlement.domain.bills import BillFigures, Care, InsurerFunds
from settlement.domain.certificates import age_on
from settlement.domain.cover import CoverSpan
from settlement.domain.money import ZERO, Money
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.covering import cover_for, day_of_age, days_of_cover, is_covered, with_cover
from settlement.plans.facts import service_date
from settlement.plans.findings import Finding, Severity
from settlement.plans.history import BillKeys, Placed, place, takings
from settlement.plans.model import Case, CaseAmounts, CaseBill, CaseFacts, OrdinaryFacts, Plan
from settlement.plans.next_yuan import NextYuan, next_yuan
from settlement.plans.origins import Origin, origins

CASE_FAILS = "case_fails"
Paid = Mapping[str, Money]
"""What each benefit pays for one bill, in fen, by benefit code; zeros are left out."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One bill of a case as it came out: what is paid, and the benefits that a person must look at.

    `missing` names the fact for which it is held; one whose member is not covered on the service date is not ours.
    """

    paid: Paid
    asks: tuple[str, ...] = ()
    missing: str | None = None
    not_covered: bool = False

    def __str__(self) -> str:
        if self.not_covered:
            return "not covered on the service date"
        if self.missing is not None:
            return f"held for {self.missing}"
        paid = ", ".join(f"{benefit} {amount}" for benefit, amount in self.paid.items()) or "nothing"
        return f"{paid}; a person is asked about {', '.join(self.asks)}" if self.asks else paid


@dataclass(frozen=True, slots=True)
class PricedBill:
    """One bill of a case with what it was priced from; `missing` names the fact for which it is held.

    `not_covered_on` is the service date of a bill whose member has no cover then: it is not ours.
    """

    compiled: CompiledPlan
    figures: BillFigures
    placed: Placed
    benefits: tuple[Benefit, ...]
    missing: str | None
    not_covered_on: date | None = None

    def outcome(self) -> Priced:
        """Return what came out."""
        paid: dict[str, Money] = {}
        for benefit in self.benefits:
            paid[benefit.code] = paid.get(benefit.code, ZERO) + benefit.amount
        asks = tuple(benefit.code for benefit in self.benefits if benefit.asks_a_person)
        return Priced(_without_zeros(paid), asks, self.missing, self.not_covered_on is not None)

    def origins(self) -> tuple[Origin, ...]:
        """Return what each benefit started from."""
        return origins(self.compiled, self.figures, self.placed.facts, self.benefits)

    def next_yuan(self) -> Mapping[str, NextYuan]:
        """Return what one yuan more would have brought of each benefit."""
        return next_yuan(self.compiled, self.figures, self.placed.facts, self.placed.used) if self.benefits else {}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A worked case as it should be and as it is, bill by bill.

    `trouble` says why a bill could not be priced; it and those after it are then missing from `actual`.
    """

    name: str
    line: int
    expected: tuple[Priced, ...]
    actual: tuple[Priced, ...]
    trouble: str | None

    @property
    def passed(self) -> bool:
        """Whether every bill was paid what the case says."""
        return self.trouble is None and self.expected == self.actual

    def difference(self) -> str:
        """Say what came out otherwise than the case says."""
        if self.trouble is not None:
            return self.trouble
        pairs = zip(self.expected, self.actual, strict=True)
        return "; ".join(
            f"bill {number}: expected {expected}, got {actual}"
            for number, (expected, actual) in enumerate(pairs, 1)
            if expected != actual
        )


def run_cases(plan: Plan) -> list[CaseResult]:
    """Run every worked case of a plan, in the file's order, each as a member of its own."""
    return [_run(plan, case, plan.source.line_of(("cases", place))) for place, case in enumerate(plan.file.cases)]


def failing_cases(plan: Plan) -> list[Finding]:
    """Return an error for each worked case that does not come out as it says. Call it for a plan without errors."""
    return [
        Finding(
            CASE_FAILS,
            Severity.ERROR,
            plan.source.name,
            result.line,
            None,
            f"案例 {result.name} 算出的与所写的不同：{result.difference()}；改规则或改案例",
            f"the worked case {result.name} does not come out as it says: {result.difference()}; "
            "mend the rules or the case",
        )
        for result in run_cases(plan)
        if not result.passed
    ]


def case_figures(amounts: CaseAmounts) -> BillFigures:
    """Complete a case's amounts to a bill by the identities of the insurer's interface."""
    billed = amounts.excluded + amounts.over_limit + amounts.upfront_share + amounts.allowed
    patient_share = billed - amounts.insurer_paid - amounts.provider_absorbed
    return BillFigures(
        billed=billed,
        excluded=amounts.excluded,
        over_limit=amounts.over_limit,
        upfront_share=amounts.upfront_share,
        allowed=amounts.allowed,
        insurer_deductible=amounts.insurer_deductible,
        funds=InsurerFunds(hifp=amounts.insurer_paid),
        provider_absorbed=amounts.provider_absorbed,
        patient_share=patient_share,
        account_paid=amounts.account_paid,
        family_account_paid=amounts.family_account_paid,
        cash_before_aid=patient_share - amounts.account_paid,
    )


def case_facts(ordinary: OrdinaryFacts, changed: CaseFacts, amounts: CaseAmounts | None = None) -> PlanFacts:
    """Return the facts of a case's bill: the ordinary ones, but for those that the bill states itself.

    What follows from its spans of cover is not among them yet: `covered_facts` adds it.
    """
    given = {**ordinary.model_dump(exclude={"covers"}), **changed.model_dump(exclude={"covers"}, exclude_unset=True)}
    known = {field.name for field in fields(PlanFacts)}
    facts = PlanFacts(**{name: value for name, value in given.items() if name in known})
    if amounts is not None:
        facts = replace(facts, other_paid=amounts.other_paid, stated=dict(amounts.stated))
    setting = facts.setting or ("inpatient" if facts.care == Care.INPATIENT else "outpatient")
    return replace(facts, setting=setting, counted_from=facts.admitted_on)


def covered_facts(
    compiled: CompiledPlan,
    facts: PlanFacts,
    ordinary: OrdinaryFacts,
    changed: CaseFacts,
    day: date | None = None,
) -> PlanFacts:
    """Return the facts with what follows from the case's spans of cover and day of birth, if it has any.

    `day` is the one whose cover counts, the service date where none is given.
    """
    spans = _spans(ordinary, changed)
    if spans is not None:
        cover = cover_for(spans, compiled.header, day or compiled.service_date(facts) or facts.settled_on)
        if cover is None:
            return facts
        facts = with_cover(compiled, facts, cover, spans)
    born = changed.born_on if "born_on" in changed.model_fields_set else ordinary.born_on
    return facts if born is None else replace(facts, age=age_on(born, day_of_age(compiled, facts)))


def _spans(ordinary: OrdinaryFacts, changed: CaseFacts) -> Sequence[CoverSpan] | None:
    """Return the spans of cover that a case's bill meets; one that names no category has the bill's own."""
    covers = changed.covers if changed.covers is not None else ordinary.covers
    own = changed.person_category if "person_category" in changed.model_fields_set else ordinary.person_category
    if covers is None:
        return None
    return [CoverSpan(cover.first_day, cover.last_day, cover.person_category or own or "") for cover in covers]


def case_keys(ordinary: OrdinaryFacts, changed: CaseFacts, number: int) -> BillKeys:
    """Return what ties a case's bill to others; a bill without a visit is a visit of its own."""
    given = {**ordinary.model_dump(), **changed.model_dump(exclude_unset=True)}
    return BillKeys(given["hospital"] or "H", given["visit"] or f"bill-{number}", given["receipt"])


def price_in_order(plan: Plan, bills: Sequence[CaseBill]) -> list[PricedBill | str]:
    """Price one member's bills in order; a text says why one cannot be priced, and nothing comes after it."""
    priced: list[PricedBill | str] = []
    past: list[Taking] = []
    for number, bill in enumerate(bills, 1):
        outcome = _price(plan, bill, number, past)
        priced.append(outcome)
        if isinstance(outcome, str):
            break
    return priced


def _run(plan: Plan, case: Case, line: int) -> CaseResult:
    expected = tuple(
        Priced(_without_zeros(bill.pays), bill.asks, bill.missing, bill.not_covered) for bill in case.bills
    )
    priced = price_in_order(plan, case.bills)
    trouble = priced[-1] if isinstance(priced[-1], str) else None
    actual = tuple(bill.outcome() for bill in priced if not isinstance(bill, str))
    return CaseResult(case.name, line, expected, actual, trouble)


def _price(plan: Plan, bill: CaseBill, number: int, past: list[Taking]) -> PricedBill | str:
    """Price one bill and add what it takes to `past`; a text says why it cannot be priced."""
    ordinary = plan.file.case_facts
    facts = case_facts(ordinary, bill.facts, bill.amounts)
    version = plan.version_on(service_date(plan.header.stay_date, facts) or facts.settled_on)
    if version is None:
        return "没有适用的版本 / no version is in force on the service date"
    compiled = compile_version(version)
    facts = replace(facts, plan_since=min(each.effective_from for each in plan.versions))
    keys = case_keys(ordinary, bill.facts, number)
    placed = _placed(compiled, facts, ordinary, bill.facts, keys, past)
    figures = case_figures(bill.amounts)
    if placed is None:
        service_day = compiled.service_date(facts) or facts.settled_on
        return PricedBill(compiled, figures, Placed(facts, None, None, {}), (), None, service_day)
    missing = compiled.missing_fact(placed.facts)
    if missing is not None:
        return PricedBill(compiled, figures, placed, (), missing)
    benefits = compiled.adjudicate(figures, placed.facts, placed.used)
    past += takings(compiled, placed, benefits, keys)
    return PricedBill(compiled, figures, placed, benefits, None)


def _placed(
    compiled: CompiledPlan,
    facts: PlanFacts,
    ordinary: OrdinaryFacts,
    changed: CaseFacts,
    keys: BillKeys,
    past: Sequence[Taking],
) -> Placed | None:
    """Return a bill in its place where it is ours by its cover, as the settle path decides; without spans all are."""
    spans = _spans(ordinary, changed)
    if spans is None:
        return place(compiled, covered_facts(compiled, facts, ordinary, changed), keys, past)
    provisional = compiled.header.provisional
    for day in days_of_cover(compiled, facts, spans):
        cover = cover_for(spans, compiled.header, day)
        if cover is None or (cover.provisional and provisional is not None and provisional.aid == "none"):
            continue
        placed = place(compiled, covered_facts(compiled, facts, ordinary, changed, day), keys, past)
        if is_covered(compiled, placed.facts, cover):
            return placed
    return None


def _without_zeros(paid: Paid) -> Paid:
    return {code: amount for code, amount in paid.items() if amount != ZERO}
