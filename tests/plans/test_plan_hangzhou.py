"""Hangzhou's plan file: three modules, their first priced as by the plan of one benefit, and the separate reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from plan_builders import HANGZHOU, LIBRARY, STAY, a_bill, a_compiled_plan, histories, pay_in_order

from settlement.domain.benefits import PlanFacts, StepKind
from settlement.domain.bills import BillFigures
from settlement.plans.checks.run import check_plan
from settlement.plans.compile import compile_version
from settlement.plans.explain import explain
from settlement.plans.findings import Severity
from settlement.plans.model import read_plan

FULL = read_plan(LIBRARY / "hangzhou.yaml")
PLAN = compile_version(FULL.versions[0])
APART = compile_version(read_plan(LIBRARY / "hangzhou-separate.yaml").versions[0])
ALL_MODULES = {"self_pay": 1, "critical": 1, "women": 1}
CLAIM = replace(STAY, care="outpatient", setting="outpatient", admitted_on=None, discharged_on=None)


def test_the_file_has_no_error_and_the_version_that_is_published() -> None:
    assert [finding for finding in check_plan(FULL) if finding.severity is Severity.ERROR] == []
    assert [version.version for version in FULL.versions] == ["2018"]


def test_it_covers_active_employees_of_the_employee_insurance() -> None:
    assert FULL.header.covered("insurance_type") == frozenset({"310"})
    assert FULL.header.covered("person_category") == frozenset({"active"})
    assert FULL.header.covered("hospital_level") is None


def test_a_member_holds_the_first_module_unless_the_roster_says_otherwise() -> None:
    paid = {
        held: PLAN.amounts(a_bill(allowed=80_000), replace(STAY, shares=shares), {})["inpatient"]
        for held, shares in (("unsaid", None), ("all", ALL_MODULES), ("another", {"women": 1}))
    }
    assert paid == {"unsaid": 16_000, "all": 16_000, "another": 0}


@given(history=histories())
def test_the_first_module_pays_what_the_plan_of_one_benefit_pays(history: list[tuple[BillFigures, PlanFacts]]) -> None:
    assert pay_in_order(PLAN, history) == pay_in_order(a_compiled_plan(), history)


def test_a_member_is_told_of_no_benefit_whose_module_is_not_held() -> None:
    told = explain(PLAN.adjudicate(a_bill(allowed=80_000), STAY, {}), PLAN.limits)
    assert [each.benefit.code for each in told] == ["inpatient"]
    kinds = [benefit.steps[0].kind for benefit in PLAN.adjudicate(a_bill(), CLAIM, {})]
    assert kinds == [StepKind.NOT_ELIGIBLE, *[StepKind.NOT_HELD] * 7]


def test_two_bills_are_paid_as_one_sum_and_not_each_alone() -> None:
    stay = (a_bill(allowed=206_700), STAY)
    together, apart = pay_in_order(PLAN, [stay, stay]), [*pay_in_order(PLAN, [stay]), *pay_in_order(PLAN, [stay])]
    assert (sum(together), sum(apart)) == (176_700, 146_700)


def test_the_separate_reading_pays_each_stay_alone() -> None:
    stay = replace(STAY, counted_from=STAY.admitted_on)
    each = [APART.amounts(a_bill(allowed=206_700), stay, {})["inpatient"] for _ in range(2)]
    assert each == [73_350, 73_350]


@pytest.mark.parametrize(
    ("event", "paid"),
    [
        ("critical_illness", {"critical_illness": 1_500_000, "care": 100_000}),
        ("female_cancer", {"critical_illness": 1_500_000, "women_cancer": 2_000_000, "care": 100_000}),
        ("carcinoma_in_situ", {"in_situ": 300_000}),
        ("female_carcinoma_in_situ", {"in_situ": 300_000, "women_in_situ": 500_000}),
        ("hysterectomy", {"hysterectomy": 200_000}),
    ],
)
def test_an_event_pays_what_the_modules_hold_for_it(event: str, paid: dict[str, int]) -> None:
    facts = replace(CLAIM, event=event, event_on=date(2026, 3, 5), union_member=True, shares=ALL_MODULES)
    amounts = PLAN.amounts(a_bill(), facts, {})
    assert {code: amount for code, amount in amounts.items() if amount} == paid


def test_the_tests_of_the_language_keep_the_published_bands_of_the_first_module() -> None:
    assert HANGZHOU.versions[0].body.benefits[0].rules == FULL.versions[0].body.benefits[0].rules
