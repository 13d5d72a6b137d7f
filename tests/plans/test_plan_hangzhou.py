"""Hangzhou's plan file: it is sound, its worked cases hold, and so do the published vectors where they are at hand."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest
from plan_builders import HANGZHOU, HANGZHOU_FILE, STAY, a_bill, a_compiled_plan, pay_in_order
from settlement.plans.check import check_plan

from settlement.domain.money import Money
from settlement.plans.cases import CaseResult, run_cases
from settlement.plans.findings import Severity
from settlement.plans.model import read_plan

PLAN = a_compiled_plan()
SAMPLES = os.environ.get("SETTLEMENT_SAMPLES")


def test_the_file_has_no_error_and_two_known_warnings() -> None:
    findings = check_plan(read_plan(HANGZHOU_FILE))
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    assert [finding.en.split(":")[0] for finding in findings] == ["the rate falls from 90% to 60%", "a cliff"]


@pytest.mark.parametrize("result", run_cases(HANGZHOU), ids=lambda result: f"line_{result.line}")
def test_a_worked_case_holds(result: CaseResult) -> None:
    assert result.trouble is None
    assert result.actual == result.expected


def test_it_covers_active_employees_of_the_employee_insurance() -> None:
    assert HANGZHOU.header.covered("insurance_type") == frozenset({"310"})
    assert HANGZHOU.header.covered("person_category") == frozenset({"active"})
    assert HANGZHOU.header.covered("hospital_level") is None


def test_two_bills_are_paid_as_one_sum_and_not_each_alone() -> None:
    stay = (a_bill(allowed=206_700), STAY)
    together, apart = pay_in_order(PLAN, [stay, stay]), [*pay_in_order(PLAN, [stay]), *pay_in_order(PLAN, [stay])]
    assert (sum(together), sum(apart)) == (176_700, 146_700)


@pytest.mark.skipif(SAMPLES is None, reason="the worked cases above hold the same vectors")
def test_the_published_vectors_hold() -> None:
    """A vector in separate bills is the published choice of one claim per stay: each bill starts with unused room."""
    with (Path(SAMPLES or "") / "plan_vectors.csv").open(encoding="utf-8", newline="") as file:
        vectors = [row for row in csv.DictReader(file) if row["plan"] == "HZ"]
    assert len(vectors) == 8
    for vector in vectors:
        given = re.fullmatch(r"(?:(\d+) x )?self=([0-9.]+)(?: separate)?", vector["inputs"])
        assert given, vector
        own = int(Money.from_yuan(given[2]))
        paid = int(given[1] or 1) * pay_in_order(PLAN, [(a_bill(allowed=own), STAY)])[0]
        assert paid == Money.from_yuan(vector["expected"]), vector["case"]
