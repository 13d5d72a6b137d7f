"""Worked cases: they fail when the file says something else, and say why when a bill cannot be priced."""

from __future__ import annotations

from plan_builders import HANGZHOU, a_changed_plan

from settlement.domain.money import Money
from settlement.plans.cases import case_facts, case_figures, run_cases
from settlement.plans.model import CaseFacts

FIRST_BILL = '{amounts: {allowed: 300}, pays: {inpatient: "100.00"}}'


def test_a_case_fails_when_the_expected_aid_is_another() -> None:
    first, *others = run_cases(a_changed_plan((FIRST_BILL, "{amounts: {allowed: 300}, pays: {}}")))
    assert not first.passed
    assert (first.expected, first.actual) == (({},), ({"inpatient": Money(10_000)},))
    assert all(result.passed for result in others)


def test_a_case_fails_when_the_plan_pays_another_rate() -> None:
    results = run_cases(a_changed_plan(('rate: "20%"', 'rate: "21%"')))
    assert "HZ band1，自负 800 元" in {result.name for result in results if not result.passed}


def test_a_case_that_names_an_unknown_benefit_fails() -> None:
    plan = a_changed_plan((FIRST_BILL, FIRST_BILL.replace("inpatient", "inpatients")))
    assert not run_cases(plan)[0].passed


def test_a_bill_that_lacks_a_fact_or_a_version_says_so() -> None:
    lacking = run_cases(a_changed_plan(("  hospital_level: 3\n", "")))[0]
    early = run_cases(a_changed_plan(("effective_from: 2018-01-01", "effective_from: 2027-01-01")))[0]
    undated = run_cases(a_changed_plan(("  discharged_on: 2026-03-10\n", "")))[0]
    assert lacking.trouble == "缺少事实 hospital_level / the fact hospital_level is missing"
    assert early.trouble == "没有适用的版本 / no version is in force on the service date"
    assert undated.trouble == "缺少事实 discharged_on / the fact discharged_on is missing"
    assert not any(result.passed for result in (lacking, early, undated))


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
    ordinary = HANGZHOU.file.case_facts
    assert case_facts(ordinary, CaseFacts(hospital_level=None)).hospital_level is None
    assert case_facts(ordinary, CaseFacts()).hospital_level == 3
