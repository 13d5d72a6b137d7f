"""Runs the worked cases that a plan file carries: one member's bills in order, and what each of them must be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from settlement.domain.benefits import Benefit, Consumption, PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, Care, InsurerFunds
from settlement.domain.cover import CoverSpan, cover_on
from settlement.domain.money import ZERO, Money
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.facts import service_date
from settlement.plans.history import BillKeys, Placed, Taking, place
from settlement.plans.model import Case, CaseAmounts, CaseBill, CaseFacts, OrdinaryFacts, Plan
from settlement.plans.model.file import Header

Paid = Mapping[str, Money]
"""What each benefit pays for one bill, in fen, by benefit code; zeros are left out."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One bill of a case as it came out: what is paid, and the benefits that a person must look at."""

    paid: Paid
    asks: tuple[str, ...] = ()
    missing: str | None = None


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
        family_account_paid=amounts.family_account_paid,
        cash_before_aid=patient_share - amounts.account_paid,
    )


def case_facts(
    ordinary: OrdinaryFacts, changed: CaseFacts, header: Header, amounts: CaseAmounts | None = None
) -> PlanFacts:
    """Return the facts of a case's bill: the ordinary ones, but for those that the bill states itself."""
    given = {**ordinary.model_dump(exclude={"covers"}), **changed.model_dump(exclude={"covers"}, exclude_unset=True)}
    known = {field.name for field in fields(PlanFacts)}
    facts = PlanFacts(**{name: value for name, value in given.items() if name in known})
    if amounts is not None:
        facts = replace(facts, other_paid=amounts.other_paid, stated=dict(amounts.stated))
    setting = facts.setting or ("inpatient" if facts.care == Care.INPATIENT else "outpatient")
    facts = replace(facts, setting=setting, counted_from=facts.admitted_on)
    covers = changed.covers if changed.covers is not None else ordinary.covers
    return facts if covers is None else _covered(facts, header, covers)


def _covered(facts: PlanFacts, header: Header, covers: Sequence[object]) -> PlanFacts:
    """Complete facts from the spans of cover, as the settle path does from the roster."""
    spans = [
        CoverSpan(cover.first_day, cover.last_day, cover.person_category or facts.person_category or "")  # type: ignore[attr-defined]
        for cover in covers
    ]
    day = service_date(header.stay_date, facts) or facts.settled_on
    grace = header.continuity.grace_days if header.continuity else 0
    cover = cover_on(spans, day, grace)
    if cover is None:
        return replace(facts, person_category=None)
    return replace(
        facts,
        person_category=cover.span.person_category or None,
        cover_first_day=cover.span.first_day,
        cover_last_day=cover.span.last_day,
        covered_since=cover.since,
        consecutive_terms=cover.consecutive_terms,
        returned=cover.returned,
    )


def case_keys(ordinary: OrdinaryFacts, changed: CaseFacts, number: int) -> BillKeys:
    """Return what ties a case's bill to others; a bill without a visit is a visit of its own."""
    given = {**ordinary.model_dump(), **changed.model_dump(exclude_unset=True)}
    return BillKeys(given["hospital"] or "H", given["visit"] or f"bill-{number}", given["receipt"])


def _run(plan: Plan, case: Case, line: int) -> CaseResult:
    expected = tuple(Priced(_without_zeros(bill.pays), bill.asks, bill.missing) for bill in case.bills)
    actual: list[Priced] = []
    past: list[Taking] = []
    for number, bill in enumerate(case.bills, 1):
        priced = _price(plan, bill, number, past)
        if isinstance(priced, str):
            return CaseResult(case.name, line, expected, tuple(actual), priced)
        actual.append(priced)
    return CaseResult(case.name, line, expected, tuple(actual), None)


def _price(plan: Plan, bill: CaseBill, number: int, past: list[Taking]) -> Priced | str:
    """Price one bill and add what it takes to `past`; a text says why it cannot be priced."""
    ordinary = plan.file.case_facts
    facts = case_facts(ordinary, bill.facts, plan.header, bill.amounts)
    version = plan.version_on(service_date(plan.header.stay_date, facts) or facts.settled_on)
    if version is None:
        return "没有适用的版本 / no version is in force on the service date"
    compiled = compile_version(version)
    keys = case_keys(ordinary, bill.facts, number)
    placed = place(compiled, facts, keys, past)
    missing = compiled.missing_fact(placed.facts)
    if missing is not None:
        return Priced({}, missing=missing)
    benefits = compiled.adjudicate(case_figures(bill.amounts), placed.facts, placed.used)
    past += takings(compiled, placed, benefits, keys)
    asks = tuple(benefit.code for benefit in benefits if benefit.asks_a_person)
    paid: dict[str, Money] = {}
    for benefit in benefits:
        paid[benefit.code] = paid.get(benefit.code, ZERO) + benefit.amount
    return Priced(_without_zeros(paid), asks)


def takings(compiled: CompiledPlan, placed: Placed, benefits: Sequence[Benefit], keys: BillKeys) -> list[Taking]:
    """Return what a bill took, as later bills meet it."""
    taken = [
        Taking(benefit.code, benefit.term.code, UsedRoom().after(benefit.consumption), placed.unit)
        for benefit in benefits
        if benefit.consumption != Consumption()
    ]
    first_of_last_part = benefits[-len(compiled.benefit_codes)]
    stay = placed.stay_taking(first_of_last_part.term) if compiled.counts_stays else None
    return taken if stay is None else [*taken, replace(stay, hospital=keys.hospital)]


def _without_zeros(paid: Paid) -> Paid:
    return {code: amount for code, amount in paid.items() if amount != ZERO}
