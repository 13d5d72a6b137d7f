"""Which stay of a term a bill belongs to, in a version whose benefits have terms of their own."""

from __future__ import annotations

from pathlib import Path

from settlement.plans.cases import run_cases
from settlement.plans.model import load_plan

ZHONGSHAN = (Path(__file__).parents[2] / "plans" / "zhongshan.yaml").read_text(encoding="utf-8")
RELIEF = """      - code: relief
        names: {zh: 救助, en: Relief}
        base: {plus: [patient_share], clause: 费用期内累计}
        term: {kind: year_from, starts: "12-01", clause: 费用期自 12 月 1 日}
        accumulation: {over: term, clause: 费用期内累计}
        manual: {threshold: 900000, clause: 人工评定, label: 人工评定}

case_facts:"""


def test_stays_count_in_the_terms_of_the_first_benefit_whatever_terms_the_last_has() -> None:
    plan = load_plan(ZHONGSHAN.replace("\ncase_facts:", RELIEF, 1), "plan.yaml")
    assert [result.name for result in run_cases(plan) if not result.passed] == []
    assert len(plan.versions[0].body.benefits) == 2
