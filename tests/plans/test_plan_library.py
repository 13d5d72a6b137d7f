"""The library: every plan file is sound, its worked cases hold, and every published vector is a case of some plan."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from plan_builders import LIBRARY

from settlement.domain.money import Money
from settlement.plans.cases import CaseResult, run_cases
from settlement.plans.checks.run import check_plan
from settlement.plans.findings import Severity
from settlement.plans.model import Plan, read_plan

FILES = sorted(LIBRARY.glob("*.yaml"))
SAMPLES = os.environ.get("SETTLEMENT_SAMPLES")
PLANS_AT_LEAST, CASES_AT_LEAST = 16, 100


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.stem)
def plan(request: pytest.FixtureRequest) -> Plan:
    return read_plan(request.param)


@pytest.fixture(scope="module")
def results() -> list[CaseResult]:
    return [result for file in FILES for result in run_cases(read_plan(file))]


def test_a_plan_checks_without_errors(plan: Plan) -> None:
    assert [str(finding) for finding in check_plan(plan) if finding.severity is Severity.ERROR] == []


def test_a_plan_passes_its_worked_cases(plan: Plan) -> None:
    assert [(result.line, result.name) for result in run_cases(plan) if not result.passed] == []


def test_a_plan_is_named_as_its_file_and_has_its_own_cases(plan: Plan) -> None:
    assert plan.header.code == Path(plan.source.name).stem.replace("-", "_")
    names = [case.name for case in plan.file.cases]
    assert len(names) == len(set(names)) >= 6


def test_a_plan_says_what_its_source_left_open(plan: Plan) -> None:
    assert any("本方案约定" in note for note in plan.header.notes)


PAID_WHATEVER_OTHERS_PAY = {
    "hangzhou", "hangzhou_separate", "huzhou", "qinghai", "shanghai", "weihai", "yunnan", "zhangjiajie", "zhangzhou",
}  # fmt: skip
"""Plans whose published rules say nothing of other payers; a comment in each file confirms the check's warning."""


def test_a_plan_that_takes_nothing_off_for_other_payers_was_confirmed_to_do_so(plan: Plan) -> None:
    found = any(finding.id == "other_paid_not_subtracted" for finding in check_plan(plan))
    assert found == (plan.header.code in PAID_WHATEVER_OTHERS_PAY)


def test_the_library_has_so_many_plans_and_cases(results: list[CaseResult]) -> None:
    assert len(FILES) >= PLANS_AT_LEAST
    assert len(results) >= CASES_AT_LEAST


@pytest.mark.skipif(SAMPLES is None, reason="SETTLEMENT_SAMPLES names no folder with the published vectors")
def test_every_published_vector_is_a_case_of_some_plan(results: list[CaseResult]) -> None:
    """A case is a vector's by the beginning of its name: the plan's short name and the vector's."""
    with (Path(SAMPLES or "") / "plan_vectors.csv").open(encoding="utf-8", newline="") as file:
        vectors = list(csv.DictReader(file))
    assert vectors
    assert [vector for vector in vectors if not any(_holds(result, vector) for result in results)] == []


def _holds(result: CaseResult, vector: dict[str, str]) -> bool:
    """Say whether a case pays what a vector says: its bills together, or one of them after those that lead to it."""
    paid = [sum(int(amount) for amount in bill.paid.values()) for bill in result.actual]
    expected = Money.from_yuan(vector["expected"])
    return result.name.startswith(f"{vector['plan']} {vector['case']}，") and expected in (sum(paid), *paid)
