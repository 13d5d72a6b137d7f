"""How findings come out, and what the compiler may rely on: a version without errors prices every bill."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wrong_plans import SOUND, STEP_3, WRONG

from plans.plan_builders import bills
from settlement.domain.benefits import PlanFacts
from settlement.domain.bills import BillFigures
from settlement.domain.money import Money
from settlement.plans.boundaries import boundaries
from settlement.plans.cases import case_facts
from settlement.plans.checks.registry import CHECKS
from settlement.plans.checks.run import check_plan, refuse_unsound
from settlement.plans.compile import CompiledPlan, compile_version
from settlement.plans.findings import PlanRefused, Severity
from settlement.plans.history import BillKeys, place, takings
from settlement.plans.model import CaseFacts, Plan, load_plan

PUBLISHED = [Path(__file__).with_name("sound.yaml"), *sorted((Path(__file__).parents[3] / "plans").glob("*.yaml"))]
ERRORS = [check.id for check in CHECKS if check.severity is Severity.ERROR]
WARNINGS = [check.id for check in CHECKS if check.severity is Severity.WARNING]


@pytest.mark.parametrize("id_", ERRORS)
def test_a_version_with_an_error_is_refused(id_: str) -> None:
    version = load_plan(WRONG[id_].text, "plan.yaml").versions[0]
    with pytest.raises(PlanRefused) as refused:
        refuse_unsound(version)
    assert id_ in {finding.id for finding in refused.value.findings}
    assert {finding.line for finding in refused.value.findings} == {None}


@pytest.mark.parametrize("id_", WARNINGS)
def test_a_warning_asks_for_a_second_look_and_stops_nothing(id_: str) -> None:
    plan = load_plan(WRONG[id_].text, "plan.yaml")
    if not {finding.id for finding in check_plan(plan)} & set(ERRORS):
        compile_version(plan.versions[0])


def test_a_band_may_pay_everything() -> None:
    text = SOUND.replace(STEP_3, STEP_3.replace("65%", "100%"))
    assert {finding.id for finding in check_plan(load_plan(text, "plan.yaml"))} == {"modifier_cut"}


def test_findings_come_by_line_with_the_clause_they_are_about() -> None:
    text = SOUND.replace(STEP_3, STEP_3.replace("65%", "200%")).replace("plus: [allowed]", "plus: [allow]")
    findings = check_plan(load_plan(text, "plan.yaml"))
    lines = [finding.line for finding in findings]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert {finding.id: finding.clause for finding in findings} == {
        "unknown_amount": "自负",
        "rate_out_of_range": "三段",
    }


def test_a_mistake_in_the_header_is_said_once_whatever_the_number_of_versions() -> None:
    text = WRONG["version_twice"].text.replace("at_least: 16", "at_least: 99")
    assert [finding.id for finding in check_plan(load_plan(text, "plan.yaml"))].count("bounds_reversed") == 1


_TEXTS = [file.read_text(encoding="utf-8") for file in PUBLISHED]
_NUMBERS = ("0", "1", "2", "3", "10", "299", "5000", "5001", "20000", '"-5"')
_WORDS = (
    ("over: stay", "over: term"),
    ("over: term", "over: life"),
    ("over: life", "over: settlement"),
    ("once_per: stay", "once_per: term"),
    ("inpatient", "outpatient"),
    ("both_days", "nights"),
    ("both_days", "nights_at_least_one"),
    ("upgrade: true", "upgrade: false"),
    ("per_share: true", "per_share: false"),
    ("basic: true", "basic: false"),
    ("kind: calendar_year", 'kind: year_from, starts: "02-28"'),
    ("kind: calendar_year", "kind: own_cover"),
    ("bands_total", "each_band"),
    ("half_up", "down"),
    ("account_money: {counts_as: burden", "account_money: {counts_as: not_burden"),
    ("by_days", "none"),
    ("minus: [", "minus: [cash_before_aid, "),
    ("plus: [allowed]", "plus: [billed]"),
    ("rule: bands\n", "rule: bands\n            method: whole\n"),
    ("below: 5000", "up_to: 5000"),
    ("from: 5000", "above: 5000"),
    ("hospital_level: [3]", "stay_days: {at_least: 5}"),
    ("hospital_level: [3]", "sex: [female]"),
    ("age, at_least: 16", "age"),
    ("aid.first", "aid.expense"),
    ("rule: rate, rate", "rule: minimum, amount"),
    ("rule: burden_limit", "rule: limit, over: stay, times: 1"),
    ("not_beside", "only_beside"),
    ("of: all", "of: all_plans"),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A plan with a few changes: lines dropped, doubled or moved, numbers and words replaced."""
    lines = draw(st.just(SOUND) | st.sampled_from(_TEXTS)).splitlines()
    end = next(place for place, line in enumerate(lines) if line.startswith("case_facts:"))
    rules = range(lines.index("versions:") + 1, end)
    for _ in range(draw(st.integers(1, 4))):
        text = "\n".join(lines)
        match draw(st.integers(0, 4)):
            case 0:
                del lines[draw(st.sampled_from(rules)) % len(lines)]
            case 1:
                at = draw(st.sampled_from(rules)) % len(lines)
                lines.insert(at, lines[at])
            case 2:
                at = draw(st.sampled_from(rules)) % (len(lines) - 1)
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
            case 3:
                numbers = list(re.finditer(r"(?<=: )\d+(?=[,}\n])", text))
                found = draw(st.sampled_from(numbers))
                text = f"{text[: found.start()]}{draw(st.sampled_from(_NUMBERS))}{text[found.end() :]}"
                lines = text.splitlines()
            case _:
                before, after = draw(st.sampled_from(_WORDS))
                at = draw(st.integers(0, max(0, text.count(before) - 1)))
                pieces = text.split(before)
                text = (
                    before.join(pieces[: at + 1]) + (after if len(pieces) > 1 else "") + before.join(pieces[at + 1 :])
                )
                lines = text.splitlines()
    return "\n".join(lines) + "\n"


def facts_of(plan: Plan, chance: random.Random) -> PlanFacts:
    """Return strange facts: some not known, stays short and long, with and without events."""
    facts = case_facts(plan.file.case_facts, CaseFacts())
    left = date(2026, 1, 1) + timedelta(days=chance.randrange(0, 400))
    came = left - timedelta(days=chance.choice((0, 1, 4, 5, 30, 31, 200)))
    facts = replace(facts, admitted_on=came, discharged_on=left, settled_on=left, counted_from=came)
    if chance.random() < 0.4:
        facts = replace(facts, care="outpatient", admitted_on=None, discharged_on=None, counted_from=None)
    facts = replace(
        facts,
        event=chance.choice(("none", *(event.code for event in plan.header.events))),
        severity=chance.choice((None, *(each for event in plan.header.events for each in event.severities))),
        insurance_type=chance.choice((facts.insurance_type, facts.insurance_type, "390", "340")),
        shares=chance.choice((None, {}, {each.code: 2 for each in plan.versions[0].body.modules})),
        stated=chance.choice(({}, {each.code: Money(5000) for each in plan.header.stated})),
    )
    unknown = chance.choice(
        (None, "hospital_level", "age", "sex", "covered_since", "consecutive_terms", "discharged_on")
    )
    return facts if unknown is None else replace(facts, **{unknown: None})


def price_all(compiled: CompiledPlan, plan: Plan, figures: list[BillFigures], chance: random.Random) -> None:
    """Price one member's bills in order; a bill that lacks a fact is held, as the settle path does."""
    past = []
    for number, each in enumerate(figures):
        keys = BillKeys("H", f"visit-{number // 2}")
        placed = place(compiled, facts_of(plan, chance), keys, past)
        if compiled.missing_fact(placed.facts) is None:
            benefits = compiled.adjudicate(each, placed.facts, placed.used)
            assert all(benefit.amount >= 0 for benefit in benefits)
            past += takings(compiled, placed, benefits, keys)


@settings(max_examples=120, deadline=None)
@given(text=mutated(), figures=st.lists(bills(), min_size=3, max_size=3), seed=st.integers(0, 10_000))
def test_a_plan_is_refused_or_prices_every_bill(text: str, figures: list[BillFigures], seed: int) -> None:
    try:
        plan = load_plan(text, "plan.yaml")
        findings = check_plan(plan)
        refuse_unsound(plan.versions[0])
    except PlanRefused:
        return
    compiled = compile_version(plan.versions[0])
    price_all(compiled, plan, figures, random.Random(seed))
    if not any(finding.severity is Severity.ERROR for finding in findings):
        boundaries(plan)


@pytest.mark.parametrize("file", PUBLISHED, ids=[file.stem for file in PUBLISHED])
def test_a_published_plan_has_no_error_and_its_boundaries(file: Path) -> None:
    plan = load_plan(file.read_text(encoding="utf-8"), file.name)
    assert not [finding for finding in check_plan(plan) if finding.severity is Severity.ERROR]
    assert all(case.base >= 0 and case.aid >= 0 for case in boundaries(plan))


AGE = "    - {fact: age, at_least: 16, at_most: 60, clause: 参加年龄, label: 限 16 至 60 周岁}\n"
BY_SEX = "    - {fact: age, at_most: %s, when: {sex: [%s]}, clause: 参加年龄, label: 限年龄}\n"


def found_with_ages(*bounds: tuple[int, str]) -> list[str]:
    text = SOUND.replace(AGE, "".join(BY_SEX % bound for bound in bounds))
    return [finding.id for finding in check_plan(load_plan(text, "plan.yaml"))]


def test_conditions_asked_of_different_people_do_not_contradict_each_other() -> None:
    assert found_with_ages((59, "male"), (54, "female")) == []


def test_a_condition_is_not_asked_of_anybody_whose_when_is_no_value() -> None:
    assert found_with_ages((59, "men")) == ["unknown_value"]


def test_a_condition_asks_for_its_fact_only_of_those_whom_its_when_fits() -> None:
    text = SOUND.replace(AGE, BY_SEX % (59, "male"))
    plan = load_plan(text, "plan.yaml")
    compiled = compile_version(plan.versions[0])
    facts = replace(case_facts(plan.file.case_facts, CaseFacts()), age=None, covered_since=date(2024, 1, 1))
    facts = replace(facts, consecutive_terms=3, returned=False, stay_ordinal=1)
    assert compiled.missing_fact(replace(facts, sex=None)) == "sex"
    assert compiled.missing_fact(replace(facts, sex="male")) == "age"
    assert compiled.missing_fact(replace(facts, sex="female")) is None


def test_the_insurances_that_a_plan_covers_are_those_asked_of_everybody() -> None:
    text = SOUND.replace(
        AGE, '    - {fact: insurance_type, one_of: ["310"], when: {sex: [male]}, clause: 险种, label: 限职工}\n'
    )
    assert load_plan(text, "plan.yaml").header.covered("insurance_type") == frozenset({"310", "390"})
