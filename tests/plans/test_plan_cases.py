"""Worked cases: they fail when the file says something else, and say why when a bill cannot be priced."""

from __future__ import annotations

import pytest
from plan_builders import HANGZHOU, a_changed_plan

from settlement.domain.money import Money
from settlement.plans.cases import Priced, case_facts, case_figures, run_cases
from settlement.plans.model import CaseFacts

FIRST_BILL = '{amounts: {allowed: 300}, pays: {inpatient: "100.00"}}'


def test_a_case_fails_when_the_expected_aid_is_another() -> None:
    first, *others = run_cases(a_changed_plan((FIRST_BILL, "{amounts: {allowed: 300}, pays: {}}")))
    assert not first.passed
    assert (first.expected, first.actual) == ((Priced({}),), (Priced({"inpatient": Money(10_000)}),))
    assert all(result.passed for result in others)


def test_a_case_fails_when_the_plan_pays_another_rate() -> None:
    results = run_cases(a_changed_plan(('rate: "20%"', 'rate: "21%"')))
    assert "HZ band1，自负 800 元" in {result.name for result in results if not result.passed}


def test_a_case_that_names_an_unknown_benefit_fails() -> None:
    plan = a_changed_plan((FIRST_BILL, FIRST_BILL.replace("inpatient", "inpatients")))
    assert not run_cases(plan)[0].passed


def test_a_bill_that_lacks_a_fact_is_held_and_asks_for_it() -> None:
    lacking = a_changed_plan(("  hospital_level: 3\n", ""))
    undated = run_cases(a_changed_plan(("  discharged_on: 2026-03-10\n", "")))[0]
    assert run_cases(lacking)[0].actual == (Priced({}, missing="hospital_level"),)
    assert undated.actual == (Priced({}, missing="discharged_on"),)
    assert not undated.passed
    held = a_changed_plan(
        ("  hospital_level: 3\n", ""), (FIRST_BILL, "{amounts: {allowed: 300}, missing: hospital_level}")
    )
    assert run_cases(held)[0].passed


def test_a_bill_before_the_first_version_says_so() -> None:
    early = run_cases(a_changed_plan(("effective_from: 2018-01-01", "effective_from: 2027-01-01")))[0]
    assert early.trouble == "没有适用的版本 / no version is in force on the service date"
    assert not early.passed


@pytest.mark.parametrize(("category_on", "paid"), [("service_date", {}), ("term_start", {"inpatient": Money(10_000)})])
def test_who_retires_in_a_term_counts_as_the_plan_says(category_on: str, paid: dict[str, Money]) -> None:
    covers = """  covers:
    - {first_day: 2026-01-01, last_day: 2026-02-28, person_category: active}
    - {first_day: 2026-03-01, last_day: 2026-12-31, person_category: retired}

cases:"""
    plan = a_changed_plan(("  covers:\n", f"  category_on: {category_on}\n  covers:\n"), ("\ncases:", covers))
    assert run_cases(plan)[0].actual == (Priced(paid),)


def test_a_case_stands_on_its_line() -> None:
    result = run_cases(HANGZHOU)[0]
    assert HANGZHOU.source.name == "hangzhou.yaml"
    assert result.line == HANGZHOU.source.line_of(("cases", 0))


def test_the_figures_of_a_case_satisfy_the_insurers_identities() -> None:
    for bill in (bill for case in HANGZHOU.file.cases for bill in case.bills):
        figures = case_figures(bill.amounts)
        assert figures.billed == figures.excluded + figures.over_limit + figures.upfront_share + figures.allowed
        assert figures.billed == figures.insurer_paid + figures.provider_absorbed + figures.patient_share
        assert figures.patient_share == figures.account_paid + figures.cash_before_aid


def test_a_bill_states_only_the_facts_that_differ() -> None:
    ordinary, header = HANGZHOU.file.case_facts, HANGZHOU.header
    assert case_facts(ordinary, CaseFacts(hospital_level=None), header).hospital_level is None
    assert case_facts(ordinary, CaseFacts(), header).hospital_level == 3
