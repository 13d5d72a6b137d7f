"""Runs the worked cases that a plan file carries: one member's bills in order, and what each of them must be paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import ZERO, Money
from settlement.plans.compile import UNUSED, compile_version, service_date
from settlement.plans.model import Case, CaseAmounts, CaseFacts, OrdinaryFacts, Plan

Paid = Mapping[str, Money]
"""What each benefit pays for one bill, in fen, by benefit code; zeros are left out."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A worked case as it should be and as it is, bill by bill.

    `trouble` says why a bill could not be priced; it and those after it are then missing from `actual`.
    """

    name: str
    line: int
    expected: tuple[Paid, ...]
    actual: tuple[Paid, ...]
    trouble: str | None

    @property
    def passed(self) -> bool:
        """Whether every bill was paid what the case says."""
        return self.expected == self.actual


def run_cases(plan: Plan) -> list[CaseResult]:
    """Run every worked case of a plan, in the file's order, each as a member of its own."""
    return [_run(plan, case, plan.source.line_of(("cases", place))) for place, case in enumerate(plan.file.cases)]


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
        family_account_paid=ZERO,
        cash_before_aid=patient_share - amounts.account_paid,
    )


def case_facts(ordinary: OrdinaryFacts, changed: CaseFacts) -> PlanFacts:
    """Return the facts of a case's bill: the ordinary ones, but for those that the bill states itself."""
    return PlanFacts(**{**ordinary.model_dump(), **changed.model_dump(exclude_unset=True)})


def _run(plan: Plan, case: Case, line: int) -> CaseResult:
    expected = tuple(_without_zeros(bill.pays) for bill in case.bills)
    actual: list[Paid] = []
    used: dict[tuple[str, str], UsedRoom] = {}
    for bill in case.bills:
        paid = _price(plan, case_figures(bill.amounts), case_facts(plan.file.case_facts, bill.facts), used)
        if isinstance(paid, str):
            return CaseResult(case.name, line, expected, tuple(actual), paid)
        actual.append(paid)
    return CaseResult(case.name, line, expected, tuple(actual), None)


def _price(plan: Plan, figures: BillFigures, facts: PlanFacts, used: dict[tuple[str, str], UsedRoom]) -> Paid | str:
    """Price one bill and add what it takes to `used` (by benefit and term); a text says why it cannot be priced."""
    version = plan.version_on(service_date(plan.header.stay_date, facts) or facts.settled_on)
    if version is None:
        return "没有适用的版本 / no version is in force on the service date"
    compiled = compile_version(version)
    if missing := compiled.missing_fact(facts):
        return f"缺少事实 {missing} / the fact {missing} is missing"
    terms = compiled.terms(compiled.service_date(facts) or facts.settled_on)
    room = {code: used.get((code, term.code), UNUSED) for code, term in terms.items()}
    benefits = compiled.adjudicate(figures, facts, room)
    for benefit in benefits:
        used[benefit.code, benefit.term.code] = benefit.used_before.after(benefit.consumption)
    return _without_zeros({benefit.code: benefit.amount for benefit in benefits})


def _without_zeros(paid: Paid) -> Paid:
    return {code: amount for code, amount in paid.items() if amount != ZERO}
