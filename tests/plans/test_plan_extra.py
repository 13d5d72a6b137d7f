"""Small plans for constructs that no plan of the library needs: each is sound, and its worked cases hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from settlement.domain.money import Money
from settlement.plans.cases import CaseResult, run_cases
from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Severity
from settlement.plans.funding import funded
from settlement.plans.model import Plan, read_plan

PLANS = {path.stem: read_plan(path) for path in sorted((Path(__file__).parent / "extra").glob("*.yaml"))}
RESULTS = [
    pytest.param(result, id=f"{name}-line_{result.line}") for name, plan in PLANS.items() for result in run_cases(plan)
]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_has_no_error_and_at_least_two_cases(plan: Plan) -> None:
    assert [finding for finding in check_plan(plan) if finding.severity is Severity.ERROR] == []
    assert len(plan.file.cases) >= 2


@pytest.mark.parametrize("name", PLANS)
def test_a_plans_code_is_its_files_name(name: str) -> None:
    assert PLANS[name].header.code == name.replace("-", "_")


@pytest.mark.parametrize("result", RESULTS)
def test_a_worked_case_holds(result: CaseResult) -> None:
    assert result.trouble is None
    assert result.actual == result.expected


@pytest.mark.parametrize(("fen", "city", "county"), [(50_000, 25_000, 25_000), (1, 0, 1), (0, 0, 0)])
def test_city_and_county_bear_half_each_and_the_odd_fen_falls_to_the_last(fen: int, city: int, county: int) -> None:
    (inpatient,) = PLANS["sanming-purses"].versions[0].body.benefits
    assert funded(Money(fen), inpatient.funding) == (("city", Money(city)), ("county", Money(county)))
