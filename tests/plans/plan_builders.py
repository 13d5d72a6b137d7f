"""Plans, bills and histories for the tests of the plan language: valid by default, strange on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from hypothesis import strategies as st

from settlement.domain.benefits import PlanFacts, UsedRoom
from settlement.domain.bills import BillFigures, InsurerFunds
from settlement.domain.money import ZERO, Money
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.model import Plan, load_plan

LIBRARY = Path(__file__).parents[2] / "plans"
"""The folder of published plans."""
HANGZHOU_FILE = Path(__file__).with_name("inpatient_only.yaml")
"""Hangzhou's plan with its one benefit for inpatient costs: what most tests of the language change and price."""
HANGZHOU_TEXT = HANGZHOU_FILE.read_text(encoding="utf-8")
HANGZHOU = load_plan(HANGZHOU_TEXT, "hangzhou.yaml")

STAY = PlanFacts(
    care="inpatient",
    settled_on=date(2026, 3, 10),
    admitted_on=date(2026, 3, 1),
    discharged_on=date(2026, 3, 10),
    hospital_level=3,
    insurance_type="310",
    person_category="active",
    setting="inpatient",
)
VISIT = replace(
    STAY, care="outpatient", setting="outpatient", admitted_on=None, discharged_on=None, hospital_level=None
)

EDGES = tuple(
    edge + by for edge in (0, 6_000, 10_000, 50_000, 100_000, 1_000_000, 1_500_000, 5_000_000) for by in (-1, 0, 1)
)


def a_compiled_plan(text: str = HANGZHOU_TEXT) -> CompiledPlan:
    """Compile the first version of a plan text; Hangzhou's by default."""
    return compile_version(load_plan(text, "a plan").versions[0])


def a_changed_plan(*changes: tuple[str, str]) -> Plan:
    """Load Hangzhou's file with some of its text replaced; each text to be replaced must be there."""
    return load_plan(a_changed_text(*changes), "plan.yaml")


def a_changed_text(*changes: tuple[str, str]) -> str:
    """Return Hangzhou's file with the first occurrence of some texts replaced."""
    text = HANGZHOU_TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def part_of_text(start: str, end: str) -> str:
    """Return Hangzhou's file from one text up to another."""
    return HANGZHOU_TEXT[HANGZHOU_TEXT.index(start) : HANGZHOU_TEXT.index(end)]


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds a part of the text."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def a_bill(
    allowed: int = 0, insurer_paid: int = 0, provider_absorbed: int = 0, excluded: int = 0, upfront_share: int = 0
) -> BillFigures:
    """Return a bill's figures, from fen, that satisfy the identities of the insurer's interface."""
    billed = allowed + excluded + upfront_share
    patient_share = Money(billed - insurer_paid - provider_absorbed)
    return BillFigures(
        billed=Money(billed),
        excluded=Money(excluded),
        over_limit=ZERO,
        upfront_share=Money(upfront_share),
        allowed=Money(allowed),
        insurer_deductible=ZERO,
        funds=InsurerFunds(hifp=Money(insurer_paid // 2), oth=Money(insurer_paid - insurer_paid // 2)),
        provider_absorbed=Money(provider_absorbed),
        patient_share=patient_share,
        account_paid=ZERO,
        family_account_paid=ZERO,
        cash_before_aid=patient_share,
    )


def pay_in_order(compiled: CompiledPlan, bills: Sequence[tuple[BillFigures, PlanFacts]]) -> list[int]:
    """Return what each bill of one member and term is paid, in fen, in the order of recording."""
    used: dict[str, UsedRoom] = {}
    paid = []
    for figures, facts in bills:
        benefits = compiled.adjudicate(figures, facts, used)
        used = {benefit.code: benefit.used_before.after(benefit.consumption) for benefit in benefits}
        paid.append(sum(int(benefit.amount) for benefit in benefits))
    return paid


@st.composite
def bills(draw: st.DrawFn) -> BillFigures:
    """Bills of every size; the patient's share is never negative, the base may be clipped at zero."""
    own = draw(st.sampled_from(EDGES) | st.integers(0, 7_000_000))
    excluded = draw(st.sampled_from((0, 0, 1, 5_000)) | st.integers(0, 500_000))
    insurer_paid, provider_absorbed = draw(st.integers(0, 3_000_000)), draw(st.sampled_from((0, 0, 700)))
    allowed = max(0, own + insurer_paid + provider_absorbed - draw(st.sampled_from((0, 0, 0, 4_000))))
    missing = max(0, insurer_paid + provider_absorbed - allowed - excluded)
    return a_bill(allowed, insurer_paid, provider_absorbed, excluded, upfront_share=missing)


def stays() -> st.SearchStrategy[PlanFacts]:
    """Facts of bills within one term, most of them reached by the benefit."""
    levels = st.sampled_from((2, 3, 3, 3, 1))
    return st.builds(
        lambda level, care: replace(care, hospital_level=level), levels, st.sampled_from((STAY, STAY, VISIT))
    )


def histories() -> st.SearchStrategy[list[tuple[BillFigures, PlanFacts]]]:
    """One member's bills of one term."""
    return st.lists(st.tuples(bills(), stays()), min_size=1, max_size=6)


def used_rooms() -> st.SearchStrategy[UsedRoom]:
    """Used room of every kind, also such as the rules would never have made: openings, reversals, other versions."""
    amounts = st.sampled_from([edge for edge in EDGES if edge >= 0]) | st.integers(0, 7_000_000)
    paid = st.integers(0, 3_020_000)
    return st.builds(lambda b, u, p: UsedRoom(Money(b), Money(u), Money(p)), amounts, amounts, paid)
